//! What a reload changes for a switch that is under way.

use std::sync::Arc;

use super::life::Shape::{ActiveActive, Replication};
use super::life::Stage;
use super::world::Later;
use crate::act::permit::Refusal;
use crate::config::{Maintenance, Mode, Provider, Service, Topology};
use crate::decide::Trigger;
use crate::types::{RecordName, SiteName};

type Reload = fn(&mut Service);

fn window(site: Option<&str>, from_ms: i64, until_ms: i64) -> Maintenance {
    let site = site.map(|site| SiteName::new(site).unwrap());
    Maintenance { site, from_unix_ms: from_ms, until_unix_ms: until_ms }
}

/// Whether a switch by itself, and one that a person asked for, may still be carried out.
#[rustfmt::skip]
const RELOADS: [(&str, bool, bool, Reload); 9] = [
    ("nothing changes", true, true, |_| {}),
    ("it only rehearses", false, false, |s| s.dry_run = true),
    ("it only recommends", false, true, |s| s.mode = Mode::Recommend),
    ("it only observes", false, true, |s| s.mode = Mode::Observe),
    ("the target is gone", false, false, |s| s.sites.retain(|site| site.name.as_str() != "dc-b")),
    ("the whole service is maintained", false, true, |s| s.maintenance = vec![window(None, 0, i64::MAX)]),
    ("the target is maintained", false, true, |s| s.maintenance = vec![window(Some("dc-b"), 0, i64::MAX)]),
    ("another site is maintained", true, true, |s| s.maintenance = vec![window(Some("dc-c"), 0, i64::MAX)]),
    ("it was maintained", true, true, |s| s.maintenance = vec![window(None, 0, 1)]),
];

#[tokio::test(start_paused = true)]
async fn a_reload_is_heard_before_the_next_change() {
    for (name, allows_automatic, allows_order, reload) in RELOADS {
        let mut stage = Stage::new(Replication, |_| {});
        let hands = stage.hands(&Arc::default(), usize::MAX);
        let mut service = stage.service.clone();
        reload(&mut service);
        hands.current.replace(Arc::new(service));
        for (trigger, is_allowed) in
            [(Trigger::Automatic, allows_automatic), (Trigger::Operator, allows_order)]
        {
            stage.plan.trigger = trigger;
            let current = &hands.current;
            let allowed = current
                .allows_to_begin(&stage.plan)
                .and_then(|()| current.allows(&stage.plan, hands.clock.now()));
            assert_eq!(allowed.is_ok(), is_allowed, "{name}, {trigger:?}: {allowed:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_ends_a_switch_that_has_not_begun() {
    let stage = Stage::new(ActiveActive, |_| {});
    let fuse = Arc::default();
    let hands = stage.hands(&fuse, usize::MAX);
    hands.current.replace(Arc::new(Service { dry_run: true, ..stage.service.clone() }));
    let refused = crate::act::permit::refused(&hands, &stage.plan).await;
    assert!(matches!(refused, Err(Refusal::Reconfigured { .. })), "{refused:?}");
    assert!(stage.world.events().is_empty(), "nothing was changed");
}

fn changed(mut service: Service, change: fn(&mut Service)) -> Option<Service> {
    change(&mut service);
    Some(service)
}

/// What happens to a switch when a reload comes before the target is promoted, and after.
#[rustfmt::skip]
const LATER: [(&str, &str, &str, Later); 8] = [
    ("nothing changes", "switched", "switched", Some),
    ("its time to live changes", "switched", "switched", |s| changed(s, |s| s.record.ttl_seconds = 60)),
    ("the service is gone", "abandoned", "promoted_not_switched", |_| None),
    ("the record is another", "abandoned", "promoted_not_switched", |s| changed(s, |s| s.record.name = RecordName::new("t.example.com").unwrap())),
    ("the record is held elsewhere", "abandoned", "promoted_not_switched", |s| changed(s, |s| s.record.provider = Provider::Embedded)),
    ("the target has another name", "abandoned", "promoted_not_switched", |s| changed(s, |s| s.sites[1].dns_target = "c.example.com".to_owned())),
    // What was promoted is better reached than left alone.
    ("it is promoted in another way", "abandoned", "switched", |s| changed(s, |s| (s.topology, s.promote) = (Topology::ReplicaOf, None))),
    ("the old primary has other targets", "abandoned", "switched", |s| changed(s, |s| s.sites[0].targets = s.sites[1].targets.clone())),
];

#[tokio::test(start_paused = true)]
async fn a_reload_stops_a_switch_before_its_next_step_that_cannot_be_undone() {
    let mut failures = Vec::new();
    for (name, before, after, later) in LATER {
        // Where nothing is promoted, nothing stands in the way of giving the claim back.
        let steps = [
            (Replication, "ticketed", before),
            (Replication, "claim", before),
            (Replication, "fence", before),
            (Replication, "promote", after),
            (ActiveActive, "claim", before),
        ];
        for (shape, at, wanted) in steps {
            let stage = Stage::new(shape, |_| {});
            stage.world.state().reload = Some((at, later));
            stage.live(&Arc::default(), usize::MAX).await;
            stage.settle().await;
            stage.check_end(name).await;
            let outcome = stage.outcome().await.expect("it was settled");
            if outcome.as_str() != wanted {
                failures.push(format!("{name}, after {at:?}: {outcome:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// The name is as it was, or is back at once, and the switch goes on.
#[tokio::test(start_paused = true)]
async fn a_service_that_is_back_before_the_next_step_goes_on() {
    let stage = Stage::new(Replication, |_| {});
    let hands = stage.hands(&Arc::default(), usize::MAX);
    let (current, now) = (&hands.current, hands.clock.now());
    current.withdraw();
    assert!(matches!(current.allows(&stage.plan, now), Err(Refusal::Reconfigured { .. })));
    let back = current.for_one_who_has(Arc::new(stage.service.clone()));
    back.replace(Arc::new(stage.service.clone()));
    assert!(current.allows(&stage.plan, now).is_ok() && current.has_same_ground(&stage.plan).is_ok());
}
