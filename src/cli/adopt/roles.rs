//! What the sites of plain replication say of themselves, before one of them is written down as the active one.

use std::sync::Arc;

use futures_util::future::join_all;
use prometheus_client::registry::Registry;

use crate::config::{Config, Service, Site, Topology};
use crate::monitor::{Collectors, Metrics, Monitor, SiteClient as _, WriteCanary};
use crate::types::{Role, SiteName, Snapshot, SystemClock};

/// Why a site should not be adopted as the active one: it says that it is a replica, and another that it is the primary.
/// Silence is no contradiction; who does not answer is printed.
pub(super) async fn contradiction(
    config: &Config,
    service: &Service,
    active: &Site,
) -> anyhow::Result<Option<String>> {
    if service.topology != Topology::Replication {
        return Ok(None);
    }
    let metrics = Metrics::register(&mut Registry::default());
    let clock = Arc::new(SystemClock::new());
    let monitor = Monitor::new(service, Arc::new(Collectors::new(config, metrics, clock)?))?;
    let deadline = config.global.probe_timeout;
    let looks = service.sites.iter().map(|site| monitor.look(&site.name, deadline, WriteCanary::Skip));
    let seen = join_all(looks).await;
    for (site, target) in seen.iter().flat_map(|s| s.targets.iter().map(|t| (&s.site, t))) {
        if let Err(gap) = &target.facts {
            println!("{site} {} does not say what it is: {}", target.target, gap.reason.as_str());
        }
    }
    Ok(told(&seen, &active.name))
}

fn told(seen: &[Snapshot], active: &SiteName) -> Option<String> {
    let says = |s: &Snapshot, role| {
        s.targets.iter().any(|t| t.facts.as_ref().is_ok_and(|facts| facts.role == Some(role)))
    };
    let is_replica = seen.iter().any(|s| s.site == *active && says(s, Role::Replica));
    let primary = seen.iter().find(|s| s.site != *active && says(s, Role::Primary))?;
    let other = &primary.site;
    is_replica.then(|| {
        format!(
            "{active} says that it is a replica, and {other} that it is the primary: clients would be sent to a Redis \
             that takes no writes, and redrover may pause {other}; let the record point to {other}, or promote \
             {active} first"
        )
    })
}
