//! One service's record at Google Cloud DNS.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::http::{self, Answer as Reply};
use super::outcome::{self, Request};
use super::sets::{self, Place, RrSet, Spelling};
use super::token::Tokens;
use crate::act::dns::wire::Kind;
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy, fit};
use crate::act::verify;
use crate::config::{CloudDns, Record};
use crate::types::{Clock, RecordState};

const HOST: &str = "https://dns.googleapis.com";
const CHANGE: &str = "dns.changes.create";
const LIST: &str = "dns.resourceRecordSets.list";
const GET_CHANGE: &str = "dns.changes.get";
const GET_ZONE: &str = "dns.managedZones.get";
/// Reads of a record that changes under the reader's hands.
const LOOKS_MAX: u32 = 3;

/// A service's record and its fence in a managed zone.
pub struct CloudDnsProvider {
    client: Client,
    tokens: Tokens,
    /// The managed zone's address.
    zone: String,
    record: Place,
    fence: Place,
    /// The record as configured, for its name servers.
    configured: Record,
    spelling: Mutex<Spelling>,
}

#[derive(Deserialize)]
struct Page {
    rrsets: Vec<RrSet>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    status: String,
}

#[derive(Deserialize)]
struct ManagedZone {
    #[serde(rename = "dnsName")]
    dns_name: String,
}

impl CloudDnsProvider {
    /// The provider of `record` in the given zone. Without a key file the metadata server is asked for tokens, at
    /// `metadata_host` where that is named. Nothing is asked yet.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when the fence would have no valid name, or the key file cannot be used.
    pub fn new(
        record: &Record,
        place: &CloudDns,
        metadata_host: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DnsError> {
        let fence = record.name.fence().map_err(|error| DnsError::Misconfigured {
            detail: format!("the name of the fence of {} {error}", record.name),
        })?;
        let host = place.endpoint.as_ref().map_or(HOST, |url| url.as_str()).trim_end_matches('/');
        let (project, name) = (&place.project, &place.managed_zone);
        Ok(Self {
            client: http::client(host.starts_with("http://"))?,
            tokens: Tokens::new(place.key.as_ref(), metadata_host, clock)?,
            zone: format!("{host}/dns/v1/projects/{project}/managedZones/{name}"),
            record: Place { name: record.name.clone(), kind: Kind::Record(record.kind) },
            fence: Place { name: fence, kind: Kind::Text },
            configured: record.clone(),
            spelling: Mutex::default(),
        })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        action: &'static str,
        request: RequestBuilder,
    ) -> Result<T, DnsError> {
        let token = self.tokens.token().await?;
        let reply = http::send(request.bearer_auth(token.expose()), Request::Read).await?;
        self.understood(action, Request::Read, reply).await
    }

    async fn understood<T: DeserializeOwned>(
        &self,
        action: &'static str,
        kind: Request,
        Reply { status, body }: Reply,
    ) -> Result<T, DnsError> {
        if status == 401 {
            self.tokens.forget().await;
        }
        match status {
            200..=299 => {
                serde_json::from_slice(&body).map_err(|error| outcome::unreadable(kind, &error.to_string()))
            }
            _ => Err(outcome::refused(action, kind, status, &body)),
        }
    }

    async fn set(&self, place: &Place) -> Result<Option<RrSet>, DnsError> {
        let query = [("name", place.absolute()), ("type", place.type_name().to_owned())];
        let request = self.client.get(format!("{}/rrsets", self.zone)).query(&query);
        let page: Page = self.ask(LIST, request).await?;
        // The name and the type are a key: there is one such set, or none.
        Ok(page.rrsets.into_iter().find(|set| place.is(set)))
    }

    /// Both sets at one moment: every change of this program changes the fence, and none ever repeats one, so between two
    /// equal reads of it there was none.
    async fn spelled(&self) -> Result<Spelling, DnsError> {
        for _ in 0..LOOKS_MAX {
            let before = self.set(&self.fence).await?;
            let record = self.set(&self.record).await?;
            let fence = self.set(&self.fence).await?;
            if before == fence {
                return Ok(Spelling { record, fence });
            }
        }
        let detail = format!("{} changed while it was read", self.fence.name);
        Err(DnsError::Unavailable { detail })
    }

    async fn check_zone(&self) -> Result<(), DnsError> {
        let zone: ManagedZone = self.ask(GET_ZONE, self.client.get(&self.zone)).await?;
        let name = zone.dns_name.trim_end_matches('.').to_ascii_lowercase();
        let rest = self.record.name.as_str().strip_suffix(name.as_str());
        if !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) {
            return Ok(());
        }
        let detail = format!("{} does not lie in the managed zone {name:?}", self.record.name);
        Err(DnsError::Misconfigured { detail })
    }

    /// Tries the right to change by a change that must be refused: it deletes a text that nobody has written.
    async fn try_rights(&self) -> Result<(), DnsError> {
        let never = RrSet {
            name: self.fence.absolute(),
            kind: self.fence.type_name().to_owned(),
            ttl: Some(0),
            rrdatas: vec![format!("\"trial of a right, never written: {:x}\"", std::process::id())],
            routing_policy: None,
        };
        let change = sets::Change { deletions: vec![never], additions: Vec::new() };
        let request = self.client.post(format!("{}/changes", self.zone)).json(&change);
        match self.ask::<Made>(CHANGE, request).await {
            Ok(_) => Err(DnsError::Misconfigured {
                detail: "the service has carried out a change that it had to refuse".to_owned(),
            }),
            Err(DnsError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Dns for CloudDnsProvider {
    async fn read(&self) -> Result<RecordState, DnsError> {
        let spelling = self.spelled().await?;
        let state = sets::normal(&self.record, &self.fence, &spelling)?;
        *self.spelling.lock().unwrap_or_else(PoisonError::into_inner) = spelling;
        Ok(state)
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        fit::refuse_unfit((&self.record.name, self.configured.kind), &self.fence.name, change)?;
        let spelling = self.spelling.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let body = sets::change(&self.record, &self.fence, change, &spelling)?;
        let token = self.tokens.token().await?;
        let request = self.client.post(format!("{}/changes", self.zone)).json(&body);
        // As late as it can be: the token may have been long in coming.
        send.check()?;
        let reply = http::send(request.bearer_auth(token.expose()), Request::Change).await?;
        let made: Made = self.understood(CHANGE, Request::Change, reply).await?;
        Ok(Receipt { id: made.id })
    }

    async fn is_visible(&self, receipt: &Receipt) -> Result<bool, DnsError> {
        let request = self.client.get(format!("{}/changes/{}", self.zone, receipt.id));
        let made: Made = self.ask(GET_CHANGE, request).await?;
        Ok(made.status == "done")
    }

    async fn check(&self) -> Vec<DnsError> {
        let zone = self.check_zone().await;
        let list = self.read().await.map(|_| ());
        let change = match &zone {
            // Without its zone nothing is tried.
            Err(_) => Ok(()),
            Ok(()) => self.try_rights().await,
        };
        [zone, list, change].into_iter().filter_map(Result::err).collect()
    }

    async fn answers(&self) -> Vec<Answer> {
        verify::answers(&self.configured).await
    }
}
