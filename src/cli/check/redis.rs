//! Every Redis: whether it answers, takes the canary, and lets this program do what a switch needs.

use std::time::Duration;

use super::around;
use super::report::{Fault, Report};
use crate::config::{Promote, Service, Site, Topology};
use crate::monitor::{Monitor, RedisClient, RedisError, SiteClient as _, WriteCanary};
use crate::types::{CanaryResult, GapReason, Role, Snapshot, TargetSnapshot};

pub(super) async fn targets(service: &Service, monitor: &Monitor, deadline: Duration, report: &mut Report) {
    for site in &service.sites {
        let seen = look(service, site, monitor, deadline).await;
        for (target, client) in seen.targets.iter().zip(monitor.clients(&site.name)) {
            let what = format!("{} {}", site.name, target.target);
            match answers(target, service) {
                Ok(why) => report.good(&what, &why),
                Err(fault) => report.bad(&what, &fault),
            }
            if let (Ok(_), Some(promote)) = (&target.ping, &service.promote)
                && !promote.is_by_cluster()
            {
                rights(client, promote, deadline, &what, report).await;
            }
        }
        if let Some(said) = &seen.control {
            around::control(&format!("{} control plane", site.name), said, report);
        }
    }
}

/// Looks, with the canary; the copy of a Replica Of is written to by nobody but its source.
async fn look(service: &Service, site: &Site, monitor: &Monitor, deadline: Duration) -> Snapshot {
    if service.topology == Topology::ReplicaOf {
        let seen = monitor.look(&site.name, deadline, WriteCanary::Skip).await;
        let role = |target: &TargetSnapshot| target.facts.as_ref().ok().and_then(|facts| facts.role);
        if !seen.targets.iter().all(|target| role(target) == Some(Role::Primary)) {
            return seen;
        }
    }
    monitor.look(&site.name, deadline, WriteCanary::Write).await
}

fn answers(seen: &TargetSnapshot, service: &Service) -> Result<String, Fault> {
    let ping = seen.ping.as_ref().map_err(|gap| Fault::of("no answer", gap))?;
    let facts = seen.facts.as_ref().map_err(|gap| Fault::of("INFO is not allowed or cut", gap))?;
    let is_replica = facts.role == Some(Role::Replica);
    let canary = match &seen.canary {
        CanaryResult::Written(_) => "the write canary passed",
        CanaryResult::NotAsked if is_replica => "a copy, as it should be",
        CanaryResult::NotAsked => "no write canary",
        CanaryResult::Failed(gap)
            if is_replica
                && service.topology == Topology::Replication
                && gap.reason != GapReason::Permission =>
        {
            "a replica, as it should be"
        }
        CanaryResult::Failed(gap) => return Err(Fault::of("the write canary failed", gap)),
    };
    Ok(format!("answers in {:.1} ms; {canary}", ping.as_secs_f64() * 1e3))
}

/// Any site may be left one day, and any may be promoted.
async fn rights(
    client: &RedisClient,
    promote: &Promote,
    deadline: Duration,
    what: &str,
    report: &mut Report,
) {
    let may_promote = if promote.is_by_hook() { Ok(()) } else { client.may_promote(deadline).await };
    let tried = [
        (client.may_pause_writes(deadline).await, "CLIENT PAUSE", "+client|pause +client|unpause"),
        (may_promote, "REPLICAOF", "+replicaof"),
        (client.role(deadline).await.map(drop), "ROLE", "+role"),
    ];
    let mut are_all_there = true;
    for (answer, command, rule) in tried {
        if let Err(error) = answer {
            are_all_there = false;
            report.bad(what, &lack(&error, command, rule));
        }
    }
    if are_all_there {
        report.good(what, "lets this user pause writes and promote; CLIENT UNPAUSE cannot be tried");
    }
}

fn lack(error: &RedisError, command: &str, rule: &str) -> Fault {
    let gap = error.gap();
    if gap.reason == GapReason::Permission {
        let detail = gap.detail;
        return Fault::Missing(format!("the right to {command}; add {rule} to the user's ACL ({detail})"));
    }
    if gap.reason == GapReason::ErrorReply {
        return Fault::Missing(format!("the command {command} ({})", gap.detail));
    }
    Fault::of(command, &gap)
}
