//! From evidence to the terms of the confidence, one for each group.

use std::collections::BTreeMap;
use std::time::Duration;

use super::evidence::{Evidence, FiringAlert};
use super::outage::Outage;
use super::{Group, Term};
use crate::config::{Service, Topology};
use crate::types::{AlertKey, Ratio, Role, SiteName};

pub(super) fn terms(
    active: Option<&SiteName>,
    outage: Option<&Outage<'_>>,
    service: &Service,
    evidence: &Evidence,
) -> Vec<Term> {
    let weights = &service.policy.weights;
    let term = |group, strength, because: String| Term::new(group, strength, weights, because);
    Group::ALL
        .into_iter()
        .map(|group| match group {
            Group::Vantage => {
                let because = match outage {
                    Some(o) => {
                        let gap = o.judgement.gap.as_ref().map_or("serves", |g| g.reason.as_str());
                        format!("{} of {} vantages: down ({gap})", o.down_votes, evidence.vantages_configured)
                    }
                    None => "the active site is not known".to_owned(),
                };
                term(group, outage.and_then(|o| o.strength), because)
            }
            Group::Peer => {
                let (strength, because) = peer(active, service, evidence);
                term(group, strength, because)
            }
            Group::Alert => {
                let freshest =
                    alerts_about(active, evidence).map(|a| alert_freshness(a.age)).reduce(Ratio::max);
                let alerts = distinct(alerts_about(active, evidence));
                let because = match alerts.first_key_value() {
                    None => "nothing fires about the active site".to_owned(),
                    Some((_, first)) => format!("{} firing: {}", alerts.len(), first.name),
                };
                term(group, freshest, because)
            }
            Group::Control | Group::Client | Group::Domain | Group::Anomaly => {
                term(group, None, "not configured".to_owned())
            }
        })
        .collect()
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

/// What the standbys see of the active site: a replica whose link is down.
///
/// With fewer than three vantages, what is seen from the agent's own failure domain counts 0: the agent and that
/// standby share the one line that may be cut.
pub(super) fn peer(
    active: Option<&SiteName>,
    service: &Service,
    evidence: &Evidence,
) -> (Option<Ratio>, String) {
    if service.topology != Topology::Replication {
        return (None, "not configured".to_owned());
    }
    let links = evidence.snapshots.iter().filter(|s| Some(&s.site) != active).flat_map(|s| {
        s.targets.iter().filter_map(move |t| {
            let facts = t.facts.as_ref().ok().filter(|f| f.role == Some(Role::Replica))?;
            facts.link.as_ref().map(|link| (&s.site, link.up))
        })
    });
    let mut strength: Option<Ratio> = None;
    let mut because = "no standby reports its link".to_owned();
    for (site, up) in links {
        let counts = evidence.vantages_configured >= 3 || *site != evidence.failure_domain;
        let severity = if up || !counts { Ratio::ZERO } else { Ratio::ONE };
        if strength.is_none_or(|s| severity > s) || strength.is_none() {
            because = match (up, counts) {
                (true, _) => format!("the link of {site} is up"),
                (false, true) => format!("{site} has lost its link to the primary"),
                (false, false) => format!("{site} has lost its link, but shares this agent's failure domain"),
            };
        }
        strength = Some(strength.map_or(severity, |s| s.max(severity)));
    }
    (strength, because)
}
