//! One service's records at Route 53, in one hosted zone or in two.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::{ProvideCredentials, SharedCredentialsProvider};

use super::place::Place;
use super::sets::Places;
use super::twin::Twin;
use super::zone::{Audience, Zone};
use super::{answers, client};
use crate::act::dns::wire::Kind;
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy};
use crate::config::{Record, Route53};
use crate::types::{Clock as _, RecordState, ResourceSet, SystemClock};

/// Between the ids of two changes in one receipt.
const AND: char = '+';

/// A service's records and its fence.
pub struct Route53Dns {
    zones: Zones,
    /// The record as configured, for its name servers.
    configured: Record,
    last: Mutex<Last>,
}

enum Zones {
    One(Box<Zone>),
    /// The public one, which is changed first and judges between agents, and the private one.
    Two(Box<Twin>),
}

/// What is remembered of the record, to understand what name servers answer.
#[derive(Default)]
struct Last {
    /// The record as it was last read, or written.
    held: Option<ResourceSet>,
    /// The last change, until all name servers have it: they are asked of the service too.
    pending: Option<Receipt>,
}

impl Route53Dns {
    /// The provider of `record` in the given hosted zone, with the credentials that the environment offers (the
    /// default chain of the SDK). Nothing is asked of the service yet.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when the fence would have no valid name.
    pub async fn connect(record: &Record, place: &Route53) -> Result<Self, DnsError> {
        Self::new(record, place, client::connect(place, None).await)
    }

    /// As [`Route53Dns::connect`], with credentials from somewhere else.
    ///
    /// # Errors
    /// As there.
    pub async fn connect_with(
        record: &Record,
        place: &Route53,
        credentials: impl ProvideCredentials + 'static,
    ) -> Result<Self, DnsError> {
        let credentials = SharedCredentialsProvider::new(credentials);
        Self::new(record, place, client::connect(place, Some(credentials)).await)
    }

    fn new(record: &Record, place: &Route53, client: Client) -> Result<Self, DnsError> {
        let places = places(record, place)?;
        let zone = |id: &str, audience| Zone::new(client.clone(), id.to_owned(), places.clone(), audience);
        let zones = match &place.private_zone_id {
            None => Zones::One(Box::new(zone(&place.zone_id, Audience::Any))),
            Some(private) => Zones::Two(Box::new(Twin {
                first: zone(&place.zone_id, Audience::Everybody),
                second: zone(private, Audience::Networks),
            })),
        };
        Ok(Self { zones, configured: record.clone(), last: Mutex::default() })
    }

    fn all(&self) -> Vec<&Zone> {
        match &self.zones {
            Zones::One(zone) => vec![zone],
            Zones::Two(twin) => vec![&twin.first, &twin.second],
        }
    }

    /// The zone that name servers answer for.
    fn public(&self) -> &Zone {
        match &self.zones {
            Zones::One(zone) => zone,
            Zones::Two(twin) => &twin.first,
        }
    }

    fn remember(&self, change: impl FnOnce(&mut Last)) {
        change(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What the service itself says of the last change; nothing once it is everywhere, and where there was none.
    async fn on_its_way(&self) -> Option<Answer> {
        let pending = self.last.lock().unwrap_or_else(PoisonError::into_inner).pending.clone()?;
        let result = match self.is_visible(&pending).await {
            Ok(true) => {
                self.remember(|last| last.pending = None);
                return None;
            }
            Ok(false) => Err("it is PENDING".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        Some(Answer { server: format!("Route 53, asked for the change {},", pending.id), result })
    }
}

/// A text that no other change holds.
fn nonce() -> String {
    let at = SystemClock::new().now().unix_ms();
    format!("{at:x}-{:x}", std::process::id())
}

fn places(record: &Record, place: &Route53) -> Result<Places, DnsError> {
    let fence = record.name.fence().map_err(|error| DnsError::Misconfigured {
        detail: format!("the name of the fence of {} {error}", record.name),
    })?;
    let own = Place { name: record.name.clone(), kind: Kind::Record(record.kind) };
    let further = place.more_records.iter();
    let further = further.map(|more| Place { name: more.name.clone(), kind: Kind::Record(more.kind) });
    Ok(Places {
        records: std::iter::once(own).chain(further).collect(),
        fence: Place { name: fence, kind: Kind::Text },
        ttl_seconds: record.ttl_seconds,
    })
}

#[async_trait]
impl Dns for Route53Dns {
    async fn read(&self) -> Result<RecordState, DnsError> {
        let state = match &self.zones {
            Zones::One(zone) => zone.read().await?,
            Zones::Two(twin) => twin.read().await?,
        };
        self.remember(|last| last.held.clone_from(&state.record));
        Ok(state)
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        let receipt = match &self.zones {
            Zones::One(zone) => zone.change(change, send).await?,
            Zones::Two(twin) => {
                let ids: Vec<String> = twin.change(change, send).await?.into_iter().map(|r| r.id).collect();
                Receipt { id: ids.join(&AND.to_string()) }
            }
        };
        self.remember(|last| {
            last.held.clone_from(&change.wanted.record);
            last.pending = Some(receipt.clone());
        });
        Ok(receipt)
    }

    async fn is_visible(&self, receipt: &Receipt) -> Result<bool, DnsError> {
        for id in receipt.id.split(AND) {
            // The id of a change says which zone it is of.
            if !self.public().is_visible(id).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn check(&self) -> Vec<DnsError> {
        let nonce = nonce();
        let mut results = Vec::new();
        for zone in self.all() {
            let known = zone.check().await;
            // Without its zone nothing is tried.
            if known.is_ok() {
                results.push(zone.try_rights(&nonce).await);
            }
            results.push(known);
        }
        results.push(self.read().await.map(|_| ()));
        results.into_iter().filter_map(Result::err).collect()
    }

    async fn answers(&self) -> Vec<Answer> {
        let pending = self.on_its_way().await;
        let held = self.last.lock().unwrap_or_else(PoisonError::into_inner).held.clone();
        let zone = self.public();
        let answers = answers::answers(&self.configured, &zone.id, &zone.places, held.as_ref()).await;
        pending.into_iter().chain(answers).collect()
    }
}
