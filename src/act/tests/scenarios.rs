//! The table: what happens, and the one right outcome, number of changes, and journal.

use std::sync::Arc;
use std::time::Duration;

use super::fuse::{Fuse, label};
use super::life::Shape::{self, ActiveActive, ByHook, Hooked, Ordered, Planned, Replication, WithoutFencing};
use super::life::Stage;
use super::world::DnsFault::*;
use super::world::{Event, Old, Promotion, State};
use crate::store::OperatorAction::Pause;
use crate::types::Role;

/// One row.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) arrange: fn(&mut State),
    outcome: &'static str,
    /// Changes of record and fence together, and of the record alone.
    changes: (usize, usize),
    /// The entries, in order, without the outcome.
    journal: &'static str,
}

const fn row(
    name: &'static str,
    shape: Shape,
    outcome: &'static str,
    changes: (usize, usize),
    journal: &'static str,
    arrange: fn(&mut State),
) -> Scenario {
    Scenario { name, shape, arrange, outcome, changes, journal }
}

const ALL: &str = "ticketed claim fence recheck promote prove switch verify";
const CAUGHT_UP: &str = "ticketed claim fence catch_up recheck promote prove switch verify";
const HOOKED: &str = "ticketed claim prepare fence recheck promote prove switch verify settle follow";
const TO_PROOF: &str = "ticketed claim fence recheck promote prove";
const TO_ORDER: &str = "ticketed claim fence recheck";
const BOTH_ACTIVE: &str = "ticketed claim prove switch verify";
const SWITCHED: &str = "switched";
const ABANDONED: &str = "abandoned";
const STUCK: &str = "promoted_not_switched";
const FOREIGN: &str = "foreign";

#[rustfmt::skip]
pub(super) const SCENARIOS: &[Scenario] = &[
    row("the old primary is gone", Replication, SWITCHED, (2, 1), ALL, |_| {}),
    row("the old primary is alive and takes no writes", Replication, SWITCHED, (2, 1), CAUGHT_UP, |s| s.old = Old::Alive),
    row("it is alive, and some of its writes never arrive", Replication, SWITCHED, (2, 1), CAUGHT_UP, |s| {
        s.old = Old::Alive;
        s.missing = 10;
    }),
    row("both sites are active", ActiveActive, SWITCHED, (2, 1), BOTH_ACTIVE, |_| {}),
    row("a name server never learns of it", Replication, SWITCHED, (2, 1), ALL, |s| s.is_stale = true),

    row("planned", Planned, SWITCHED, (2, 1), CAUGHT_UP, |_| {}),
    row("planned, the last writes arrive", Planned, SWITCHED, (2, 1), CAUGHT_UP, |s| (s.missing, s.arriving) = (500, 10)),
    row("planned, the last writes never arrive", Planned, ABANDONED, (2, 0), "ticketed claim fence catch_up", |s| s.missing = 1),
    row("planned, the target follows something else", Planned, ABANDONED, (2, 0), "ticketed claim fence catch_up", |s| s.is_stranger = true),
    row("planned, the old primary dies", Planned, ABANDONED, (2, 0), "ticketed claim fence", |s| s.old = Old::Gone),
    row("planned, the old primary cannot be paused", Planned, ABANDONED, (2, 0), "ticketed claim", |s| s.old = Old::Unfenceable),
    row("planned, a person says stop", Planned, ABANDONED, (2, 0), "ticketed claim fence ordered catch_up", |s| s.interjection = Some(("fence", Pause))),
    row("planned, the pause is over before the promotion", Planned, ABANDONED, (2, 0), "ticketed claim fence catch_up recheck", |s| {
        s.stall = Some(("recheck", Duration::from_secs(60)));
    }),
    row("planned, the promotion fails", Planned, ABANDONED, (2, 0), "ticketed claim fence catch_up recheck", |s| s.promotion = Promotion::FailsBefore),

    row("planned, the promotion takes longer than a pause", Planned, SWITCHED, (2, 1), CAUGHT_UP, |s| s.promotion_takes = Duration::from_secs(150)),

    row("planned, this agent stands still during the promotion", Planned, STUCK, (1, 0), "ticketed claim fence catch_up recheck promote", |s| {
        (s.promotion_stalls, s.promotion_takes) = (Duration::from_secs(65), Duration::from_secs(1));
    }),

    row("ordered, the site stays down", Ordered, SWITCHED, (2, 1), ALL, |_| {}),
    row("ordered, the site takes no writes", Ordered, SWITCHED, (2, 1), CAUGHT_UP, |s| (s.old, s.missing) = (Old::Alive, 1)),
    row("ordered, the site serves again, and its writes arrive", Ordered, SWITCHED, (2, 1), CAUGHT_UP, |s| {
        (s.revival, s.missing, s.arriving) = (Some("claim"), 900, 2);
    }),
    row("ordered, the site serves again, and its writes never arrive", Ordered, ABANDONED, (2, 0), "ticketed claim fence catch_up", |s| {
        (s.revival, s.missing) = (Some("claim"), 1);
    }),

    row("with hooks", Hooked, SWITCHED, (2, 1), HOOKED, |_| {}),
    row("a hook before it fails", Hooked, ABANDONED, (2, 0), "ticketed claim settle follow", |s| s.hook_fails = true),
    row("the hooks before it outlast the decision", Hooked, ABANDONED, (2, 0), "ticketed claim settle follow", |s| {
        s.hooks_take = Duration::from_secs(600);
    }),
    row("with hooks, and the promotion fails", Hooked, ABANDONED, (2, 0), "ticketed claim prepare fence recheck settle follow", |s| {
        s.promotion = Promotion::FailsBefore;
    }),
    row("with hooks, refused before the claim", Hooked, ABANDONED, (0, 0), "ticketed", |s| s.is_loading = true),
    row("promoted by a hook", ByHook, SWITCHED, (2, 1), ALL, |_| {}),
    row("a hook that promotes fails", ByHook, ABANDONED, (2, 0), TO_ORDER, |s| s.promotion = Promotion::FailsBefore),
    row("a hook that promotes may go on", ByHook, STUCK, (1, 0), TO_ORDER, |s| s.promotion = Promotion::MayCome),

    row("the target is loading", Replication, ABANDONED, (0, 0), "ticketed", |s| s.is_loading = true),
    row("the target is silent", Replication, ABANDONED, (0, 0), "ticketed", |s| s.is_silent = true),
    row("the active target takes no writes", ActiveActive, ABANDONED, (0, 0), "ticketed", |s| s.canary_fails = true),
    row("the plan has expired", Replication, ABANDONED, (0, 0), "ticketed", |s| s.delay = Duration::from_secs(61)),
    row("the term has ended", Replication, ABANDONED, (0, 0), "ticketed", |s| {
        s.term = Some(Duration::from_secs(5));
        s.delay = Duration::from_secs(6);
    }),

    row("the old primary cannot be fenced", Replication, ABANDONED, (2, 0), "ticketed claim", |s| s.old = Old::Unfenceable),
    row("it need not be fenced", WithoutFencing, SWITCHED, (2, 1), ALL, |s| s.old = Old::Unfenceable),

    row("the old primary serves again", Replication, ABANDONED, (0, 0), "ticketed", |s| s.revival = Some("ticketed")),
    row("the old primary serves again, both active", ActiveActive, ABANDONED, (0, 0), "ticketed", |s| s.revival = Some("ticketed")),
    row("it serves again after the claim", Replication, ABANDONED, (2, 0), "ticketed claim", |s| s.revival = Some("claim")),
    row("it serves again after the claim, both active", ActiveActive, ABANDONED, (2, 0), "ticketed claim", |s| s.revival = Some("claim")),
    row("it serves again after the claim, and need not be fenced", WithoutFencing, ABANDONED, (2, 0), "ticketed claim", |s| s.revival = Some("claim")),
    row("it serves again once it is fenced", Replication, SWITCHED, (2, 1), ALL, |s| s.revival = Some("fence")),
    row("it serves again after the promotion", Replication, SWITCHED, (2, 1), ALL, |s| s.revival = Some("promote")),

    row("the promotion fails", Replication, ABANDONED, (2, 0), TO_ORDER, |s| s.promotion = Promotion::FailsBefore),
    row("the promotion's answer is lost", Replication, SWITCHED, (2, 1), ALL, |s| s.promotion = Promotion::FailsAfter),
    row("the order to promote is lost twice", Replication, SWITCHED, (2, 1), ALL, |s| s.promotion = Promotion::Doubtful(2)),
    row("the order to promote may still arrive", Replication, STUCK, (1, 0), TO_ORDER, |s| s.promotion = Promotion::Doubtful(9)),
    row("it may still arrive, and a person says stop", Replication, STUCK, (1, 0), "ticketed claim fence recheck ordered", |s| {
        (s.promotion, s.interjection) = (Promotion::Doubtful(1), Some(("recheck", Pause)));
    }),
    row("nobody knows of the promotion", Replication, STUCK, (1, 0), TO_ORDER, |s| s.promotion = Promotion::Unknown),
    row("half the target is promoted", Replication, STUCK, (1, 0), TO_ORDER, |s| {
        s.roles = vec![Role::Replica, Role::Replica];
        s.promotion = Promotion::Half;
    }),
    row("the promoted target takes no writes", Replication, STUCK, (1, 0), "ticketed claim fence recheck promote", |s| s.canary_fails = true),

    row("the claim is denied", Replication, ABANDONED, (0, 0), "ticketed", |s| s.faults = [Denied].into()),
    row("the switch is denied", Replication, STUCK, (1, 0), TO_PROOF, |s| s.faults = [None, Denied].into()),
    row("the switch is denied, both active", ActiveActive, ABANDONED, (2, 0), "ticketed claim prove", |s| s.faults = [None, Denied].into()),
    row("the claim meets a foreign fence", Replication, FOREIGN, (0, 0), "ticketed", |s| s.faults = [Foreign].into()),
    row("the switch meets a foreign fence", Replication, STUCK, (1, 0), TO_PROOF, |s| s.faults = [None, Foreign].into()),
    row("the switch meets a foreign fence, both active", ActiveActive, FOREIGN, (1, 0), "ticketed claim prove", |s| s.faults = [None, Foreign].into()),
    row("the provider is busy for a while", Replication, SWITCHED, (2, 1), ALL, |s| s.faults = [Throttled, Throttled, None, Throttled].into()),
    row("the provider stays busy at the claim", Replication, ABANDONED, (0, 0), "ticketed", |s| s.faults = [Throttled; 8].into()),
    row("the provider is busy at the switch for longer than one change waits", Replication, SWITCHED, (2, 1), ALL, |s| {
        s.faults = std::iter::once(None).chain([Throttled; 8]).collect();
    }),
    row("the provider is busy at the switch for longer than the decision lives", Replication, STUCK, (1, 0), TO_PROOF, |s| {
        s.faults = std::iter::once(None).chain([Throttled; 200]).collect();
    }),

    row("the claim is lost on its way", Replication, SWITCHED, (2, 1), ALL, |s| s.faults = [LostBefore].into()),
    row("the claim's answer is lost", Replication, SWITCHED, (2, 1), ALL, |s| s.faults = [LostAfter].into()),
    row("the switch is lost on its way", Replication, SWITCHED, (2, 1), ALL, |s| s.faults = [None, LostBefore].into()),
    row("the switch's answer is lost", Replication, SWITCHED, (2, 1), ALL, |s| s.faults = [None, LostAfter].into()),
    row("the switch's answer is lost, both active", ActiveActive, SWITCHED, (2, 1), BOTH_ACTIVE, |s| s.faults = [None, LostAfter].into()),
    row("nobody knows of the claim", Replication, ABANDONED, (2, 0), "ticketed", |s| s.faults = [BlindAfter].into()),
    row("nobody knows of the claim, which was lost", Replication, ABANDONED, (0, 0), "ticketed", |s| s.faults = [BlindBefore].into()),
    row("nobody knows of the switch", Replication, SWITCHED, (2, 1), "ticketed claim fence recheck promote prove verify", |s| s.faults = [None, BlindAfter].into()),
    row("nobody knows of the switch, both active", ActiveActive, SWITCHED, (2, 1), "ticketed claim prove verify", |s| s.faults = [None, BlindAfter].into()),
    row("the way back is lost", Replication, ABANDONED, (2, 0), TO_ORDER, |s| {
        s.promotion = Promotion::FailsBefore;
        s.faults = [None, LostBefore].into();
    }),
    row("the way back is denied at first", Replication, ABANDONED, (2, 0), TO_ORDER, |s| {
        s.promotion = Promotion::FailsBefore;
        s.faults = [None, Denied].into();
    }),

    row("paused after the ticket", Replication, ABANDONED, (0, 0), "ticketed ordered", |s| s.interjection = Some(("ticketed", Pause))),
    row("paused after the claim", Replication, ABANDONED, (2, 0), "ticketed claim ordered", |s| s.interjection = Some(("claim", Pause))),
    row("paused after the claim, both active", ActiveActive, ABANDONED, (2, 0), "ticketed claim ordered prove", |s| s.interjection = Some(("claim", Pause))),
    row("paused after the fencing", Replication, ABANDONED, (2, 0), "ticketed claim fence ordered", |s| s.interjection = Some(("fence", Pause))),
    row("paused after the promotion", Replication, STUCK, (1, 0), "ticketed claim fence recheck promote ordered prove", |s| s.interjection = Some(("promote", Pause))),
];

#[tokio::test(start_paused = true)]
async fn every_scenario_has_its_one_right_outcome() {
    let mut failures = Vec::new();
    for scenario in SCENARIOS {
        let stage = Stage::new(scenario.shape, scenario.arrange);
        stage.live(&Arc::new(Fuse::default()), usize::MAX).await;
        // A refused permit leaves the ticket; the agent's next cycle drops it.
        stage.settle().await;
        stage.check_end(scenario.name).await;
        let outcome = stage.outcome().await.expect("it was settled");
        let changes = stage.world.events().iter().filter(|e| matches!(e, Event::Changed(_))).count();
        let found = (outcome.as_str(), (changes, stage.record_changes()));
        let labels: Vec<_> = stage.entries().await.iter().map(|entry| label(&entry.body)).collect();
        let wanted = format!("{} {}", scenario.journal, scenario.outcome);
        if found != (scenario.outcome, scenario.changes) || labels.join(" ") != wanted {
            failures.push(format!("{}: {outcome:?}, {found:?}, {labels:?}", scenario.name));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
