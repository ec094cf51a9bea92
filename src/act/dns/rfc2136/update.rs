//! The UPDATE messages: what must stand in the zone, and what replaces it. Pure.

use hickory_proto::op::{Message, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, Record, RecordType as WireType};

use super::held::{Place, Set};
use crate::act::dns::wire::{self, Kind, WireError};
use crate::types::{RecordType, ResourceSet};

/// One set in a change: where it is, what it is, and what it shall be.
pub(super) struct Step<'a> {
    pub(super) place: &'a Place,
    pub(super) held: Option<&'a Set>,
    pub(super) wanted: Option<&'a ResourceSet>,
}

/// The message that replaces all that is held by all that is wanted, or nothing. A set that stays the same is named in
/// the prerequisites all the same.
pub(super) fn change(zone: &Name, steps: &[Step<'_>]) -> Result<Message, WireError> {
    let mut message = empty(zone);
    for step in steps {
        prerequisites(step.place, step.held, &mut message);
        let Some(wanted) = step.wanted.filter(|wanted| step.held.is_none_or(|set| set.normal != **wanted))
        else {
            continue;
        };
        for record in step.held.iter().flat_map(|set| &set.records) {
            message.add_authority(deletion(record.clone()));
        }
        message.add_authorities(wire::records(&step.place.name, step.place.kind, wanted)?);
    }
    Ok(message)
}

/// A message that needs the right to change the set of `place`, and changes nothing: it deletes a value that the set
/// does not hold, on condition that it holds what it does.
pub(super) fn trial(zone: &Name, place: &Place, held: Option<&Set>) -> Result<Message, WireError> {
    let values = match place.kind {
        Kind::Record(RecordType::Cname) => ["trial.invalid", "another.trial.invalid"],
        Kind::Record(RecordType::A) => ["192.0.2.1", "192.0.2.2"],
        Kind::Record(RecordType::Aaaa) => ["2001:db8::1", "2001:db8::2"],
        Kind::Text => ["trial", "another trial"],
    };
    let is_held = |value: &str| held.is_some_and(|set| set.normal.values.contains(value));
    let mut message = empty(zone);
    prerequisites(place, held, &mut message);
    // A set that holds both is not tried: nothing is deleted that may be there.
    if let Some(value) = values.into_iter().find(|value| !is_held(value)) {
        let absent = wire::records(&place.name, place.kind, &ResourceSet::single(0, value))?;
        message.add_authorities(absent.into_iter().map(deletion));
    }
    Ok(message)
}

/// The message that asks for the zone's own set of a type.
pub(super) fn question(zone: &Name, kind: WireType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(zone.clone(), kind));
    message
}

fn empty(zone: &Name) -> Message {
    let mut message = question(zone, WireType::SOA);
    message.metadata.op_code = OpCode::Update;
    message
}

/// What must hold in the zone before anything is changed. The TTL is not among what a prerequisite can say.
fn prerequisites(place: &Place, held: Option<&Set>, message: &mut Message) {
    if let Some(set) = held {
        // Section 2.4.2 of the RFC: the whole set, value by value.
        message.add_answers(set.records.iter().cloned().map(|mut record| {
            record.ttl = 0;
            record
        }));
        return;
    }
    // An alias stands alone, and a server passes over what would put one beside other records without a word (section
    // 3.4.2.2), so it must find nothing there.
    let absent: &[WireType] = match place.kind {
        // Section 2.4.5: the name is not in use.
        Kind::Record(RecordType::Cname) => &[WireType::ANY],
        // Section 2.4.3: there is no such set.
        Kind::Record(RecordType::A) => &[WireType::A, WireType::CNAME],
        Kind::Record(RecordType::Aaaa) => &[WireType::AAAA, WireType::CNAME],
        Kind::Text => &[WireType::TXT, WireType::CNAME],
    };
    for kind in absent {
        let mut none = Record::update0(place.owner.clone(), 0, *kind);
        none.dns_class = DNSClass::NONE;
        message.add_answer(none.into_record_of_rdata());
    }
}

/// Section 2.5.4: this record, not its set.
fn deletion(mut record: Record) -> Record {
    record.dns_class = DNSClass::NONE;
    record.ttl = 0;
    record
}
