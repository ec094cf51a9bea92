//! One service's record at Route 53.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_route53::operation::get_hosted_zone::GetHostedZoneOutput;
use aws_sdk_route53::types::{ChangeBatch, ChangeStatus, ResourceRecordSet};

use super::client::{self, Departure};
use super::outcome::{self, Request};
use super::sets::{self, Place, Spelling};
use crate::act::dns::wire::{self, Kind};
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy};
use crate::act::verify;
use crate::config::{Record, Route53};
use crate::types::RecordState;

const CHANGE: &str = "route53:ChangeResourceRecordSets";
const LIST: &str = "route53:ListResourceRecordSets";
const GET_CHANGE: &str = "route53:GetChange";
const GET_ZONE: &str = "route53:GetHostedZone";
/// Sets in one page of a list; the service's own maximum. Record and fence are nearly always in the first.
const PAGE_SETS_MAX: i32 = 100;

/// A service's record and its fence in a hosted zone.
pub struct Route53Dns {
    client: Client,
    zone_id: String,
    record: Place,
    fence: Place,
    /// The record as configured, for its name servers.
    configured: Record,
    spelling: Mutex<Spelling>,
}

struct Page {
    sets: Vec<ResourceRecordSet>,
    is_last: bool,
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
        let fence = record.name.fence().map_err(|error| DnsError::Misconfigured {
            detail: format!("the name of the fence of {} {error}", record.name),
        })?;
        Ok(Self {
            client,
            zone_id: place.zone_id.clone(),
            record: Place { name: record.name.clone(), kind: Kind::Record(record.kind) },
            fence: Place { name: fence, kind: Kind::Text },
            configured: record.clone(),
            spelling: Mutex::default(),
        })
    }

    async fn zone(&self) -> Result<GetHostedZoneOutput, DnsError> {
        let answer = self.client.get_hosted_zone().id(&self.zone_id).send().await;
        answer.map_err(|error| outcome::error(GET_ZONE, Request::Read, &error))
    }

    fn check_zone(&self, answer: &GetHostedZoneOutput) -> Result<(), DnsError> {
        let zone = answer.hosted_zone().map(|zone| zone.name().trim_end_matches('.').to_ascii_lowercase());
        let zone = zone.unwrap_or_default();
        let rest = self.record.name.as_str().strip_suffix(zone.as_str());
        if !zone.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) {
            return Ok(());
        }
        let detail = format!("{} does not lie in the hosted zone {zone:?}", self.record.name);
        Err(DnsError::Misconfigured { detail })
    }

    async fn list(&self, from: &Place, sets_max: i32) -> Result<Page, DnsError> {
        let answer = self
            .client
            .list_resource_record_sets()
            .hosted_zone_id(&self.zone_id)
            .start_record_name(from.name.as_str())
            .start_record_type(from.rr_type())
            .max_items(sets_max)
            .send()
            .await
            .map_err(|error| outcome::error(LIST, Request::Read, &error))?;
        if answer.max_items() < 1 {
            // The SDK reads a document that is not a list as an empty one: that would say "no such set".
            let detail = format!("the answer to {LIST} is incomplete");
            return Err(DnsError::Unavailable { detail });
        }
        Ok(Page { is_last: !answer.is_truncated(), sets: answer.resource_record_sets })
    }

    /// Both sets. One page is one moment; where the zone puts many names between the two, the record is read
    /// again after the fence, so that the pair is never torn by a change in between.
    async fn spelled(&self) -> Result<Spelling, DnsError> {
        let page = self.list(&self.record, PAGE_SETS_MAX).await?;
        let record = only(&self.record, &page)?;
        let fence = only(&self.fence, &page)?;
        if fence.is_some() || page.is_last {
            return Ok(Spelling { record, fence });
        }
        let fence = only(&self.fence, &self.list(&self.fence, 1).await?)?;
        let again = only(&self.record, &self.list(&self.record, 1).await?)?;
        if again != record {
            let detail = format!("{} changed while it was read", self.record.name);
            return Err(DnsError::Unavailable { detail });
        }
        Ok(Spelling { record, fence })
    }

    fn normal(&self, spelling: &Spelling) -> Result<RecordState, DnsError> {
        Ok(RecordState {
            record: spelling.record.as_ref().map(|set| self.record.normal(set)).transpose()?,
            fence: spelling.fence.as_ref().map(|set| self.fence.normal(set)).transpose()?,
        })
    }
}

fn only(place: &Place, page: &Page) -> Result<Option<ResourceRecordSet>, DnsError> {
    let mut found = page.sets.iter().filter(|set| place.is(set));
    let first = found.next().cloned();
    match (&first, found.next()) {
        // Several sets of one name and type exist only with routing policies; say so in the words for one.
        (Some(set), Some(_)) => place.normal(set).map(|_| first.clone()),
        _ => Ok(first),
    }
}

#[async_trait]
impl Dns for Route53Dns {
    async fn read(&self) -> Result<RecordState, DnsError> {
        let spelling = self.spelled().await?;
        let state = self.normal(&spelling)?;
        *self.spelling.lock().unwrap_or_else(PoisonError::into_inner) = spelling;
        Ok(state)
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        let spelling = self.spelling.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let changes = sets::batch(&self.record, &self.fence, change, &spelling)?;
        let batch = ChangeBatch::builder()
            .set_changes(Some(changes))
            .build()
            .map_err(|error| DnsError::Misconfigured { detail: wire::chain(&error) })?;
        let departure = Departure::by(send.clone());
        let once = aws_sdk_route53::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = self
            .client
            .change_resource_record_sets()
            .hosted_zone_id(&self.zone_id)
            .change_batch(batch)
            .customize()
            .config_override(once)
            .interceptor(departure.clone())
            .send()
            .await;
        let request = if departure.is_departed() { Request::SentChange } else { Request::UnsentChange };
        let answer = answer.map_err(|error| outcome::error(CHANGE, request, &error))?;
        // The SDK fills what an answer lacks with empty texts.
        match answer.change_info().filter(|info| !info.id().is_empty()) {
            Some(info) => Ok(Receipt { id: info.id().trim_start_matches("/change/").to_owned() }),
            None => Err(DnsError::Unknown { detail: "the answer to the change names no change".to_owned() }),
        }
    }

    async fn is_visible(&self, receipt: &Receipt) -> Result<bool, DnsError> {
        let answer = self.client.get_change().id(&receipt.id).send().await;
        let answer = answer.map_err(|error| outcome::error(GET_CHANGE, Request::Read, &error))?;
        Ok(answer.change_info().is_some_and(|info| *info.status() == ChangeStatus::Insync))
    }

    /// The right to change is not among what can be tried: the service offers no dry run.
    async fn check(&self) -> Vec<DnsError> {
        let zone = self.zone().await.and_then(|zone| self.check_zone(&zone));
        let list = self.read().await.map(|_| ());
        [zone, list].into_iter().filter_map(Result::err).collect()
    }

    async fn answers(&self) -> Vec<Answer> {
        verify::answers(&self.configured).await
    }
}
