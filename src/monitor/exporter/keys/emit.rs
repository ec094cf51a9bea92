//! From what was seen of keys and streams to the samples of a family.

use super::super::families::Emit;
use super::seen::{Fields, KeyRow, Place, Seen};
use crate::monitor::catalog::{KeyFact, Source};

/// Gives every sample of a family to `emit`; a family that is not about keys has none here.
pub(in crate::monitor::exporter) fn samples(seen: &Seen, source: Source, emit: &mut Emit<'_>) {
    if let Source::Key(fact) = source {
        of_keys(seen, fact, emit);
    } else if let Source::Stream(field) = source {
        for (place, stream) in &seen.streams {
            placed(place, "stream", value(&stream.fields, field), emit);
        }
    } else if let Source::StreamGroup(field) = source {
        for ((database, name), stream) in &seen.streams {
            let database = format!("db{database}");
            for (group, row) in &stream.groups {
                if let Some(value) = value(&row.fields, field) {
                    emit("", &[("db", &database), ("stream", name), ("group", group)], value);
                }
            }
        }
    } else if let Source::StreamConsumer(field, scale) = source {
        for ((database, name), stream) in &seen.streams {
            let database = format!("db{database}");
            for (group, row) in &stream.groups {
                for (consumer, fields) in &row.consumers {
                    if let Some(value) = value(fields, field) {
                        let place = [("db", &*database), ("stream", name), ("group", group)];
                        let [db, stream, group] = place;
                        emit("", &[db, stream, group, ("consumer", consumer)], value * scale);
                    }
                }
            }
        }
    }
}

fn of_keys(seen: &Seen, fact: KeyFact, emit: &mut Emit<'_>) {
    let mut of_each = |value: fn(&KeyRow) -> Option<f64>| {
        for (place, row) in &seen.keys {
            placed(place, "key", value(row), emit);
        }
    };
    match fact {
        KeyFact::Size => of_each(|row| row.size),
        KeyFact::Value => of_each(|row| row.value),
        KeyFact::Memory => of_each(|row| row.memory),
        KeyFact::Matching => {
            for (place, count) in &seen.counts {
                placed(place, "key", Some(*count as f64), emit);
            }
        }
        KeyFact::GroupKeys => {
            for (place, row) in &seen.groups {
                placed(place, "key_group", Some(row.keys as f64), emit);
            }
        }
        KeyFact::GroupMemory => {
            for (place, row) in &seen.groups {
                placed(place, "key_group", row.bytes.map(|bytes| bytes as f64), emit);
            }
        }
        KeyFact::Groups => {
            for (database, count) in &seen.distinct {
                emit("", &[("db", &format!("db{database}"))], *count as f64);
            }
        }
        KeyFact::GroupsDuration(scale) => {
            if let Some(took) = seen.groups_took {
                emit("", &[], took.as_secs_f64() * scale);
            }
        }
        KeyFact::Complete => {
            if let Some(is_complete) = seen.is_complete {
                emit("", &[], f64::from(u8::from(is_complete)));
            }
        }
    }
}

fn placed((database, name): &Place, label: &'static str, value: Option<f64>, emit: &mut Emit<'_>) {
    if let Some(value) = value {
        emit("", &[("db", &format!("db{database}")), (label, name)], value);
    }
}

fn value(fields: &Fields, name: &str) -> Option<f64> {
    fields.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
}
