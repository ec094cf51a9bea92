//! One service's records at Route 53.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::{ProvideCredentials, SharedCredentialsProvider};

use super::place::Place;
use super::sets::Places;
use super::zone::Zone;
use super::{answers, client};
use crate::act::dns::wire::Kind;
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy};
use crate::config::{Record, Route53};
use crate::types::{RecordState, ResourceSet};

/// A service's records and its fence in a hosted zone.
pub struct Route53Dns {
    zone: Zone,
    /// The record as configured, for its name servers.
    configured: Record,
    /// The record as it was last read, or written.
    held: Mutex<Option<ResourceSet>>,
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
        let zone = Zone::new(client, place.zone_id.clone(), places(record, place)?);
        Ok(Self { zone, configured: record.clone(), held: Mutex::default() })
    }

    fn keep(&self, state: &RecordState) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&state.record);
    }
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
        let state = self.zone.read().await?;
        self.keep(&state);
        Ok(state)
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        let receipt = self.zone.change(change, send).await?;
        self.keep(&change.wanted);
        Ok(receipt)
    }

    async fn is_visible(&self, receipt: &Receipt) -> Result<bool, DnsError> {
        self.zone.is_visible(&receipt.id).await
    }

    /// The right to change is not among what can be tried: the service offers no dry run.
    async fn check(&self) -> Vec<DnsError> {
        let zone = self.zone.check().await;
        let list = self.read().await.map(|_| ());
        [zone, list].into_iter().filter_map(Result::err).collect()
    }

    async fn answers(&self) -> Vec<Answer> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        answers::answers(&self.configured, &self.zone.id, &self.zone.places, held.as_ref()).await
    }
}
