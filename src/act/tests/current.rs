//! What a reload changes for a switch that is under way.

use std::sync::Arc;

use super::life::Shape::{ActiveActive, Replication};
use super::life::Stage;
use crate::act::permit::Refusal;
use crate::config::{Maintenance, Mode, Service};
use crate::decide::Trigger;
use crate::types::SiteName;

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
