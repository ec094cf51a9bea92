//! What the zone holds under each name, as records to be given out. It does not change; a change of the zone makes a new
//! one. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hickory_proto::rr::rdata::{A, AAAA, NS, SOA};
use hickory_proto::rr::{LowerName, Name, RData, Record, RecordType as WireType};

use crate::act::dns::wire::{self, Kind, WireError};
use crate::config::{EmbeddedDns as Settings, NameServer};
use crate::types::{RecordName, RecordState, RecordType, ResourceSet};

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

/// What there is to say to a question.
pub(super) enum Found<'a> {
    /// The name does not lie in the zone.
    Elsewhere,
    /// The zone cannot say.
    Broken,
    /// These records, at least one.
    Records(Vec<&'a Record>),
    /// The name exists, and holds nothing of that type.
    Nothing,
    /// There is no such name.
    NoName,
}

/// The table of all names.
pub(super) struct Table {
    serial: u64,
    origin: LowerName,
    /// The SOA as negative answers carry it.
    negative: Option<Record>,
    names: BTreeMap<LowerName, Entry>,
    /// The names above those, up to the zone: they exist too, without records (RFC 8020).
    above: BTreeSet<LowerName>,
}

impl Table {
    /// Builds the table. What cannot be expressed in DNS makes its name partial; nothing is guessed.
    pub(super) fn new(settings: &Settings, serial: u64, held: Vec<Held<'_>>) -> Self {
        let origin = wire::name(&settings.zone).unwrap_or_else(|_| Name::root());
        let mut table = Self {
            serial,
            origin: LowerName::new(&origin),
            negative: None,
            names: BTreeMap::new(),
            above: BTreeSet::new(),
        };
        for server in &settings.name_servers {
            table.put(&server.name, addresses(server));
        }
        let apex = apex(settings, serial, &origin);
        table.negative = apex.as_ref().ok().and_then(|records| records.first()).map(|soa| {
            // Some resolvers take the record's own TTL, so it says what the last field of the SOA says (RFC 2308).
            let mut soa = soa.clone();
            soa.ttl = NEGATIVE_TTL_SECONDS;
            soa
        });
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
        if !self.origin.zone_of(&key) {
            return;
        }
        let mut parent = key.base_name();
        while self.origin.zone_of(&parent) && !parent.is_root() {
            let above = parent.base_name();
            self.above.insert(std::mem::replace(&mut parent, above));
        }
        let entry = self.names.entry(key).or_default();
        match records {
            Ok(records) => entry.records.extend(records),
            Err(_) => entry.is_partial = true,
        }
    }

    /// What there is to say to a question.
    pub(super) fn find(&self, name: &LowerName, kind: WireType) -> Found<'_> {
        if !self.origin.zone_of(name) {
            return Found::Elsewhere;
        }
        if self.negative.is_none() {
            return Found::Broken;
        }
        let Some(entry) = self.names.get(name) else {
            return if self.above.contains(name) { Found::Nothing } else { Found::NoName };
        };
        // Of all sets of a name, one is answer enough to whoever asks for any (RFC 8482).
        let any = entry.records.first().map(Record::record_type).filter(|_| kind == WireType::ANY);
        let wanted = any.unwrap_or(kind);
        let fits = |record: &&Record| {
            let found = record.record_type();
            found == wanted || found == WireType::CNAME
        };
        let records: Vec<&Record> = entry.records.iter().filter(fits).collect();
        match records.is_empty() {
            false => Found::Records(records),
            true if entry.is_partial => Found::Broken,
            true => Found::Nothing,
        }
    }

    /// The SOA as negative answers carry it.
    pub(super) fn negative(&self) -> Option<&Record> {
        self.negative.as_ref()
    }

    /// The addresses of the zone's own name servers that these records name.
    pub(super) fn glue<'a>(&'a self, records: &'a [&'a Record]) -> impl Iterator<Item = &'a Record> {
        records.iter().flat_map(|record| {
            let RData::NS(server) = &record.data else { return [].iter() };
            let entry = self.names.get(&LowerName::new(&server.0));
            entry.map_or([].iter(), |entry| entry.records.iter())
        })
    }
}

/// The addresses of a name server in the zone. Where they are not configured they are the parent's glue, and not known
/// here.
fn addresses(server: &NameServer) -> Result<Vec<Record>, WireError> {
    if server.addresses.is_empty() {
        return Err(WireError::Empty);
    }
    let owner = wire::name(&server.name)?;
    let record = |address: &IpAddr| {
        let data = match address {
            IpAddr::V4(address) => RData::A(A(*address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(*address)),
        };
        Record::from_rdata(owner.clone(), APEX_TTL_SECONDS, data)
    };
    Ok(server.addresses.iter().map(record).collect())
}

/// SOA first, then NS.
fn apex(settings: &Settings, serial: u64, origin: &Name) -> Result<Vec<Record>, WireError> {
    let servers = settings.name_servers.iter().map(|server| wire::name(&server.name));
    let servers: Vec<Name> = servers.collect::<Result<_, _>>()?;
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
    let mut records = vec![Record::from_rdata(origin.clone(), APEX_TTL_SECONDS, RData::SOA(soa))];
    records.extend(
        servers
            .into_iter()
            .map(|server| Record::from_rdata(origin.clone(), APEX_TTL_SECONDS, RData::NS(NS(server)))),
    );
    Ok(records)
}
