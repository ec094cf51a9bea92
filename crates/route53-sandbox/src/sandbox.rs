//! Starting and stopping.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::info;

use crate::dns::{self, Sockets};
use crate::identity::{self, Keys};
use crate::options::Options;
use crate::records::{DnsName, RecordSpec, RecordSpecError};
use crate::service::Service;
use crate::state::{Saved, StateError, StateFile};
use crate::zone::{Identity, Zone};
use crate::{api, control};

/// The stand-in.
#[derive(Debug)]
pub struct Sandbox;

/// A running stand-in; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    api_addr: SocketAddr,
    dns_addr: SocketAddr,
    zone_id: String,
    tasks: Arc<Tasks>,
}

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A name of the options is not a domain name.
    #[error("{0}")]
    Name(String),
    /// A record of the options or of the state file is not a record.
    #[error("the record {name} cannot be used")]
    Record {
        /// The record's name.
        name: String,
        /// The cause.
        source: RecordSpecError,
    },
    /// A record lies outside the zone.
    #[error("the record {0} is not in the zone")]
    Outside(String),
    /// The state file cannot be used.
    #[error("the state file cannot be used")]
    State(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The API's address cannot be bound.
    #[error("cannot listen on {address} for the API")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The DNS address cannot be bound.
    #[error("cannot listen on {address} for DNS")]
    DnsListen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
}

/// The tasks of one sandbox: the listeners, and the requests apart from their connections.
#[derive(Debug, Default)]
pub struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Adds a task; those that ended are let go.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    fn take(&self) -> JoinSet<()> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sandbox {
    /// Binds both addresses and serves them on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// When a name, a record or the state file cannot be used, or an address cannot be bound.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let state = options.state.clone().map(StateFile::new);
        let saved = state.as_ref().map(StateFile::load).transpose().map_err(StartError::state)?.flatten();
        let zones = zones(&options, saved)?;
        let listen = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let api_addr = listener.local_addr().map_err(listen)?;
        let dns_listen = |source| StartError::DnsListen { address: options.dns_listen, source };
        let sockets = Sockets::bind(options.dns_listen).await.map_err(dns_listen)?;
        let dns_addr = sockets.address();

        let service =
            Arc::new(Service::new(zones, Keys::new(options.access_keys.clone()), options.throttle, state));
        let tasks = Arc::new(Tasks::default());
        let router = api::router(Arc::clone(&service), Arc::clone(&tasks))
            .merge(control::router(Arc::clone(&service)))
            .merge(identity::router(Arc::clone(&service)));
        tasks.spawn(api::serve(listener, router));
        tasks.spawn(dns::serve_udp(sockets.udp, Arc::clone(&service)));
        tasks.spawn(dns::serve_tcp(sockets.tcp, service));
        info!(%api_addr, %dns_addr, zone = options.zone, "the sandbox is up");
        Ok(Running { api_addr, dns_addr, zone_id: options.zone_id, tasks })
    }
}

impl Running {
    /// The endpoint URL for an AWS SDK.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api_addr)
    }

    /// The address that answers DNS, over UDP and TCP.
    #[must_use]
    pub fn dns_addr(&self) -> SocketAddr {
        self.dns_addr
    }

    /// The hosted zone's id.
    #[must_use]
    pub fn zone_id(&self) -> &str {
        &self.zone_id
    }

    /// Stops, and waits until nothing runs any more.
    pub async fn stop(self) {
        self.tasks.take().shutdown().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Dropping the set aborts what is in it.
        drop(self.tasks.take());
    }
}

impl StartError {
    fn state(error: StateError) -> Self {
        Self::State(Box::new(error))
    }
}

/// The public zone, and the private ones behind it.
fn zones(options: &Options, saved: Option<Saved>) -> Result<Vec<Zone>, StartError> {
    let (sequence, records) = match saved {
        Some(saved) => (saved.sequence, saved.records),
        None => (0, options.records.clone()),
    };
    let mut zones =
        vec![zone(identity_of(options, &options.zone, &options.zone_id, 0)?, &records, sequence)?];
    for (number, private) in options.private_zones.iter().enumerate() {
        let place = identity_of(options, &private.name, &private.id, number + 1)?;
        zones.push(zone(place, &private.records, 0)?);
    }
    Ok(zones)
}

/// The identity of the zone of that number; all but the first are private.
fn identity_of(options: &Options, zone: &str, id: &str, number: usize) -> Result<Identity, StartError> {
    let name = |text: &str| DnsName::parse(text).map_err(|error| StartError::Name(error.to_string()));
    Ok(Identity {
        name: name(zone)?,
        id: id.to_owned(),
        name_servers: options.name_servers.iter().map(|text| name(text)).collect::<Result<_, _>>()?,
        sync_delay: options.sync_delay,
        strict_pending: options.strict_pending,
        is_private: number > 0,
        tag: if number > 0 { format!("SANDBOX{number}") } else { "SANDBOX".to_owned() },
    })
}

fn zone(identity: Identity, specs: &[RecordSpec], sequence: u64) -> Result<Zone, StartError> {
    let set = |spec: &RecordSpec| {
        let set = spec.to_set().map_err(|source| StartError::Record { name: spec.name.clone(), source })?;
        if set.key.name.is_in(&identity.name) { Ok(set) } else { Err(StartError::Outside(spec.name.clone())) }
    };
    let sets = specs.iter().map(set).collect::<Result<_, _>>()?;
    Ok(Zone::new(identity, sets, sequence))
}
