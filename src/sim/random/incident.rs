//! An incident: a world, its faults, the moment when all is mended.

use std::time::Duration;

use crate::sim::language::{
    AlertLevel, Event, Expect, Happening, Outcome, PolicyText, Scenario, Trigger, When, World,
};

/// All is mended so long after time 0.
pub(super) const MENDED_AT: Duration = Duration::from_secs(240);
/// It must have settled so long after time 0: agents that began anew need two minutes to warm up.
pub(super) const SETTLED_AT: Duration = Duration::from_secs(720);
/// As many changes of records are allowed: what counts here is the end, and the rules.
const MOVES_MAX: u32 = 10_000;

/// Something that breaks, and what mends it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) at: When,
    pub(super) breaks: Vec<Happening>,
    pub(super) mends: Vec<Happening>,
    /// It is mended so long after; `None` is when all is mended.
    pub(super) lasts: Option<Duration>,
}

/// An incident.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Incident {
    pub(super) seed: u64,
    pub(super) world: World,
    pub(super) policy: PolicyText,
    pub(super) faults: Vec<Fault>,
}

impl Incident {
    /// The incident as a scenario that must settle.
    pub(super) fn scenario(&self) -> Scenario {
        let mut timeline: Vec<Event> = self.faults.iter().flat_map(events).collect();
        timeline.sort_by_key(|event| match &event.at {
            When::At(at) => (0, *at),
            When::On(_) => (1, Duration::ZERO),
        });
        Scenario {
            name: format!("random incident {}", self.seed),
            id: None,
            why: None,
            world: self.world.clone(),
            policy: self.policy.clone(),
            history: Vec::new(),
            timeline,
            expect: Expect {
                outcome: Outcome::Settled,
                alert: AlertLevel::None,
                max_dns_changes: MOVES_MAX,
                within: None,
                not_before: None,
                judged_from: Duration::ZERO,
                serves: None,
            },
        }
    }
}

fn events(fault: &Fault) -> Vec<Event> {
    let breaks = fault.breaks.iter().map(|what| Event { at: fault.at.clone(), what: what.clone() });
    let mended = match (&fault.at, fault.lasts) {
        (When::At(at), Some(lasts)) => When::At((*at + lasts).min(MENDED_AT)),
        (When::At(_), None) => When::At(MENDED_AT),
        (When::On(trigger), lasts) => {
            let delay = trigger.delay + lasts.unwrap_or(MENDED_AT / 4);
            When::On(Trigger { delay, ..trigger.clone() })
        }
    };
    let mends = fault.mends.iter().map(|what| Event { at: mended.clone(), what: what.clone() });
    breaks.chain(mends).collect()
}
