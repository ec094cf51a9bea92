//! One look at something beside the Redis: does it accept a connection, does a name resolve, does it answer.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use reqwest::Client;
use tokio::time::{Instant, timeout};
use url::Url;

use super::http::{self, HttpClients};
use crate::config::Reach;
use crate::monitor::error::one_line;
use crate::monitor::socket::{Ends, tcp};
use crate::monitor::tls::{TlsError, TlsProfiles};
use crate::types::{Check, CheckKind, Clock, Gap, GapReason, RecordName};

/// Something to look at, with what it needs.
pub(super) struct Thing {
    name: String,
    way: Way,
}

enum Way {
    Tcp { host: String, port: u16 },
    Dns(RecordName),
    Http(Url, Client),
}

impl Thing {
    /// Prepares a look.
    pub fn new(reach: &Reach, clients: &HttpClients, profiles: &TlsProfiles) -> Result<Self, TlsError> {
        let way = match reach {
            Reach::Tcp { host, port } => Way::Tcp { host: host.clone(), port: *port },
            Reach::Dns(name) => Way::Dns(name.clone()),
            Reach::Http(url) => Way::Http(url.clone(), clients.for_url(url, None, profiles)?),
        };
        Ok(Self { name: reach.to_string(), way })
    }

    /// Looks once, within the deadline.
    pub async fn look(&self, clock: &dyn Clock, deadline: Duration) -> Check {
        let start = clock.now();
        let result = match &self.way {
            Way::Tcp { host, port } => {
                let ends = Ends { end: Instant::now() + deadline, deadline };
                tcp(host, *port, ends).await.map(drop).map_err(|error| error.gap())
            }
            Way::Dns(name) => match system_resolver(deadline) {
                Ok(resolver) => resolve(&resolver, name, deadline).await,
                Err(error) => Err(unresolved(&error)),
            },
            Way::Http(url, client) => {
                http::touch(client.get(url.clone()), deadline).await.map_err(|error| error.gap())
            }
        };
        self.seen(result.map(|()| clock.now().since(start)))
    }

    /// What there is to say of it.
    pub fn seen(&self, result: Result<Duration, Gap>) -> Check {
        let kind = match self.way {
            Way::Tcp { .. } => CheckKind::Tcp,
            Way::Dns(_) => CheckKind::Dns,
            Way::Http(..) => CheckKind::Http,
        };
        Check { name: self.name.clone(), kind, result }
    }
}

/// The resolver that the system is configured with, read anew: a name that was answered before proves nothing.
fn system_resolver(deadline: Duration) -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio()?;
    let options = builder.options_mut();
    (options.cache_size, options.attempts, options.timeout) = (0, 1, deadline);
    builder.build()
}

/// Whether a name has an address.
pub(super) async fn resolve(
    resolver: &TokioResolver,
    name: &RecordName,
    deadline: Duration,
) -> Result<(), Gap> {
    match timeout(deadline, resolver.lookup_ip(name.as_str())).await {
        Ok(Ok(found)) if found.iter().next().is_some() => Ok(()),
        Ok(Ok(_)) => Err(Gap::new(GapReason::Dns, "the name has no address")),
        Ok(Err(error)) => Err(unresolved(&error)),
        Err(_) => Err(Gap::new(GapReason::Timeout, format!("no answer within {} ms", deadline.as_millis()))),
    }
}

fn unresolved(error: &NetError) -> Gap {
    let reason = if matches!(error, NetError::Timeout) { GapReason::Timeout } else { GapReason::Dns };
    Gap::new(reason, one_line(error))
}
