//! How fit a standby is to take over: `q = Π (1 - κ·d)` over its dimensions, with unknown as the worst, `d = 1`.

use std::time::Duration;

use super::machine::State;
use super::policy::is_maintained;
use super::{Evidence, Reason};
use crate::config::{Service, Site, Topology};
use crate::types::{CanaryResult, Guard, Moment, Ratio, Role, SiteName, Snapshot, TargetSnapshot};

/// Share of the memory limit up to which capacity costs nothing.
const CAPACITY_FREE: f64 = 0.80;
/// Share of the memory limit from which on the target is unfit.
const CAPACITY_FULL: f64 = 0.95;
/// Share of the probe deadline up to which latency costs nothing.
const LATENCY_FREE: f64 = 0.25;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// It takes writes, or will once promoted.
    Write,
    /// How far behind it was.
    Lag,
    /// Its memory.
    Capacity,
    /// Whether the topology allows a switch.
    Topology,
    /// Its recent success ratio.
    Stability,
    /// Its round trip.
    Latency,
    /// Its cluster's control plane; not applicable without one.
    ControlPlane,
}

impl Dimension {
    /// `κ`: how much of the fitness the dimension can take away.
    #[must_use]
    pub fn kappa(self) -> f64 {
        match self {
            Self::Write | Self::Lag | Self::Capacity | Self::Topology => 1.0,
            Self::Stability => 0.5,
            Self::Latency | Self::ControlPlane => 0.3,
        }
    }

    /// The dimension as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Lag => "lag",
            Self::Capacity => "capacity",
            Self::Topology => "topology",
            Self::Stability => "stability",
            Self::Latency => "latency",
            Self::ControlPlane => "control_plane",
        }
    }
}

/// One dimension of one standby.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fitness {
    /// Which.
    pub dimension: Dimension,
    /// `d`: 0 is good, 1 is worst or unknown.
    pub unfitness: Ratio,
    /// What it comes from, in words.
    pub because: String,
}

/// The fitness of one standby.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TargetFitness {
    /// The standby.
    pub site: SiteName,
    /// Its dimensions.
    pub dimensions: Vec<Fitness>,
    /// `q`.
    pub fitness: Ratio,
    /// Why it is not ready: a mandatory check it has not just passed.
    pub not_ready: Option<String>,
    /// Why it may at most be recommended.
    pub limits: Vec<Reason>,
}

/// Judges one standby.
pub(super) fn of(
    site: &Site,
    service: &Service,
    evidence: &Evidence,
    state: &State,
    now: Moment,
) -> TargetFitness {
    let snapshot = evidence.snapshot(&site.name);
    let not_ready = match snapshot {
        _ if is_maintained(&site.name, service, evidence, now) => Some("it is in maintenance".to_owned()),
        Some(seen) => readiness(seen, service),
        None => Some("it was not looked at".to_owned()),
    };
    let mut limits = Vec::new();
    let (lag, lag_limit) = lag(site, service, evidence, state, now);
    let lag = guarded(Guard::Lag, lag);
    limits.extend(lag_limit.filter(|_| Guard::Lag.stands()));
    let capacity = guarded(Guard::Capacity, capacity(snapshot, state));
    if capacity.unfitness == Ratio::ONE {
        limits.push(Reason::NoCapacity);
    }
    let topology = guarded(Guard::Topology, topology(service));
    if topology.unfitness == Ratio::ONE {
        limits.push(Reason::NoPromotion);
    }
    let write = Fitness {
        dimension: Dimension::Write,
        unfitness: if not_ready.is_some() { Ratio::ONE } else { Ratio::ZERO },
        because: not_ready.clone().unwrap_or_else(|| "every mandatory check passed".to_owned()),
    };
    let dimensions = vec![
        write,
        lag,
        capacity,
        topology,
        stability(site, state),
        latency(snapshot, evidence.probe_timeout),
        control_plane(snapshot),
    ];
    let fitness = dimensions
        .iter()
        .fold(Ratio::ONE, |q, f| q * Ratio::clamped(f.dimension.kappa() * f.unfitness.get()).complement());
    TargetFitness { site: site.name.clone(), dimensions, fitness, not_ready, limits }
}

/// What a dimension says, while its guard stands.
fn guarded(guard: Guard, fitness: Fitness) -> Fitness {
    if guard.stands() { fitness } else { Fitness { unfitness: Ratio::ZERO, ..fitness } }
}

/// The mandatory checks: `None` when every target has just passed them, else what failed.
#[must_use]
pub fn readiness(seen: &Snapshot, service: &Service) -> Option<String> {
    if seen.targets.is_empty() {
        return Some("none of its targets was looked at".to_owned());
    }
    seen.targets.iter().find_map(|t| {
        let failed = match service.topology {
            Topology::ActiveActive => serving(t),
            // Somebody must promote it first, whether that is configured or not.
            Topology::Replication | Topology::ReplicaOf => before_promotion(t, service),
        };
        failed.map(|why| format!("{}: {why}", t.target))
    })
}

/// What a standby must show before it may be promoted. READONLY is expected; the write canary comes after promotion.
fn before_promotion(seen: &TargetSnapshot, service: &Service) -> Option<String> {
    if let Err(gap) = &seen.ping {
        return Some(format!("no answer ({})", gap.reason.as_str()));
    }
    let facts = match &seen.facts {
        Ok(facts) => facts,
        Err(gap) => return Some(format!("INFO is missing ({})", gap.reason.as_str())),
    };
    // Of a Replica Of only its cluster says what it is; where nobody asks that, a person must.
    let says_role = promotes(service) || service.topology == Topology::Replication;
    if says_role && facts.role != Some(Role::Replica) {
        return Some("it is no replica".to_owned());
    }
    if facts.loading != Some(false) {
        return Some("it is loading its dataset".to_owned());
    }
    if says_role && facts.link.as_ref().is_none_or(|link| link.syncing) {
        return Some("it is in the middle of a full synchronisation".to_owned());
    }
    match facts.persistence_ok {
        Some(true) => {}
        Some(false) => return Some("its persistence fails: writes would be refused (MISCONF)".to_owned()),
        // The cluster of a Replica Of sees to that, and its proxy does not tell.
        None if service.topology == Topology::ReplicaOf => {}
        None => return Some("it does not say whether its persistence works".to_owned()),
    }
    match (facts.memory_used_bytes, facts.memory_max_bytes) {
        (Some(used), Some(max)) if max > 0 && used >= max => Some("its memory is full (OOM)".to_owned()),
        _ => None,
    }
}

/// What a standby must show that is to serve at once.
fn serving(seen: &TargetSnapshot) -> Option<String> {
    match (&seen.ping, &seen.canary) {
        (Err(gap), _) => Some(format!("no answer ({})", gap.reason.as_str())),
        (Ok(_), CanaryResult::Failed(gap)) => {
            Some(format!("the write canary failed ({})", gap.reason.as_str()))
        }
        (Ok(_), CanaryResult::NotAsked) => Some("no write canary proved it".to_owned()),
        (Ok(_), CanaryResult::Written(_)) => None,
    }
}

fn control_plane(snapshot: Option<&Snapshot>) -> Fitness {
    let (unfitness, because) = match snapshot.and_then(|seen| seen.control.as_ref()) {
        None => (Ratio::ZERO, "not applicable: no cluster API is configured".to_owned()),
        Some(Ok(plane)) => match &plane.unavailable {
            None => (Ratio::ZERO, "the cluster calls it available".to_owned()),
            Some(code) => (Ratio::ONE, format!("the cluster calls it unavailable ({code})")),
        },
        Some(Err(gap)) => (Ratio::ONE, format!("the cluster's API does not say ({})", gap.reason.as_str())),
    };
    Fitness { dimension: Dimension::ControlPlane, unfitness, because }
}

fn lag(
    site: &Site,
    service: &Service,
    evidence: &Evidence,
    state: &State,
    now: Moment,
) -> (Fitness, Option<Reason>) {
    let policy = &service.policy;
    let has_control = evidence.snapshot(&site.name).is_some_and(|seen| seen.control.is_some());
    if service.topology == Topology::ActiveActive && !has_control {
        // Sites that all take writes show no replication offsets to compare: a person may judge that, the agent may not.
        let because = "not applicable: no cluster API is configured".to_owned();
        let fitness = Fitness { dimension: Dimension::Lag, unfitness: Ratio::ZERO, because };
        return (fitness, Some(Reason::LagUnknown));
    }
    // Each target has a replication stream of its own: without a cluster API the lag is measured for sites of one.
    let known = state
        .known_lag(&site.name, policy.lag_evidence_max_age, now)
        .filter(|_| has_control || site.targets.len() == 1);
    let Some(lag) = known else {
        let because = "no measurement recent enough before the outage".to_owned();
        let fitness = Fitness { dimension: Dimension::Lag, unfitness: Ratio::ONE, because };
        return (fitness, Some(Reason::LagUnknown));
    };
    let (soft, hard) = (policy.rpo_soft.as_secs_f64(), policy.rpo_hard.as_secs_f64());
    let seconds = lag.as_secs_f64();
    let unfitness = if seconds >= hard {
        Ratio::ONE
    } else {
        // hard > seconds here; soft may equal hard.
        Ratio::clamped((seconds - soft) / (hard - soft).max(f64::MIN_POSITIVE))
    };
    let because = format!("{seconds:.1} s behind when last measured");
    let limit = (seconds >= hard).then_some(Reason::LagAbove { seconds, limit_seconds: hard });
    (Fitness { dimension: Dimension::Lag, unfitness, because }, limit)
}

fn capacity(snapshot: Option<&Snapshot>, state: &State) -> Fitness {
    let worst = snapshot.map_or(Some(1.0), |seen| {
        let plane = seen.control.as_ref().and_then(|plane| plane.as_ref().ok());
        let limit = plane.and_then(|plane| plane.memory_limit_bytes);
        seen.targets
            .iter()
            .map(|t| share_of_memory(t, limit, state))
            .try_fold(0.0, |worst: f64, s| Some(worst.max(s?)))
    });
    let (unfitness, because) = match worst {
        Some(share) if snapshot.is_some() => (
            Ratio::clamped((share - CAPACITY_FREE) / (CAPACITY_FULL - CAPACITY_FREE)),
            format!("would use {:.0} % of its memory limit", share * 100.0),
        ),
        Some(_) | None => (Ratio::ONE, "its memory is unknown".to_owned()),
    };
    Fitness { dimension: Dimension::Capacity, unfitness, because }
}

/// `of_cluster` is the limit that the cluster's control plane tells: not every Redis tells its own.
fn share_of_memory(seen: &TargetSnapshot, of_cluster: Option<u64>, state: &State) -> Option<f64> {
    let facts = seen.facts.as_ref().ok()?;
    let told = facts.memory_max_bytes.filter(|max| *max > 0).or(of_cluster.filter(|max| *max > 0));
    let limit = match (told, facts.memory_max_bytes.or(of_cluster)) {
        (Some(limit), _) => limit,
        (None, Some(_)) => facts.memory_system_bytes?,
        (None, None) => return None,
    };
    let need = facts.memory_used_bytes?.max(state.active_memory_bytes().unwrap_or(0));
    (limit > 0).then(|| need as f64 / limit as f64)
}

fn topology(service: &Service) -> Fitness {
    let (unfitness, because) = match (service.topology, &service.promote) {
        (Topology::ActiveActive, _) => (Ratio::ZERO, "every site accepts writes"),
        (Topology::Replication | Topology::ReplicaOf, Some(_)) if promotes(service) => {
            (Ratio::ZERO, "a promotion is configured")
        }
        (Topology::Replication | Topology::ReplicaOf, _) => {
            (Ratio::ONE, "the standby must be promoted, and no promotion is configured")
        }
    };
    Fitness { dimension: Dimension::Topology, unfitness, because: because.to_owned() }
}

/// Whether a switch of this service promotes its target, by a way that fits the topology.
pub(super) fn promotes(service: &Service) -> bool {
    match (service.topology, &service.promote) {
        (Topology::ActiveActive, _) | (_, None) => false,
        (Topology::Replication, Some(promote)) => !promote.is_by_cluster(),
        (Topology::ReplicaOf, Some(promote)) => promote.is_by_cluster(),
    }
}

fn stability(site: &Site, state: &State) -> Fitness {
    let (good, all) = state.successes(&site.name);
    let bound = wilson_lower_bound(good, all);
    Fitness {
        dimension: Dimension::Stability,
        unfitness: bound.complement(),
        because: format!("{good} of the last {all} looks succeeded"),
    }
}

fn latency(snapshot: Option<&Snapshot>, deadline: Duration) -> Fitness {
    let worst = snapshot.and_then(|seen| {
        seen.targets
            .iter()
            .map(|t| t.ping.as_ref().ok().copied())
            .try_fold(Duration::ZERO, |w, p| Some(w.max(p?)))
    });
    let (unfitness, because) = match worst {
        Some(took) => {
            let share = took.as_secs_f64() / deadline.as_secs_f64().max(f64::MIN_POSITIVE);
            (
                Ratio::clamped((share - LATENCY_FREE) / (1.0 - LATENCY_FREE)),
                format!("answers in {:.1} ms", took.as_secs_f64() * 1e3),
            )
        }
        None => (Ratio::ONE, "no answer".to_owned()),
    };
    Fitness { dimension: Dimension::Latency, unfitness, because }
}

/// The lower end of the one-sided 95 % score interval of a ratio (E. B. Wilson, 1927); 0 without observations.
fn wilson_lower_bound(good: u32, all: u32) -> Ratio {
    const Z: f64 = 1.644_853_626_951;
    if all == 0 {
        return Ratio::ZERO;
    }
    let (n, p) = (f64::from(all), f64::from(good.min(all)) / f64::from(all));
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Ratio::clamped((centre - spread) / (1.0 + z2 / n))
}
