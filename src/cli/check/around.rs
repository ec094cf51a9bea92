//! What stands around the services: checks, clusters and Prometheus, each tried once.

use std::time::Duration;

use super::report::{Fault, Report};
use crate::config::{Config, Datacenter};
use crate::monitor::{Collectors, Monitor, SiteClient as _};
use crate::types::{Check, ControlPlane, Gap};

/// What the agent must reach itself, and what else is in the datacenters.
pub(super) async fn agent(config: &Config, collectors: &Collectors, report: &mut Report) {
    let deadline = config.global.probe_timeout;
    let has_checks = |place: &Datacenter| !place.domain_checks.is_empty();
    if !config.self_checks.is_empty() || config.datacenters.iter().any(has_checks) {
        println!("{}", config.agent.name);
    }
    for check in collectors.self_checks(deadline).await {
        reached(&format!("self-check {}", check.name), &check, report);
    }
    for place in &config.datacenters {
        for check in collectors.domain(&place.name, deadline).await {
            reached(&format!("{} {}", place.name, check.name), &check, report);
        }
    }
}

fn reached(what: &str, check: &Check, report: &mut Report) {
    match &check.result {
        Ok(took) => report.good(what, &format!("answers in {:.1} ms", took.as_secs_f64() * 1e3)),
        Err(gap) => report.bad(what, &Fault::of("no answer", gap)),
    }
}

/// What the cluster says of a site's database.
pub(super) fn control(what: &str, said: &Result<ControlPlane, Gap>, report: &mut Report) {
    let plane = match said {
        Ok(plane) => plane,
        Err(gap) => return report.bad(what, &Fault::of("no clear answer", gap)),
    };
    if let Some(code) = &plane.unavailable {
        return report.bad(what, &Fault::Failed(format!("says that the database is not available: {code}")));
    }
    let links = match (plane.is_link_up, plane.lag) {
        (Some(true), Some(lag)) => format!("its links are in sync, {} ms behind", lag.as_millis()),
        (Some(true), None) => "its links are in sync".to_owned(),
        (Some(false), _) => "its links are out of sync".to_owned(),
        (None, _) => "nothing is said of links".to_owned(),
    };
    report.good(what, &format!("says that the database is available; {links}"));
}

/// What Prometheus says of the service's clients.
pub(super) async fn client_errors(monitor: &Monitor, deadline: Duration, report: &mut Report) {
    let what = "client errors";
    match monitor.surroundings(deadline).await.client_errors {
        Some(Ok(share)) => report.good(what, &format!("the share is {share}")),
        Some(Err(gap)) => report.bad(what, &Fault::of("no value", &gap)),
        None => {}
    }
}
