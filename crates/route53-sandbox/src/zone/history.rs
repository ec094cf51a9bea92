//! What was applied and what was refused, in order.

use std::collections::VecDeque;

use crate::clock::Stamp;
use crate::records::RecordSpec;

use super::{Action, Change, Effect};

/// Older entries are dropped and counted; no test needs more, and a demo may run for days.
const ENTRIES_MAX: usize = 10_000;

/// The entries, oldest first.
#[derive(Debug, Default, serde::Serialize)]
pub struct History {
    dropped: u64,
    entries: VecDeque<Entry>,
}

/// Who changed the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A request to the Route 53 API.
    Api,
    /// A request to the control endpoint.
    Foreign,
}

#[derive(Debug, serde::Serialize)]
struct Entry {
    sequence: u64,
    time: Stamp,
    #[serde(flatten)]
    event: Event,
}

#[derive(Debug, serde::Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Event {
    Applied { change_id: String, zone_id: String, source: Source, changes: Vec<Applied> },
    Refused { operation: &'static str, code: String, message: String, changes: Vec<Wanted> },
}

#[derive(Debug, serde::Serialize)]
struct Applied {
    action: Action,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    before: Option<RecordSpec>,
    after: Option<RecordSpec>,
}

#[derive(Debug, serde::Serialize)]
struct Wanted {
    action: Action,
    record: RecordSpec,
}

impl History {
    /// Notes an applied change of a zone.
    pub fn applied(
        &mut self,
        time: Stamp,
        (change_id, zone_id): (&str, &str),
        source: Source,
        effects: &[Effect],
    ) {
        let changes = effects
            .iter()
            .map(|effect| Applied {
                action: effect.action,
                name: effect.key.name.to_string(),
                kind: effect.key.kind.as_str(),
                before: effect.before.as_ref().map(RecordSpec::from),
                after: effect.after.as_ref().map(RecordSpec::from),
            })
            .collect();
        let (change_id, zone_id) = (change_id.to_owned(), zone_id.to_owned());
        self.push(time, Event::Applied { change_id, zone_id, source, changes });
    }

    /// Notes a refused request; `code` is the service's or the fault's.
    pub fn refused(
        &mut self,
        time: Stamp,
        operation: &'static str,
        (code, message): (&str, &str),
        changes: &[Change],
    ) {
        let changes = changes
            .iter()
            .map(|change| Wanted { action: change.action, record: RecordSpec::from(&change.set) })
            .collect();
        self.push(
            time,
            Event::Refused { operation, code: code.to_owned(), message: message.to_owned(), changes },
        );
    }

    fn push(&mut self, time: Stamp, event: Event) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
            self.dropped += 1;
        }
        let sequence = self.dropped + u64::try_from(self.entries.len()).unwrap_or(u64::MAX) + 1;
        self.entries.push_back(Entry { sequence, time, event });
    }
}
