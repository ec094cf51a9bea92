//! What the journals hold at time 0: the adoption, and the switches since, as every agent has seen them.

use std::time::Duration;

use crate::sim::language::Scenario;
use crate::sim::world::{EPOCH, Layout};
use crate::store::{Body, MemoryJournal, NewEntry, OperatorAction};
use crate::types::Fence;

/// Services were adopted so long before time 0.
const ADOPTED_BEFORE: Duration = Duration::from_secs(30 * 86_400);

/// Writes the past into one agent's journal.
pub(super) fn write_past(journal: &MemoryJournal, scenario: &Scenario, layout: &Layout) {
    let active = layout.member_name(layout.active);
    let first = scenario.history.first().map_or(active, |past| &past.from);
    for service in &layout.services {
        let entry = |ago: Duration, body| NewEntry {
            at_unix_ms: i64::try_from(EPOCH.saturating_sub(ago).as_millis()).unwrap_or(i64::MAX),
            service: service.clone(),
            incident: None,
            body,
        };
        let adopted = Body::Adopted { epoch: 1, active: first.clone(), by: None };
        let mut entries = vec![entry(ADOPTED_BEFORE, adopted)];
        for (rank, past) in scenario.history.iter().enumerate() {
            let epoch = 3 + 2 * rank as u64;
            let fence = Fence {
                owner: layout.agents[0].clone(),
                epoch,
                active: past.to.clone(),
                from: past.from.clone(),
                at: EPOCH.saturating_sub(past.ago).as_secs(),
                decision: "before".to_owned(),
                intent: None,
            };
            entries.push(entry(past.ago, Body::Observed { fence }));
            if past.is_acknowledged {
                let action = OperatorAction::Acknowledge { epoch: Some(epoch) };
                entries.push(entry(past.ago, Body::Ordered { action, by: "operator".to_owned() }));
            }
        }
        journal.write(entries);
    }
}
