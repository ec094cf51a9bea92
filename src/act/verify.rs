//! Asks name servers directly what they answer: one question, one server, no cache and no recursion.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::ProtoError;
use hickory_proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, RData};
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::act::dns::Answer;
use crate::act::dns::wire::{self, Kind};
use crate::config::Record;
use crate::types::{RecordName, RecordType, ResourceSet};

/// The port of name servers that are found by name.
const DNS_PORT: u16 = 53;
/// A lost datagram is asked for again after so long.
const RESEND_INTERVAL: Duration = Duration::from_millis(700);
/// What this side accepts in one datagram (DNS flag day 2020).
const UDP_ANSWER_BYTES_MAX: u16 = 1232;
/// Deadline of one question while waiting for agreement.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Deadline of finding a zone's name servers.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(3);
/// Name servers of one zone that are asked at most.
const SERVERS_MAX: usize = 16;

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
    /// The question or the answer cannot be put into, or read from, DNS.
    #[error("the message cannot be encoded or decoded")]
    Message {
        /// The library's error.
        #[source]
        source: ProtoError,
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

/// What one server said while agreement was waited for.
#[derive(Debug)]
pub struct ServerVerification {
    /// The server.
    pub server: SocketAddr,
    /// How long it took until it answered as wanted; `None` when it never did.
    pub agreed_after: Option<Duration>,
    /// Its last answer.
    pub last_answer: Option<ResourceSet>,
    /// Its last error, when the last question had no answer.
    pub last_error: Option<VerifyError>,
}

/// What all servers said.
#[derive(Debug)]
pub struct Verification {
    /// One entry for each server, in the order of the question.
    pub servers: Vec<ServerVerification>,
}

impl Verification {
    /// Whether every server agreed, and there was one.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        !self.servers.is_empty() && self.servers.iter().all(|server| server.agreed_after.is_some())
    }
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
    let question = question(name, kind)?;
    let work = async {
        let reply = by_udp(server, &question).await?;
        let reply = if reply.metadata.truncation { by_tcp(server, &question).await? } else { reply };
        understood(server, Kind::Record(kind), &reply)
    };
    timeout(deadline, work).await.unwrap_or(Err(VerifyError::Timeout { server }))
}

/// Asks all servers again and again until each one holds exactly the wanted values, or the limit has passed.
pub async fn wait_until(
    servers: &[SocketAddr],
    name: &RecordName,
    kind: RecordType,
    wanted: &BTreeSet<String>,
    pace: Pace,
) -> Verification {
    let begin = Instant::now();
    let each = servers.iter().map(|server| async move {
        let mut seen =
            ServerVerification { server: *server, agreed_after: None, last_answer: None, last_error: None };
        while seen.agreed_after.is_none() && begin.elapsed() < pace.limit {
            let next = Instant::now() + pace.poll;
            let left = pace.limit.saturating_sub(begin.elapsed());
            match answer(*server, name, kind, left.min(ANSWER_TIMEOUT)).await {
                Ok(set) => {
                    seen.agreed_after = (set.values == *wanted).then(|| begin.elapsed());
                    (seen.last_answer, seen.last_error) = (Some(set), None);
                }
                Err(error) => seen.last_error = Some(error),
            }
            if seen.agreed_after.is_none() {
                sleep_until(next.min(begin + pace.limit)).await;
            }
        }
        seen
    });
    Verification { servers: join_all(each).await }
}

/// How often, and for how long, servers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Time from one question to the next at the same server.
    pub poll: Duration,
    /// Time after which the wait ends without agreement.
    pub limit: Duration,
}

fn question(name: &RecordName, kind: RecordType) -> Result<Message, VerifyError> {
    let name = wire::name(name).map_err(|error| VerifyError::Message { source: error.to_string().into() })?;
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Query;
    message.metadata.recursion_desired = false;
    let mut query = Query::query(name, Kind::Record(kind).wire());
    query.set_query_class(DNSClass::IN);
    message.add_query(query);
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_ANSWER_BYTES_MAX).set_version(0);
    message.set_edns(edns);
    Ok(message)
}

fn encoded(message: &Message) -> Result<Vec<u8>, VerifyError> {
    message.to_vec().map_err(|source| VerifyError::Message { source })
}

async fn by_udp(server: SocketAddr, question: &Message) -> Result<Message, VerifyError> {
    let unreachable = |source| VerifyError::Unreachable { server, source };
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    // A fresh socket has a fresh port, and a connected one takes datagrams from this server only.
    let socket = UdpSocket::bind((any, 0)).await.map_err(unreachable)?;
    socket.connect(server).await.map_err(unreachable)?;
    let bytes = encoded(question)?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        socket.send(&bytes).await.map_err(unreachable)?;
        let resend = Instant::now() + RESEND_INTERVAL;
        while let Ok(received) = timeout_at(resend, socket.recv(&mut buffer)).await {
            let length = received.map_err(unreachable)?;
            // A datagram that is no answer to this question is none at all.
            match Message::from_vec(&buffer[..length]) {
                Ok(reply) if is_reply(question, &reply) => return Ok(reply),
                Ok(_) | Err(_) => {}
            }
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &Message) -> Result<Message, VerifyError> {
    let unreachable = |source| VerifyError::Unreachable { server, source };
    let bytes = encoded(question)?;
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut stream = TcpStream::connect(server).await.map_err(unreachable)?;
    stream.write_all(&[&length.to_be_bytes(), bytes.as_slice()].concat()).await.map_err(unreachable)?;
    let length = stream.read_u16().await.map_err(unreachable)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(unreachable)?;
    let reply =
        Message::from_vec(&buffer).map_err(|source| VerifyError::Message { source: source.into() })?;
    if is_reply(question, &reply) {
        return Ok(reply);
    }
    Err(VerifyError::Answer { server, code: "another question".to_owned() })
}

fn is_reply(question: &Message, reply: &Message) -> bool {
    use hickory_proto::op::MessageType;
    reply.metadata.id == question.metadata.id
        && reply.metadata.message_type == MessageType::Response
        && (reply.queries == question.queries || reply.queries.is_empty())
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
