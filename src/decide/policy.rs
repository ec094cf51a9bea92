//! What stands against acting: one function for each veto.

use std::time::Duration;

use super::evidence::{Crowd, Evidence, Leadership, RecordReading, Request, RequestKind};
use super::fitness::promotes;
use super::health::{Judgement, Sight, answers_beside};
use super::machine::{State, WARM_UP_ROUNDS};
use super::outage::Outage;
use super::recovery::is_stale;
use super::{Reason, Recovery, TargetFitness};
use crate::config::{Flap, Mode, Promote, Service, Topology};
use crate::types::{
    Fence, FenceError, Gap, GapReason, Guard, Moment, RecordState, SiteName, Snapshot, TargetSnapshot,
};

/// Vantages in different failure domains that automatic needs.
pub(super) const VANTAGES_FOR_AUTOMATIC: usize = 3;
/// From so many services on that look down at once, more than half of all, the place is suspected.
const MASS_FAILURE_MIN: usize = 3;
/// A claim of another agent is dead when it has stood for the life of a decision and so long more, which its last step
/// may have taken.
const CLAIM_GRACE: Duration = Duration::from_secs(30);
/// The fence of an adoption is there before its entry in the journal, which comes within this time, or never.
const ADOPTION: Duration = Duration::from_secs(10);
/// Doublings of the wait after abandoned attempts.
const BACKOFF_DOUBLINGS_MAX: u32 = 10;

/// How strong a veto is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// At most a recommendation.
    Soft,
    /// Hold.
    Hard,
    /// Halt.
    Halt,
}

/// Something that stands against acting.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Veto {
    /// How strong.
    pub strength: Strength,
    /// Why.
    pub reason: Reason,
}

fn soft(reason: Reason) -> Option<Veto> {
    Some(Veto { strength: Strength::Soft, reason })
}

fn hard(reason: Reason) -> Option<Veto> {
    Some(Veto { strength: Strength::Hard, reason })
}

fn halt(reason: Reason) -> Option<Veto> {
    Some(Veto { strength: Strength::Halt, reason })
}

/// The veto of a guard, while it stands.
fn of(guard: Guard, veto: Option<Veto>) -> Option<Veto> {
    veto.filter(|_| guard.stands())
}

/// Reads the fence out of what the provider holds; `None` when there is no fence.
///
/// # Errors
/// There is one, and it cannot be read.
pub fn fence_of(state: &RecordState) -> Result<Option<Fence>, FenceError> {
    state.fence.as_ref().map(Fence::from_set).transpose()
}

/// What record and fence say.
pub(super) struct RecordCase {
    /// The fence, where it is sound.
    pub(super) fence: Option<Fence>,
    /// What stands against acting.
    pub(super) veto: Option<Veto>,
    /// The fence that another agent left, which this one must write down before it builds on it.
    pub(super) accepted: Option<Fence>,
    /// The fence carries the intent of a switch that nobody carries on with.
    pub(super) is_claim_dead: bool,
}

impl RecordCase {
    fn stopped(veto: Option<Veto>) -> Self {
        Self { fence: None, veto, accepted: None, is_claim_dead: false }
    }
}

/// Reads record and fence.
pub(super) fn of_record(
    service: &Service,
    evidence: &Evidence,
    state: &mut State,
    now: Moment,
) -> RecordCase {
    let view = match &evidence.record {
        RecordReading::Seen(view) => view,
        RecordReading::Unread(detail) => {
            let reason = Reason::RecordUnread { detail: detail.clone() };
            // Where it was known before, a person can still be told what to do.
            let strength = if state.has_active() { Strength::Soft } else { Strength::Hard };
            return RecordCase::stopped(Some(Veto { strength, reason }));
        }
        RecordReading::Refused(detail) => {
            return RecordCase::stopped(halt(Reason::RecordRefused { detail: detail.clone() }));
        }
    };
    let known = evidence.controls.known_epoch;
    if evidence.controls.is_switching {
        // Record and fence are on their way between two known states; the switch itself checks every step.
        let first = view.state.parted().map(|(first, _)| first);
        let seen = first.as_ref().unwrap_or(&view.state);
        return RecordCase { fence: fence_of(seen).ok().flatten(), ..RecordCase::stopped(None) };
    }
    if let Some((first, second)) = view.state.parted() {
        return RecordCase::stopped(apart(&first, &second, service, evidence, state, now));
    }
    let fence = match fence_of(&view.state) {
        Err(error) => return RecordCase::stopped(halt(Reason::DamagedFence { detail: error.to_string() })),
        Ok(None) => {
            return RecordCase::stopped(match known {
                None => of(Guard::MissingFence, halt(Reason::NotAdopted)),
                Some(known) => {
                    of(Guard::MissingFence, halt(Reason::ForeignFence { known, found: String::new() }))
                }
            });
        }
        Ok(Some(fence)) => fence,
    };
    let is_fellows = evidence.is_fellow(&fence.owner);
    let values = view.state.record.as_ref().map(|set| &set.values);
    let points_to = values.and_then(|values| service.site_of(values));
    let (mut accepted, mut is_claim_dead) = (None, false);
    let veto = match (points_to, known) {
        (site, _) if site.map(|s| &s.name) != Some(&fence.active) => halt(Reason::ForeignRecord {
            found: values.map(|v| v.iter().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default(),
            active: fence.active.to_string(),
        }),
        (_, known)
            if is_adoption(&fence, known, evidence) && state.claim_age(fence.epoch, now) < ADOPTION =>
        {
            hard(Reason::Adopting { epoch: fence.epoch })
        }
        (_, None) => halt(Reason::UnfamiliarFence { epoch: fence.epoch }),
        (_, Some(known)) if fence.epoch > known && is_fellows => {
            accepted = Some(fence.clone());
            hard(fellow(&fence))
        }
        (_, Some(known)) if known != fence.epoch => {
            halt(Reason::ForeignFence { known, found: fence.to_string() })
        }
        (_, Some(_)) if fence.intent.is_none() => None,
        // A claim of this installation: whoever made it may still carry on, and is waited for.
        (_, Some(_)) if is_fellows || fence.owner == evidence.agent => {
            let limit = service.policy.decision_ttl.saturating_add(CLAIM_GRACE);
            is_claim_dead = state.claim_age(fence.epoch, now) >= limit;
            if is_claim_dead { None } else { hard(fellow(&fence)) }
        }
        (_, Some(_)) => halt(Reason::ForeignFence { known: fence.epoch, found: fence.to_string() }),
    };
    RecordCase { fence: Some(fence), veto, accepted, is_claim_dead }
}

/// Whether a person beside this agent has just written a fence that its journal does not know.
fn is_adoption(fence: &Fence, known: Option<u64>, evidence: &Evidence) -> bool {
    let is_news = known.is_none_or(|known| fence.epoch > known);
    is_news && fence.is_of_adoption() && fence.intent.is_none() && fence.owner == evidence.agent
}

/// Two zones of the record do not hold the same. Another agent of this installation may be between its two changes and is
/// waited for as long as its decision lives; whatever else left them so, a person must look.
fn apart(
    first: &RecordState,
    second: &RecordState,
    service: &Service,
    evidence: &Evidence,
    state: &mut State,
    now: Moment,
) -> Option<Veto> {
    let newer = fence_of(first).ok().flatten();
    let older = fence_of(second).ok().flatten();
    let under_way = newer.zip(older).filter(|(n, o)| n.epoch > o.epoch && evidence.is_fellow(&n.owner));
    if let Some((fence, _)) = under_way {
        let limit = service.policy.decision_ttl.saturating_add(CLAIM_GRACE);
        if state.claim_age(fence.epoch, now) < limit {
            return hard(fellow(&fence));
        }
    }
    let told = |held: &RecordState| {
        let sets = [&held.record, &held.fence].into_iter().flatten();
        sets.flat_map(|set| &set.values).cloned().collect::<Vec<_>>().join(", ")
    };
    halt(Reason::ZonesApart { public: told(first), private: told(second) })
}

fn fellow(fence: &Fence) -> Reason {
    let owner = fence.owner.clone();
    match &fence.intent {
        Some(to) => Reason::FellowClaims { owner, to: to.clone() },
        None => Reason::FellowActed { owner, epoch: fence.epoch, active: fence.active.clone() },
    }
}

/// The service is halted.
pub(super) fn halted(evidence: &Evidence) -> Option<Veto> {
    let why = evidence.controls.halted.clone()?;
    of(Guard::Halt, halt(Reason::Halted { why }))
}

/// The journal takes no entries.
pub(super) fn durable(evidence: &Evidence) -> Option<Veto> {
    let is_durable = evidence.controls.is_durable;
    of(Guard::AuditBeforeAct, if is_durable { None } else { halt(Reason::NotDurable) })
}

/// The agent mistrusts itself.
pub(super) fn doubted(doubts: &[Reason]) -> impl Iterator<Item = Veto> + '_ {
    doubts.iter().cloned().filter_map(hard)
}

/// Many services look down at once, and there are too few vantages to tell the place from the services.
pub(super) fn mass_failure(evidence: &Evidence) -> Option<Veto> {
    let reason = mass(evidence)?;
    if evidence.vantages_configured() < VANTAGES_FOR_AUTOMATIC { soft(reason) } else { None }
}

/// Many services look down at once from here.
pub(super) fn mass(evidence: &Evidence) -> Option<Reason> {
    let Crowd { down, total } = evidence.crowd;
    (down >= MASS_FAILURE_MIN && down * 2 > total).then_some(Reason::MassFailure { down, total })
}

/// The service, or the active site, is in maintenance.
pub(super) fn maintenance(
    active: Option<&SiteName>,
    service: &Service,
    evidence: &Evidence,
    now: Moment,
) -> Option<Veto> {
    let ordered = evidence.controls.maintenance.iter().map(Option::as_ref);
    let planned = service.maintained(now);
    let site = ordered.chain(planned).find(|site| site.is_none() || *site == active)?;
    soft(Reason::Maintenance { site: site.cloned() })
}

/// Whether a standby is in maintenance: it is never chosen then.
pub(super) fn is_maintained(site: &SiteName, service: &Service, evidence: &Evidence, now: Moment) -> bool {
    let ordered = evidence.controls.maintenance.iter().map(Option::as_ref);
    ordered.chain(service.maintained(now)).any(|maintained| maintained == Some(site))
}

/// A person has asked for quiet about incidents of the active site. An Alertmanager that does not answer is no silence.
pub(super) fn silenced(active: &SiteName, evidence: &Evidence) -> Option<Veto> {
    let silences = evidence.surroundings.silenced.as_ref()?.as_ref().ok()?;
    let silence = silences.get(active)?;
    soft(Reason::Silenced {
        id: silence.id.clone(),
        by: silence.by.clone(),
        comment: silence.comment.clone(),
    })
}

/// The service only rehearses.
pub(super) fn dry_run(service: &Service) -> Option<Veto> {
    if service.dry_run { soft(Reason::DryRun) } else { None }
}

/// Too few rounds were seen.
pub(super) fn warm_up(state: &State) -> Option<Veto> {
    let seen = state.rounds();
    if seen < WARM_UP_ROUNDS { hard(Reason::WarmingUp { seen, needed: WARM_UP_ROUNDS }) } else { None }
}

/// No majority of the configured vantages sees the site down.
pub(super) fn majority(down: usize, configured: usize) -> Option<Veto> {
    let is_majority = down * 2 > configured;
    of(Guard::Quorum, if is_majority { None } else { hard(Reason::NoMajority { down, configured }) })
}

/// A switch is under way.
pub(super) fn switching(evidence: &Evidence) -> Option<Veto> {
    if evidence.controls.is_switching { hard(Reason::Switching) } else { None }
}

/// No standby has just passed every mandatory check.
pub(super) fn target(best: Option<&TargetFitness>) -> Option<Veto> {
    match best {
        None => hard(Reason::NoTarget { site: None, detail: "there is no standby".to_owned() }),
        Some(best) => match &best.not_ready {
            Some(detail) => hard(Reason::NoTarget { site: Some(best.site.clone()), detail: detail.clone() }),
            None => None,
        },
    }
}

/// What limits the target to a recommendation.
pub(super) fn limits(best: Option<&TargetFitness>) -> impl Iterator<Item = Veto> {
    best.into_iter().flat_map(|b| b.limits.iter().cloned().filter_map(soft))
}

/// A person has paused the service.
pub(super) fn paused(evidence: &Evidence) -> Option<Veto> {
    of(Guard::Pause, if evidence.controls.is_paused { soft(Reason::Paused) } else { None })
}

/// This agent does not lead.
pub(super) fn leading(evidence: &Evidence) -> Option<Veto> {
    let veto = match evidence.controls.leadership {
        Leadership::Leads => None,
        Leadership::Follows => soft(Reason::NotLeading),
        Leadership::Unknown => soft(Reason::NoLeader),
    };
    of(Guard::Leadership, veto)
}

/// The mode allows no more.
pub(super) fn mode(service: &Service) -> Option<Veto> {
    match service.mode {
        Mode::Automatic => None,
        mode @ Mode::Recommend => soft(Reason::Mode { mode }),
        mode @ Mode::Observe => hard(Reason::Mode { mode }),
    }
}

/// Automatic needs three failure domains, or an explicit word.
pub(super) fn vantages(service: &Service, evidence: &Evidence) -> Option<Veto> {
    let configured = evidence.vantages_configured();
    if configured >= VANTAGES_FOR_AUTOMATIC || service.policy.accept_fewer_vantages {
        None
    } else {
        soft(Reason::FewVantages { configured })
    }
}

/// With fewer than three vantages a whole silent site is at most a recommendation.
pub(super) fn silence(active: &SiteName, outage: &Outage<'_>, evidence: &Evidence) -> Option<Veto> {
    let few = evidence.vantages_configured() < VANTAGES_FOR_AUTOMATIC;
    if few && outage.sight == Sight::Silent && outage.is_seen() {
        of(Guard::SilentSite, soft(Reason::SilentSite { site: active.clone() }))
    } else {
        None
    }
}

/// Faults that people make and mend in seconds never move traffic by themselves, whatever the weights.
pub(super) fn config_fault(active: &SiteName, judgement: &Judgement) -> Option<Veto> {
    let gap = judgement.gap.as_ref().map(|gap| gap.reason).filter(|reason| reason.is_config_fault())?;
    soft(Reason::ConfigFault { site: active.clone(), gap: gap.as_str().to_owned() })
}

/// The old primary can be neither paused nor proven gone. Only asked where a promotion is needed.
pub(super) fn fencing(active: &SiteName, service: &Service, evidence: &Evidence) -> Option<Veto> {
    if service.promote.as_ref().is_none_or(Promote::without_fencing) || !promotes(service) {
        return None;
    }
    let fenceable = evidence.snapshot(active).is_some_and(|seen| {
        let is_there = is_host_there(active, seen, evidence);
        if service.topology == Topology::ReplicaOf {
            // A proxy cannot be told to pause; the cluster can be told to stop the database's traffic.
            let has_cluster = seen.control.as_ref().is_some_and(Result::is_ok);
            let is_gone = |t: &TargetSnapshot| {
                t.ping.as_ref().is_err_and(|gap| gap.reason == GapReason::Refused) && is_there
            };
            return has_cluster || (!seen.targets.is_empty() && seen.targets.iter().all(is_gone));
        }
        let is_fenceable = |ping: &Result<Duration, Gap>| match ping {
            Ok(_) => true,
            Err(gap) => (gap.reason == GapReason::Refused && is_there) || gap.reason == GapReason::Loading,
        };
        !seen.targets.is_empty() && seen.targets.iter().all(|t| is_fenceable(&t.ping))
    });
    of(Guard::Fencing, if fenceable { None } else { soft(Reason::Unfenceable { site: active.clone() }) })
}

/// Whether a refused connection was refused by the site's own host: something else there answers, or nothing else is
/// looked at there.
fn is_host_there(active: &SiteName, seen: &Snapshot, evidence: &Evidence) -> bool {
    let vantages = evidence.vantages.iter().filter(|v| v.failure_domain == *active).map(|v| v.said.is_ok());
    let beside = answers_beside(seen).into_iter().chain(vantages);
    beside.reduce(|any, answers| any || answers).unwrap_or(true)
}

/// The last switch is too recent.
pub(super) fn interval(service: &Service, evidence: &Evidence) -> Option<Veto> {
    let newest = evidence.controls.switch_ages.iter().min()?;
    let remaining = service.policy.min_auto_interval.checked_sub(*newest).filter(|r| !r.is_zero())?;
    of(Guard::Interval, soft(Reason::TooSoon { remaining_seconds: remaining.as_secs() }))
}

/// The last attempt was abandoned a short while ago: people hear of it before the next try, and each further failure
/// doubles the wait, up to the interval between switches.
pub(super) fn attempt(service: &Service, evidence: &Evidence) -> Option<Veto> {
    let abandoned = evidence.controls.abandoned.as_ref()?;
    let policy = &service.policy;
    let doublings = abandoned.count.saturating_sub(1).min(BACKOFF_DOUBLINGS_MAX);
    let wait = policy.decision_ttl.saturating_mul(1 << doublings);
    let wait = wait.min(policy.min_auto_interval.max(policy.decision_ttl));
    if abandoned.age < wait { soft(Reason::AttemptFailed { why: abandoned.why.clone() }) } else { None }
}

/// Whether nothing measures how far a standby is behind: all sites take writes, and no cluster is asked.
pub(super) fn is_unmeasured(site: &SiteName, service: &Service, evidence: &Evidence) -> bool {
    let has_control = evidence.snapshot(site).is_some_and(|seen| seen.control.is_some());
    service.topology == Topology::ActiveActive && !has_control
}

/// Going back leads to the site that was left last, once it was fit for as long as the recommendation asks for; a person
/// may go earlier.
pub(super) fn failback(request: &Request, recovery: Option<&Recovery>) -> Option<Veto> {
    let site = request.to.clone();
    let recovery = recovery.filter(|recovery| recovery.site == request.to);
    match (request.kind, recovery) {
        (RequestKind::Failover, _) => None,
        (RequestKind::Failback | RequestKind::EarlyFailback, None) => hard(Reason::NotLeft { site }),
        (RequestKind::EarlyFailback, Some(_)) => None,
        (RequestKind::Failback, Some(recovery)) => {
            let (healthy_seconds, needed_seconds) = (recovery.healthy_seconds, recovery.needed_seconds);
            let is_stable = healthy_seconds.is_some_and(|seconds| seconds >= needed_seconds);
            let seconds = healthy_seconds.unwrap_or(0);
            if is_stable { None } else { hard(Reason::NotStable { site, seconds, needed_seconds }) }
        }
    }
}

/// A planned switch loses nothing: its target must be in step.
pub(super) fn in_step(
    to: &SiteName,
    service: &Service,
    evidence: &Evidence,
    state: &State,
    now: Moment,
) -> Option<Veto> {
    if is_unmeasured(to, service, evidence) {
        return None;
    }
    if evidence.snapshot(to).is_some_and(is_stale) {
        return hard(Reason::NotInStep { site: to.clone(), seconds: None });
    }
    let lag = state.known_lag(to, service.policy.lag_evidence_max_age, now);
    if lag.is_some_and(|lag| lag <= service.policy.rpo_soft) {
        return None;
    }
    hard(Reason::NotInStep { site: to.clone(), seconds: lag.map(|lag| lag.as_secs_f64()) })
}

/// Too many switches lately, with hysteresis.
pub(super) fn flapping(state: &mut State, flap: &Flap, penalty: f64) -> Option<Veto> {
    let is_suppressed = state.suppress(penalty, flap.suppress, flap.reuse);
    if is_suppressed { soft(Reason::Flapping { penalty }) } else { None }
}

/// `φ`: the decayed penalty of the switches nobody has acknowledged.
pub(super) fn penalty(flap: &Flap, ages: &[Duration]) -> f64 {
    let ages = if Guard::Flapping.stands() { ages } else { &[] };
    ages.iter().map(|age| flap.penalty * (-age.as_secs_f64() / flap.half_life.as_secs_f64()).exp2()).sum()
}
