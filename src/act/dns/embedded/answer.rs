//! From a query to its answer, over a table that does not change. Pure.

use std::collections::BTreeMap;

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{DNSClass, LowerName, Name, RData, Record, RecordType as WireType};

use crate::act::dns::wire::{self, Kind, WireError};
use crate::config::EmbeddedDns as Settings;
use crate::types::{RecordName, RecordState, RecordType, ResourceSet};

/// UDP answers stay below any path's MTU (DNS flag day 2020).
const UDP_ANSWER_BYTES_MAX: u16 = 1232;
/// What a UDP client without EDNS accepts (RFC 1035, section 4.2.1).
const UDP_PLAIN_BYTES_MAX: u16 = 512;
/// The zone's own sets change with the configuration only.
const APEX_TTL_SECONDS: u32 = 300;
/// A resolver forgets "no such name" after so long; short, because adoption makes names appear.
const NEGATIVE_TTL_SECONDS: u32 = 5;
/// For secondaries, of which there are none.
const REFRESH_SECONDS: i32 = 300;
/// As above.
const RETRY_SECONDS: i32 = 60;
/// As above.
const EXPIRE_SECONDS: i32 = 86_400;
const HEADER_BYTES: usize = 12;

/// How a query came in, which limits the answer's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// In one datagram.
    Udp,
    /// In a stream.
    Tcp,
}

/// One configured record, and what the store holds of it; `None` is a row that cannot be read.
pub(super) struct Held<'a> {
    pub(super) name: &'a RecordName,
    pub(super) kind: RecordType,
    pub(super) state: Option<RecordState>,
}

/// What is known of a name.
#[derive(Default)]
struct Entry {
    records: Vec<Record>,
    /// The name holds something else that is not known here: SERVFAIL, which resolvers do not keep for long.
    is_partial: bool,
}

/// The table of answers.
pub(super) struct Answers {
    serial: u64,
    origin: LowerName,
    soa: Option<Record>,
    names: BTreeMap<LowerName, Entry>,
}

impl Answers {
    /// Builds the table. What cannot be expressed in DNS makes its name partial; nothing is guessed.
    pub(super) fn new(settings: &Settings, serial: u64, held: Vec<Held<'_>>) -> Self {
        let origin = wire::name(&settings.zone).unwrap_or_else(|_| Name::root());
        let mut table = Self { serial, origin: LowerName::new(&origin), soa: None, names: BTreeMap::new() };
        for server in &settings.name_servers {
            // The addresses of name servers inside the zone are the parent's glue; they are not known here.
            table.put(server, Err(WireError::Empty));
        }
        let apex = apex(settings, serial, &origin);
        table.soa = apex.as_ref().ok().and_then(|records| records.first().cloned());
        table.put(&settings.zone, apex);
        for entry in held {
            let Ok(fence) = entry.name.fence() else { continue };
            let (record, text) = entry.state.map_or((None, None), |state| (state.record, state.fence));
            let is_adopted = record.is_some();
            let set = |name: &RecordName, kind, set: Option<ResourceSet>| {
                set.ok_or(WireError::Empty).and_then(|set| wire::records(name, kind, &set))
            };
            table.put(entry.name, set(entry.name, Kind::Record(entry.kind), record));
            if text.is_some() || !is_adopted {
                table.put(&fence, set(&fence, Kind::Text, text));
            }
        }
        table
    }

    /// The serial number of the change that this table shows.
    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    fn put(&mut self, name: &RecordName, records: Result<Vec<Record>, WireError>) {
        let Ok(key) = wire::name(name).map(LowerName::from) else { return };
        if self.origin.zone_of(&key) {
            let entry = self.names.entry(key).or_default();
            match records {
                Ok(records) => entry.records.extend(records),
                Err(_) => entry.is_partial = true,
            }
        }
    }

    /// Answers one message; `None` where no answer is due.
    pub(super) fn answer(&self, request: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let header = request.get(..HEADER_BYTES)?;
        if header[2] & 0x80 != 0 {
            // An answer to an answer is how loops begin.
            return None;
        }
        let id = u16::from_be_bytes([header[0], header[1]]);
        let Ok(request) = Message::from_vec(request) else {
            let op_code = OpCode::from_u8((header[2] >> 3) & 0x0f);
            return Message::error_msg(id, op_code, ResponseCode::FormErr).to_vec().ok();
        };
        let mut response = Message::new(id, MessageType::Response, request.metadata.op_code);
        response.metadata = Metadata::response_from_request(&request.metadata);
        response.metadata.recursion_available = false;
        response.add_queries(request.queries.iter().take(1).cloned());
        let code = self.fill(&request, &mut response);
        response.metadata.response_code = code;
        if request.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_ANSWER_BYTES_MAX).set_version(0).set_rcode_high(code.high());
            response.set_edns(edns);
        }
        let limit = match transport {
            Transport::Udp => request.max_payload().clamp(UDP_PLAIN_BYTES_MAX, UDP_ANSWER_BYTES_MAX),
            Transport::Tcp => u16::MAX,
        };
        let bytes = response.to_vec().ok()?;
        if bytes.len() <= usize::from(limit) { Some(bytes) } else { response.truncate().to_vec().ok() }
    }

    fn fill(&self, request: &Message, response: &mut Message) -> ResponseCode {
        if request.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
            return ResponseCode::BADVERS;
        }
        if request.metadata.op_code != OpCode::Query {
            return ResponseCode::NotImp;
        }
        let [query] = request.queries.as_slice() else {
            return ResponseCode::FormErr;
        };
        let refused = [WireType::ANY, WireType::AXFR, WireType::IXFR];
        let key = LowerName::new(query.name());
        if query.query_class() != DNSClass::IN
            || refused.contains(&query.query_type())
            || !self.origin.zone_of(&key)
        {
            return ResponseCode::Refused;
        }
        let Some(soa) = &self.soa else { return ResponseCode::ServFail };
        let entry = self.names.get(&key);
        // A name above an existing one exists too, without records (RFC 8020).
        let exists = entry.is_some() || self.names.keys().any(|name| key.zone_of(name));
        if let Some(entry) = entry {
            response.add_answers(at_name(&entry.records, query));
            if entry.is_partial && response.answers.is_empty() {
                return ResponseCode::ServFail;
            }
        }
        response.metadata.authoritative = true;
        if response.answers.is_empty() {
            response.add_authority(soa.clone());
        }
        if exists { ResponseCode::NoError } else { ResponseCode::NXDomain }
    }
}

/// The records of the asked type, and an alias whatever the type. The owner is spelled as it was asked.
fn at_name<'a>(records: &'a [Record], query: &'a Query) -> impl Iterator<Item = Record> + 'a {
    let fits = |kind: WireType| kind == query.query_type() || kind == WireType::CNAME;
    records.iter().filter(move |record| fits(record.record_type())).map(|record| {
        let mut record = record.clone();
        record.name = query.name().clone();
        record
    })
}

/// SOA first, then NS.
fn apex(settings: &Settings, serial: u64, origin: &Name) -> Result<Vec<Record>, WireError> {
    let servers: Vec<Name> = settings.name_servers.iter().map(wire::name).collect::<Result<_, _>>()?;
    let first = servers.first().ok_or(WireError::Empty)?;
    let mailbox = Name::from_ascii("hostmaster")
        .and_then(|label| label.append_domain(origin))
        .map_err(|_| WireError::Name(settings.zone.to_string()))?;
    let soa = SOA::new(
        first.clone(),
        mailbox,
        // Serial numbers wrap by design (RFC 1982).
        u32::try_from(serial & u64::from(u32::MAX)).unwrap_or_default(),
        REFRESH_SECONDS,
        RETRY_SECONDS,
        EXPIRE_SECONDS,
        NEGATIVE_TTL_SECONDS,
    );
    // The TTL of a negative answer is the smaller of the SOA's TTL and its last field (RFC 2308).
    let mut records = vec![Record::from_rdata(origin.clone(), APEX_TTL_SECONDS, RData::SOA(soa))];
    records.extend(
        servers
            .into_iter()
            .map(|server| Record::from_rdata(origin.clone(), APEX_TTL_SECONDS, RData::NS(NS(server)))),
    );
    Ok(records)
}
