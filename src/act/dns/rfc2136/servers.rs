//! The zone's name servers, and whether they have a change.

use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType as WireType};
use hickory_resolver::TokioResolver;
use tokio::time::timeout;

use super::held::{self, Place};
use super::outcome;
use crate::act::dns::DnsError;
use crate::act::dns::ask::{self, AskError};
use crate::act::verify::{ANSWER_TIMEOUT, DNS_PORT, SERVERS_MAX};
use crate::types::RecordState;

/// A name server: its addresses. One that answers speaks for all, as a network without IPv6 reaches half of them.
pub(super) type NameServer = Vec<SocketAddr>;

/// Checks that the server has authority for the zone.
pub(super) fn check_zone(zone: &Name, answer: &Message) -> Result<(), DnsError> {
    let code = answer.metadata.response_code;
    if code != ResponseCode::NoError {
        return Err(outcome::unread(code));
    }
    let is_apex = answer.answers.iter().any(|r| r.record_type() == WireType::SOA && r.name == *zone);
    if answer.metadata.authoritative && is_apex {
        return Ok(());
    }
    Err(DnsError::Misconfigured { detail: format!("the server has no zone {zone}") })
}

/// The hosts that a zone's NS set names.
pub(super) fn hosts(zone: &Name, answer: &Message) -> Vec<Name> {
    let host = |data: &RData| if let RData::NS(host) = data { Some(host.0.clone()) } else { None };
    let here = answer.answers.iter().filter(|record| record.name == *zone);
    here.filter_map(|record| host(&record.data)).take(SERVERS_MAX).collect()
}

/// The addresses in an answer.
pub(super) fn addresses(answer: &Message) -> NameServer {
    let address = |data: &RData| data.ip_addr().map(|address| SocketAddr::new(address, DNS_PORT));
    answer.answers.iter().filter_map(|record| address(&record.data)).collect()
}

/// The addresses of a host of another zone, by the system's resolver; none where it finds none.
pub(super) async fn resolved(host: &Name) -> NameServer {
    let Some(resolver) = TokioResolver::builder_tokio().ok().and_then(|builder| builder.build().ok()) else {
        return Vec::new();
    };
    let found = resolver.lookup_ip(host.clone()).await;
    let found: Vec<IpAddr> = found.map(|found| found.iter().collect()).unwrap_or_default();
    found.into_iter().map(|address| SocketAddr::new(address, DNS_PORT)).collect()
}

/// Whether a name server answers this state: one of its addresses does, and none anything else.
pub(super) async fn answers(server: &NameServer, [record, fence]: [&Place; 2], state: &RecordState) -> bool {
    let said = futures_util::future::join_all(server.iter().map(|address| async {
        let said = async { Ok((said(*address, record).await?, said(*address, fence).await?)) };
        timeout(ANSWER_TIMEOUT, said).await.unwrap_or(Err(())).ok()
    }));
    let said: Vec<_> = said.await.into_iter().flatten().collect();
    !said.is_empty() && said.iter().all(|(record, fence)| *record == state.record && *fence == state.fence)
}

async fn said(server: SocketAddr, place: &Place) -> Result<Option<crate::types::ResourceSet>, ()> {
    let question = ask::question(&place.name, place.kind).map_err(drop)?;
    let answer = ask::ask(server, &question).await.map_err(drop)?;
    held::set(place, &answer).map(|set| set.map(|set| set.normal)).map_err(drop)
}

/// The error of a question that cannot be written.
pub(super) fn unasked(error: AskError) -> DnsError {
    let detail = match error {
        AskError::Io(error) => error.to_string(),
        AskError::Message(detail) => detail,
    };
    DnsError::Misconfigured { detail }
}
