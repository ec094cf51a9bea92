//! One hosted zone that holds the service's sets, reached by the SDK.

use std::sync::{Mutex, PoisonError};

use aws_sdk_route53::Client;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::operation::get_hosted_zone::GetHostedZoneOutput;
use aws_sdk_route53::types::{ChangeBatch, ChangeStatus, ResourceRecordSet};

use super::client::Departure;
use super::outcome::{self, Request};
use super::place::Place;
use super::sets::{Places, Spelling};
use crate::act::dns::wire;
use crate::act::dns::{DnsError, Receipt, RecordChange, SendBy};
use crate::types::RecordState;

const CHANGE: &str = "route53:ChangeResourceRecordSets";
const LIST: &str = "route53:ListResourceRecordSets";
const GET_CHANGE: &str = "route53:GetChange";
const GET_ZONE: &str = "route53:GetHostedZone";
/// Sets in one page of a list; the service's own maximum is 300. What is looked for is nearly always in the first.
const PAGE_SETS_MAX: i32 = 100;

/// A hosted zone and what of it belongs to a service.
pub(super) struct Zone {
    client: Client,
    pub(super) id: String,
    pub(super) places: Places,
    audience: Audience,
    spelling: Mutex<Spelling>,
}

/// Who a zone is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// The only zone: whoever it is for.
    Any,
    /// The public one of two.
    Everybody,
    /// The private one of two.
    Networks,
}

struct Page {
    sets: Vec<ResourceRecordSet>,
    is_last: bool,
}

/// Where a place stands on a page that begins with the record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// At its beginning.
    First,
    /// Behind the record, as the fence's name does.
    Behind,
    /// Perhaps before the record, where the page does not reach.
    Anywhere,
}

impl Page {
    /// Whether the next page may begin with more members of a group that this one ends with.
    fn goes_on_with(&self, place: &Place) -> bool {
        let is_member = |last: &ResourceRecordSet| place.is(last) && last.set_identifier().is_some();
        !self.is_last && self.sets.last().is_some_and(is_member)
    }

    /// The sets of a place; `None` where another page may hold some.
    fn of(&self, place: &Place, reach: Reach) -> Option<Vec<ResourceRecordSet>> {
        let found: Vec<_> = self.sets.iter().filter(|set| place.is(set)).cloned().collect();
        let goes_on = self.goes_on_with(place);
        let is_absence_told = match reach {
            Reach::First => true,
            Reach::Behind => self.is_last,
            Reach::Anywhere => false,
        };
        let is_whole = if found.is_empty() { is_absence_told } else { !goes_on };
        is_whole.then_some(found)
    }
}

impl Zone {
    pub(super) fn new(client: Client, id: String, places: Places, audience: Audience) -> Self {
        Self { client, id, places, audience, spelling: Mutex::default() }
    }

    /// What the zone holds, as the service's most current version.
    pub(super) async fn read(&self) -> Result<RecordState, DnsError> {
        let spelling = self.spelled().await?;
        let state = self.places.normal(&spelling)?;
        *self.spelling.lock().unwrap_or_else(PoisonError::into_inner) = spelling;
        Ok(state)
    }

    /// Changes all sets, or none.
    pub(super) async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        let spelling = self.spelling.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let changes = self.places.batch(change, &spelling)?;
        let batch = ChangeBatch::builder()
            .set_changes(Some(changes))
            .build()
            .map_err(|error| DnsError::Misconfigured { detail: wire::chain(&error) })?;
        let departure = Departure::by(send.clone());
        let once = aws_sdk_route53::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = self
            .client
            .change_resource_record_sets()
            .hosted_zone_id(&self.id)
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

    /// Tries the right to change everything, by a batch that can never be carried out: its first part deletes a text that
    /// nobody has ever written. The service asks for the right before it looks at what stands there.
    pub(super) async fn try_rights(&self, nonce: &str) -> Result<(), DnsError> {
        let batch = ChangeBatch::builder().set_changes(Some(self.places.trial(nonce)?)).build();
        let batch = batch.map_err(|error| DnsError::Misconfigured { detail: wire::chain(&error) })?;
        let once = aws_sdk_route53::config::Builder::new().retry_config(RetryConfig::disabled());
        let request = self.client.change_resource_record_sets().hosted_zone_id(&self.id).change_batch(batch);
        let answer = request.customize().config_override(once).send().await;
        match answer.map_err(|error| outcome::error(CHANGE, Request::Read, &error)) {
            Ok(_) => Err(DnsError::Misconfigured {
                detail: "the service has carried out a change that it had to refuse".to_owned(),
            }),
            Err(DnsError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether a change has reached all name servers.
    pub(super) async fn is_visible(&self, id: &str) -> Result<bool, DnsError> {
        let answer = self.client.get_change().id(id).send().await;
        let answer = answer.map_err(|error| outcome::error(GET_CHANGE, Request::Read, &error))?;
        Ok(answer.change_info().is_some_and(|info| *info.status() == ChangeStatus::Insync))
    }

    /// Whether every name lies in the zone, and, of two zones, whether it is the one that it should be.
    pub(super) async fn check(&self) -> Result<(), DnsError> {
        let answer = self.client.get_hosted_zone().id(&self.id).send().await;
        let answer = answer.map_err(|error| outcome::error(GET_ZONE, Request::Read, &error))?;
        let is_private =
            answer.hosted_zone().and_then(|zone| zone.config()).is_some_and(|c| c.private_zone());
        let wanted = match self.audience {
            Audience::Any => is_private,
            Audience::Everybody => false,
            Audience::Networks => true,
        };
        if is_private != wanted {
            let is = if is_private { "private" } else { "public" };
            let detail =
                format!("the hosted zone {} is {is}: zone_id and private_zone_id are mixed up", self.id);
            return Err(DnsError::Misconfigured { detail });
        }
        self.check_names(&answer)
    }

    fn check_names(&self, answer: &GetHostedZoneOutput) -> Result<(), DnsError> {
        let zone = answer.hosted_zone().map(|zone| zone.name().trim_end_matches('.').to_ascii_lowercase());
        let zone = zone.unwrap_or_default();
        let is_inside = |place: &&Place| {
            let rest = place.name.as_str().strip_suffix(zone.as_str());
            !zone.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        match self.places.records.iter().find(|place| !is_inside(place)) {
            None => Ok(()),
            Some(place) => {
                let detail = format!("{} does not lie in the hosted zone {zone:?}", place.name);
                Err(DnsError::Misconfigured { detail })
            }
        }
    }

    async fn list(&self, from: &Place, sets_max: i32) -> Result<Page, DnsError> {
        let answer = self
            .client
            .list_resource_record_sets()
            .hosted_zone_id(&self.id)
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

    /// All sets. One page is one moment; where the zone puts many names between them, the record is read again after
    /// the others, so that they are never torn by a change in between: a switch changes it with every other.
    async fn spelled(&self) -> Result<Spelling, DnsError> {
        let Places { records, fence, .. } = &self.places;
        let Some(first) = records.first() else { return Ok(Spelling::default()) };
        let page = self.list(first, PAGE_SETS_MAX).await?;
        let reach = |position| if position == 0 { Reach::First } else { Reach::Anywhere };
        let places = records.iter().enumerate().map(|(position, place)| (place, reach(position)));
        let mut is_one_moment = true;
        let mut held = Vec::with_capacity(records.len() + 1);
        for (place, reach) in places.chain([(fence, Reach::Behind)]) {
            let on_page = page.of(place, reach);
            is_one_moment &= on_page.is_some();
            held.push(match on_page {
                Some(sets) => sets,
                None => self.whole(place).await?,
            });
        }
        if !is_one_moment && self.whole(first).await? != held[0] {
            let detail = format!("{} changed while it was read", first.name);
            return Err(DnsError::Unavailable { detail });
        }
        let fence = held.pop().and_then(|sets| sets.into_iter().next());
        Ok(Spelling { records: held, fence })
    }

    /// The sets of one place, from a page that begins with them.
    async fn whole(&self, place: &Place) -> Result<Vec<ResourceRecordSet>, DnsError> {
        let page = self.list(place, PAGE_SETS_MAX).await?;
        let found: Vec<_> = page.sets.iter().filter(|set| place.is(set)).cloned().collect();
        if page.goes_on_with(place) {
            let detail = format!("{} has more than {PAGE_SETS_MAX} sets of its type", place.name);
            return Err(DnsError::Misconfigured { detail });
        }
        Ok(found)
    }
}
