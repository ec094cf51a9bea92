//! From evidence to the terms of the confidence, one for each group.

use std::collections::BTreeMap;
use std::time::Duration;

use super::evidence::{Evidence, FiringAlert};
use super::outage::Outage;
use super::policy::VANTAGES_FOR_AUTOMATIC;
use super::{Group, Term};
use crate::config::{Service, Topology};
use crate::types::{AlertKey, GapReason, Ratio, Role, SiteName, Snapshot};

/// The source name of the client query in [`super::Reliability`].
pub(super) const CLIENT_SOURCE: &str = "client";
/// The source name of the anomaly score.
pub(super) const ANOMALY_SOURCE: &str = "anomaly";
/// Severity of a control plane that cannot be reached: it may be the way, and not the cluster.
const UNREACHABLE_CONTROL: f64 = 0.6;

/// The source name of an alert rule.
pub(super) fn alert_source(name: &str) -> String {
    format!("alert:{name}")
}

pub(super) fn terms(
    active: Option<&SiteName>,
    outage: Option<&Outage<'_>>,
    service: &Service,
    evidence: &Evidence,
) -> Vec<Term> {
    let weights = &service.policy.weights;
    Group::ALL
        .into_iter()
        .map(|group| {
            let (strength, because) = match group {
                Group::Vantage => vantage(outage, evidence),
                Group::Control => control(active, evidence),
                Group::Peer => peer(active, service, evidence),
                Group::Client => client(evidence),
                Group::Domain => domain(outage, evidence),
                Group::Alert => alert(active, evidence),
                Group::Anomaly => anomaly(active, evidence),
            };
            Term::new(group, strength, weights, because)
        })
        .collect()
}

/// What a group says, and why.
type Said = (Option<Ratio>, String);

fn vantage(outage: Option<&Outage<'_>>, evidence: &Evidence) -> Said {
    let Some(outage) = outage else { return (None, "the active site is not known".to_owned()) };
    let gap = outage.judgement.gap.as_ref().map_or("serves", |g| g.reason.as_str());
    let configured = evidence.vantages_configured();
    (outage.strength, format!("{} of {configured} vantages: down ({gap})", outage.down_votes))
}

/// What the cluster's control plane says of the active site. An answer that says nothing about the database (refused
/// credentials, a fault of its own, an unreadable body) is missing evidence.
fn control(active: Option<&SiteName>, evidence: &Evidence) -> Said {
    let seen = active.and_then(|site| evidence.snapshot(site)).and_then(|s| s.control.as_ref());
    match seen {
        None => (None, "not configured".to_owned()),
        Some(Ok(plane)) => match &plane.unavailable {
            None => (Some(Ratio::ZERO), "the cluster calls it available".to_owned()),
            Some(code) => (Some(Ratio::ONE), format!("the cluster calls it unavailable ({code})")),
        },
        Some(Err(gap)) => {
            let said = gap.reason.as_str();
            match is_unreachable(gap.reason) || (gap.reason == GapReason::Dns && evidence.resolves()) {
                true => (
                    Some(Ratio::clamped(UNREACHABLE_CONTROL)),
                    format!("the cluster's API cannot be reached ({said})"),
                ),
                false => (None, format!("the cluster's API says nothing of it ({said})")),
            }
        }
    }
}

/// Whether nothing came back that speaks the protocol.
pub(super) fn is_unreachable(reason: GapReason) -> bool {
    match reason {
        GapReason::Refused
        | GapReason::Reset
        | GapReason::Closed
        | GapReason::Unreachable
        | GapReason::ConnectTimeout
        | GapReason::Timeout => true,
        GapReason::Dns
        | GapReason::Tls
        | GapReason::Auth
        | GapReason::Permission
        | GapReason::Loading
        | GapReason::Readonly
        | GapReason::Misconf
        | GapReason::Oom
        | GapReason::Masterdown
        | GapReason::Clusterdown
        | GapReason::Busy
        | GapReason::Noreplicas
        | GapReason::Maxclients
        | GapReason::Mismatch
        | GapReason::Protocol
        | GapReason::ErrorReply
        | GapReason::NotAsked => false,
    }
}

fn client(evidence: &Evidence) -> Said {
    match &evidence.surroundings.client_errors {
        None => (None, "not configured".to_owned()),
        Some(Err(gap)) => (None, format!("the query gives no number ({})", gap.reason.as_str())),
        Some(Ok(share)) => {
            let strength = *share * evidence.reliability.of(CLIENT_SOURCE);
            (Some(strength), format!("{:.0} % of the requests of applications fail", share.get() * 100.0))
        }
    }
}

/// Seen from one place, a silent datacenter and a cut line look the same: only three vantages can tell.
fn domain(outage: Option<&Outage<'_>>, evidence: &Evidence) -> Said {
    match outage.and_then(|o| o.domain) {
        None => (None, "nothing else there is looked at".to_owned()),
        Some(_) if evidence.vantages_configured() < VANTAGES_FOR_AUTOMATIC => (
            Some(Ratio::ZERO),
            "fewer than three vantages cannot tell a silent site from a cut line".to_owned(),
        ),
        Some(strength) if strength > Ratio::ZERO => {
            (Some(strength), "most vantages find all else there silent".to_owned())
        }
        Some(strength) => {
            (Some(strength), "something else there answers, or no majority finds it silent".to_owned())
        }
    }
}

fn alert(active: Option<&SiteName>, evidence: &Evidence) -> Said {
    let strength = |a: &FiringAlert| alert_freshness(a.age) * evidence.reliability.of(&alert_source(&a.name));
    let strongest = alerts_about(active, evidence).map(strength).reduce(Ratio::max);
    let alerts = distinct(alerts_about(active, evidence));
    let because = match alerts.first_key_value() {
        None => "nothing fires about the active site".to_owned(),
        Some((_, first)) => format!("{} firing: {}", alerts.len(), first.name),
    };
    (strongest, because)
}

fn anomaly(active: Option<&SiteName>, evidence: &Evidence) -> Said {
    match evidence.anomaly(active) {
        None => {
            (None, "no score: still learning what is usual, or the active site does not answer".to_owned())
        }
        Some(score) => {
            let strength = score * evidence.reliability.of(ANOMALY_SOURCE);
            (Some(strength), format!("the anomaly score, mapped, is {:.2}", score.get()))
        }
    }
}

/// Alerts about the active site, or about the service as a whole; one about a standby says nothing of the active site.
pub(super) fn alerts_about<'a>(
    active: Option<&SiteName>,
    evidence: &'a Evidence,
) -> impl Iterator<Item = &'a FiringAlert> {
    evidence.alerts.iter().filter(move |a| a.site.is_none() || a.site.as_ref() == active)
}

/// Two notifications about one alert are one item.
pub(super) fn distinct<'a>(
    alerts: impl Iterator<Item = &'a FiringAlert>,
) -> BTreeMap<&'a AlertKey, &'a FiringAlert> {
    alerts.map(|alert| (&alert.key, alert)).collect()
}

/// An alert is fresh for a quarter of an hour after its last notification, then fades by half in each further one,
/// and counts nothing after four hours: Alertmanager's default repeat interval.
pub(super) fn alert_freshness(age: Duration) -> Ratio {
    const TAU_SECONDS: f64 = 900.0;
    const AGE_SECONDS_MAX: f64 = 14_400.0;
    let age = age.as_secs_f64();
    if age > AGE_SECONDS_MAX {
        return Ratio::ZERO;
    }
    Ratio::clamped((-(age - TAU_SECONDS).max(0.0) / TAU_SECONDS).exp2())
}

/// What the standbys see of the active site: a replica whose link is down, a cluster that gets no more of its writes.
///
/// With fewer than three vantages, what is seen from the agent's own failure domain counts 0: the agent and that
/// standby share the one line that may be cut.
pub(super) fn peer(active: Option<&SiteName>, service: &Service, evidence: &Evidence) -> Said {
    let standbys = || evidence.snapshots.iter().filter(|s| Some(&s.site) != active);
    let links: Vec<(&SiteName, bool)> = match service.topology {
        Topology::Replication => {
            standbys().flat_map(|s| replica_links(s).map(move |up| (&s.site, up))).collect()
        }
        Topology::ActiveActive | Topology::ReplicaOf => {
            if standbys().all(|s| s.control.is_none()) {
                return (None, "not configured".to_owned());
            }
            standbys().filter_map(|s| Some((&s.site, synced(s)?))).collect()
        }
    };
    let mut strength: Option<Ratio> = None;
    let mut because = "no standby reports its link".to_owned();
    for (site, up) in links {
        let counts =
            evidence.vantages_configured() >= VANTAGES_FOR_AUTOMATIC || *site != evidence.failure_domain;
        let severity = if up || !counts { Ratio::ZERO } else { Ratio::ONE };
        if strength.is_none_or(|s| severity > s) {
            because = match (up, counts) {
                (true, _) => format!("the link of {site} is up"),
                (false, true) => format!("{site} has lost its link to the active site"),
                (false, false) => format!("{site} has lost its link, but shares this agent's failure domain"),
            };
        }
        strength = Some(strength.map_or(severity, |s| s.max(severity)));
    }
    (strength, because)
}

/// The links of the replicas among a site's targets.
fn replica_links(seen: &Snapshot) -> impl Iterator<Item = bool> {
    seen.targets.iter().filter_map(|t| {
        let facts = t.facts.as_ref().ok().filter(|f| f.role == Some(Role::Replica))?;
        facts.link.as_ref().map(|link| link.up)
    })
}

fn synced(seen: &Snapshot) -> Option<bool> {
    seen.control.as_ref()?.as_ref().ok()?.is_link_up
}

/// Whether a standby says that it no longer hears from the active site.
pub(super) fn has_lost_link(seen: &Snapshot) -> bool {
    replica_links(seen).any(|up| !up) || synced(seen) == Some(false)
}
