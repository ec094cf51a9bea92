//! Asks name servers directly what they answer: one question, one server, no cache and no recursion.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::RData;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use tokio::time::timeout;

use crate::act::dns::Answer;
use crate::act::dns::ask::{self, AskError};
use crate::act::dns::wire::{self, Kind};
use crate::config::Record;
use crate::types::{RecordName, RecordType, ResourceSet};

/// The port of name servers that are found by name.
pub(super) const DNS_PORT: u16 = 53;
/// Deadline of one question.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Deadline of finding a zone's name servers.
pub(super) const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(3);
/// Name servers of one zone that are asked at most.
pub(super) const SERVERS_MAX: usize = 16;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The server does not answer in time.
    #[error("{server} does not answer in time")]
    Timeout {
        /// The server.
        server: SocketAddr,
    },
    /// The server cannot be reached.
    #[error("{server} cannot be reached")]
    Unreachable {
        /// The server.
        server: SocketAddr,
        /// The socket's error.
        source: std::io::Error,
    },
    /// The server answers with an error.
    #[error("{server} answers {code}")]
    Answer {
        /// The server.
        server: SocketAddr,
        /// The response code in words.
        code: String,
    },
    /// The server does not speak for the zone.
    #[error("{server} is not authoritative for the name")]
    NotAuthoritative {
        /// The server.
        server: SocketAddr,
    },
    /// The name has no set of that type.
    #[error("{server} holds no such record")]
    NoRecord {
        /// The server.
        server: SocketAddr,
    },
    /// The question cannot be put into DNS, or the answer cannot be read.
    #[error("{server} and this program do not understand each other: {detail}")]
    Message {
        /// The server.
        server: SocketAddr,
        /// What is wrong.
        detail: String,
    },
    /// The zone's name servers cannot be found.
    #[error("the name servers of {name} cannot be found")]
    Discovery {
        /// The record's name.
        name: RecordName,
        /// The resolver's error; none when it finds nothing, or not in time.
        #[source]
        source: Option<NetError>,
    },
}

/// The name servers to verify a record at: the configured ones, else those of its zone by the system's resolver.
///
/// # Errors
/// The resolver finds none within `deadline`.
pub async fn name_servers(record: &Record, deadline: Duration) -> Result<Vec<SocketAddr>, VerifyError> {
    if !record.name_servers.is_empty() {
        return Ok(record.name_servers.clone());
    }
    let name = || record.name.clone();
    match timeout(deadline, discover(&record.name)).await {
        Ok(Ok(found)) if !found.is_empty() => Ok(found),
        Ok(Ok(_)) | Err(_) => Err(VerifyError::Discovery { name: name(), source: None }),
        Ok(Err(error)) => Err(VerifyError::Discovery { name: name(), source: Some(error) }),
    }
}

async fn discover(name: &RecordName) -> Result<Vec<SocketAddr>, NetError> {
    let resolver = TokioResolver::builder_tokio()?.build()?;
    let mut last = None;
    // The zone begins at the name or at one of its parents, but not at the top level domain.
    let mut zone = name.as_str();
    while zone.contains('.') {
        match resolver.ns_lookup(format!("{zone}.")).await {
            Ok(found) => {
                let servers: Vec<String> =
                    found.answers().iter().filter_map(|r| server_name(&r.data)).collect();
                if !servers.is_empty() {
                    return addresses(&resolver, &servers).await;
                }
            }
            Err(error) => last = Some(error),
        }
        zone = zone.split_once('.').map_or("", |(_, parent)| parent);
    }
    last.map_or_else(|| Ok(Vec::new()), Err)
}

fn server_name(data: &RData) -> Option<String> {
    if let RData::NS(server) = data { Some(server.0.to_ascii()) } else { None }
}

async fn addresses(resolver: &TokioResolver, servers: &[String]) -> Result<Vec<SocketAddr>, NetError> {
    let mut found = BTreeSet::new();
    let mut last = None;
    for server in servers {
        match resolver.lookup_ip(server.as_str()).await {
            Ok(addresses) => found.extend(addresses.iter().map(|address| SocketAddr::new(address, DNS_PORT))),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) if found.is_empty() => Err(error),
        Some(_) | None => Ok(found.into_iter().take(SERVERS_MAX).collect()),
    }
}

/// What each name server of a record's zone answers; empty when none can be found.
pub async fn answers(record: &Record) -> Vec<Answer> {
    let servers = name_servers(record, DISCOVERY_TIMEOUT).await.unwrap_or_default();
    let each = servers.into_iter().map(|server| async move {
        let said = answer(server, &record.name, record.kind, ANSWER_TIMEOUT).await;
        Answer { server: server.to_string(), result: said.map_err(|error| error.to_string()) }
    });
    join_all(each).await
}

/// Asks one server for a record: by UDP, and by TCP when the answer does not fit.
///
/// # Errors
/// There is no answer in time, or it is an error, not authoritative, or without the record.
pub async fn answer(
    server: SocketAddr,
    name: &RecordName,
    kind: RecordType,
    deadline: Duration,
) -> Result<ResourceSet, VerifyError> {
    let told = |error| match error {
        AskError::Io(source) => VerifyError::Unreachable { server, source },
        AskError::Message(detail) => VerifyError::Message { server, detail },
    };
    let question = ask::question(name, Kind::Record(kind)).map_err(told)?;
    let work = async {
        let reply = ask::ask(server, &question).await.map_err(told)?;
        understood(server, Kind::Record(kind), &reply)
    };
    timeout(deadline, work).await.unwrap_or(Err(VerifyError::Timeout { server }))
}

fn understood(server: SocketAddr, kind: Kind, reply: &Message) -> Result<ResourceSet, VerifyError> {
    let code = reply.metadata.response_code;
    if code == ResponseCode::NXDomain && reply.metadata.authoritative {
        return Err(VerifyError::NoRecord { server });
    }
    if code != ResponseCode::NoError {
        return Err(VerifyError::Answer { server, code: code.to_string() });
    }
    if !reply.metadata.authoritative {
        return Err(VerifyError::NotAuthoritative { server });
    }
    let asked = reply.queries.first().map(Query::name);
    let ours = |record: &&hickory_proto::rr::Record| {
        record.record_type() == kind.wire() && asked.is_none_or(|name| record.name == *name)
    };
    let records: Vec<_> = reply.answers.iter().filter(ours).collect();
    let ttl = records.iter().map(|record| record.ttl).min();
    match ttl {
        Some(ttl_seconds) => {
            let values = records.iter().filter_map(|record| wire::value_of(&record.data)).collect();
            Ok(ResourceSet { ttl_seconds, values })
        }
        None => Err(VerifyError::NoRecord { server }),
    }
}
