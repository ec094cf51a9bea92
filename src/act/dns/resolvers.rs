//! The record as clients find it: what recursive resolvers answer, and which addresses the name leads to.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::RData;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::ask::{AskError, ask, question};
use super::wire::{Kind, value_of};
use super::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy};
use crate::config::Record;
use crate::types::{RecordState, RecordType, ResourceSet};

/// Deadline of one question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Addresses behind one name that are tried at most.
const ADDRESSES_MAX: usize = 4;

/// What resolvers make of a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// What each configured resolver answers for the record.
    pub answers: Vec<Answer>,
    /// The addresses that the name leads to.
    pub addresses: Vec<IpAddr>,
}

/// A provider, and the resolvers that clients ask.
pub(super) struct Seen {
    pub(super) provider: Arc<dyn Dns>,
    pub(super) record: Record,
}

#[async_trait]
impl Dns for Seen {
    async fn read(&self) -> Result<RecordState, DnsError> {
        self.provider.read().await
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        self.provider.change(change, send).await
    }

    async fn is_visible(&self, receipt: &Receipt) -> Result<bool, DnsError> {
        self.provider.is_visible(receipt).await
    }

    async fn check(&self) -> Vec<DnsError> {
        self.provider.check().await
    }

    async fn answers(&self) -> Vec<Answer> {
        self.provider.answers().await
    }

    async fn resolved(&self) -> Resolved {
        let asked = join_all(self.record.resolvers.iter().map(|server| resolve(*server, &self.record))).await;
        let mut resolved = Resolved::default();
        let mut addresses = BTreeSet::new();
        for (answer, found) in asked {
            resolved.answers.push(answer);
            addresses.extend(found);
        }
        if self.record.resolvers.is_empty() {
            addresses.extend(by_the_system(&self.record).await);
        }
        resolved.addresses = addresses.into_iter().take(ADDRESSES_MAX).collect();
        resolved
    }
}

async fn by_the_system(record: &Record) -> Vec<IpAddr> {
    let name = format!("{}.", record.name);
    match timeout(ANSWER_TIMEOUT, lookup_host((name.as_str(), 0))).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// Asks one resolver where the name leads: the record's own values, and the addresses at the end of the way.
async fn resolve(server: SocketAddr, record: &Record) -> (Answer, Vec<IpAddr>) {
    let named = |result, addresses| (Answer { server: server.to_string(), result }, addresses);
    let kind = if record.kind == RecordType::Aaaa { RecordType::Aaaa } else { RecordType::A };
    let told = |error| match error {
        AskError::Io(error) => error.to_string(),
        AskError::Message(detail) => detail,
    };
    let mut message = match question(&record.name, Kind::Record(kind)) {
        Ok(message) => message,
        Err(error) => return named(Err(told(error)), Vec::new()),
    };
    message.metadata.recursion_desired = true;
    match timeout(ANSWER_TIMEOUT, ask(server, &message)).await {
        Err(_) => named(Err("it does not answer in time".to_owned()), Vec::new()),
        Ok(Err(error)) => named(Err(told(error)), Vec::new()),
        Ok(Ok(reply)) => {
            let (result, addresses) = read(record.kind, &reply);
            named(result, addresses)
        }
    }
}

/// The record's own values in a reply, and all addresses in it.
fn read(kind: RecordType, reply: &Message) -> (Result<ResourceSet, String>, Vec<IpAddr>) {
    if reply.metadata.response_code != ResponseCode::NoError {
        return (Err(format!("it answers {}", reply.metadata.response_code)), Vec::new());
    }
    let asked = reply.queries.first().map(Query::name);
    let own = reply.answers.iter().filter(|record| {
        record.record_type() == Kind::Record(kind).wire() && asked.is_none_or(|name| record.name == *name)
    });
    let (mut values, mut ttl_seconds) = (BTreeSet::new(), None);
    for record in own {
        values.extend(value_of(&record.data));
        ttl_seconds = Some(ttl_seconds.map_or(record.ttl, |ttl: u32| ttl.min(record.ttl)));
    }
    let addresses = reply.answers.iter().filter_map(|record| address_of(&record.data)).collect();
    match ttl_seconds {
        Some(ttl_seconds) => (Ok(ResourceSet { ttl_seconds, values }), addresses),
        None => (Err("it knows no such record".to_owned()), addresses),
    }
}

fn address_of(data: &RData) -> Option<IpAddr> {
    if let RData::A(address) = data {
        Some(IpAddr::V4(address.0))
    } else if let RData::AAAA(address) = data {
        Some(IpAddr::V6(address.0))
    } else {
        None
    }
}
