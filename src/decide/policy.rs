//! What stands against acting: one function for each veto.

use std::time::Duration;

use super::evidence::{Evidence, RecordReading};
use super::health::{Judgement, Sight};
use super::machine::{State, WARM_UP_ROUNDS};
use super::{Reason, TargetFitness};
use crate::config::{Flap, Mode, Promote, Service, Topology};
use crate::types::{Fence, FenceError, Gap, GapReason, Moment, RecordState, SiteName};

/// Vantages in different failure domains that automatic needs.
const VANTAGES_FOR_AUTOMATIC: usize = 3;

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

/// Reads the fence out of what the provider holds; `None` when there is no fence.
///
/// # Errors
/// There is one, and it cannot be read.
pub fn fence_of(state: &RecordState) -> Result<Option<Fence>, FenceError> {
    state.fence.as_ref().map(Fence::from_set).transpose()
}

/// The vetoes that come from the record and the fence, and the fence itself where it is sound.
pub(super) fn of_record(service: &Service, evidence: &Evidence) -> (Option<Fence>, Option<Veto>) {
    let view = match &evidence.record {
        RecordReading::Seen(view) => view,
        RecordReading::Unread(detail) => {
            return (None, hard(Reason::RecordUnread { detail: detail.clone() }));
        }
    };
    let known = evidence.controls.known_epoch;
    if evidence.controls.is_switching {
        // Record and fence are on their way between two known states; the switch itself checks every step.
        return (fence_of(&view.state).ok().flatten(), None);
    }
    let fence = match fence_of(&view.state) {
        Err(error) => return (None, halt(Reason::DamagedFence { detail: error.to_string() })),
        Ok(None) => {
            let veto = match known {
                None => halt(Reason::NotAdopted),
                Some(known) => halt(Reason::ForeignFence { known, found: String::new() }),
            };
            return (None, veto);
        }
        Ok(Some(fence)) => fence,
    };
    let values =
        view.state.record.as_ref().map(|set| set.values.iter().cloned().collect::<Vec<_>>().join(" "));
    let points_to = values.as_deref().and_then(|value| service.site_of_value(value));
    let veto = match (points_to, known) {
        (site, _) if site.map(|s| &s.name) != Some(&fence.active) => halt(Reason::ForeignRecord {
            found: values.unwrap_or_default(),
            active: fence.active.to_string(),
        }),
        (_, Some(known)) if known != fence.epoch => {
            halt(Reason::ForeignFence { known, found: fence.to_string() })
        }
        (_, None) => hard(Reason::UnfamiliarFence { epoch: fence.epoch }),
        (_, Some(_)) if fence.intent.is_some() => {
            halt(Reason::ForeignFence { known: fence.epoch, found: fence.to_string() })
        }
        (_, Some(_)) => None,
    };
    (Some(fence), veto)
}

/// The service is halted.
pub(super) fn halted(evidence: &Evidence) -> Option<Veto> {
    let why = evidence.controls.halted.clone()?;
    halt(Reason::Halted { why })
}

/// The journal takes no entries.
pub(super) fn durable(evidence: &Evidence) -> Option<Veto> {
    if evidence.controls.is_durable { None } else { halt(Reason::NotDurable) }
}

/// The clock jumped, or the agent stood still.
pub(super) fn disturbed(state: &State, now: Moment) -> Option<Veto> {
    if state.is_disturbed(now) { hard(Reason::Disturbed) } else { None }
}

/// Too few rounds were seen.
pub(super) fn warm_up(state: &State) -> Option<Veto> {
    let seen = state.rounds();
    if seen < WARM_UP_ROUNDS { hard(Reason::WarmingUp { seen, needed: WARM_UP_ROUNDS }) } else { None }
}

/// No majority of the configured vantages sees the site down.
pub(super) fn majority(down: usize, configured: usize) -> Option<Veto> {
    if down * 2 > configured { None } else { hard(Reason::NoMajority { down, configured }) }
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
    if evidence.controls.is_paused { soft(Reason::Paused) } else { None }
}

/// This agent does not lead.
pub(super) fn leading(evidence: &Evidence) -> Option<Veto> {
    if evidence.controls.is_leading { None } else { soft(Reason::NotLeading) }
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
    let configured = evidence.vantages_configured;
    if configured >= VANTAGES_FOR_AUTOMATIC || service.policy.accept_fewer_vantages {
        None
    } else {
        soft(Reason::FewVantages { configured })
    }
}

/// With fewer than three vantages a whole silent site is at most a recommendation.
pub(super) fn silence(active: &SiteName, judgement: &Judgement, evidence: &Evidence) -> Option<Veto> {
    let few = evidence.vantages_configured < VANTAGES_FOR_AUTOMATIC;
    if few && judgement.sight == Sight::Silent && judgement.is_down() {
        soft(Reason::SilentSite { site: active.clone() })
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
    let without_fencing = match &service.promote {
        Some(Promote::Replicaof { without_fencing }) => *without_fencing,
        None => return None,
    };
    if without_fencing || service.topology != Topology::Replication {
        return None;
    }
    let fenceable = evidence.snapshot(active).is_some_and(|seen| {
        let is_fenceable = |ping: &Result<Duration, Gap>| match ping {
            Ok(_) => true,
            Err(gap) => gap.reason == GapReason::Refused || gap.reason == GapReason::Loading,
        };
        !seen.targets.is_empty() && seen.targets.iter().all(|t| is_fenceable(&t.ping))
    });
    if fenceable { None } else { soft(Reason::Unfenceable { site: active.clone() }) }
}

/// The last switch is too recent.
pub(super) fn interval(service: &Service, evidence: &Evidence) -> Option<Veto> {
    let newest = evidence.controls.switch_ages.iter().min()?;
    let remaining = service.policy.min_auto_interval.checked_sub(*newest).filter(|r| !r.is_zero())?;
    soft(Reason::TooSoon { remaining_seconds: remaining.as_secs() })
}

/// The last attempt was abandoned within the life of a decision: people hear of it before the next try.
pub(super) fn attempt(service: &Service, evidence: &Evidence) -> Option<Veto> {
    let (age, why) = evidence.controls.abandoned.as_ref()?;
    if *age < service.policy.decision_ttl { soft(Reason::AttemptFailed { why: why.clone() }) } else { None }
}

/// Too many switches lately, with hysteresis.
pub(super) fn flapping(state: &mut State, flap: &Flap, penalty: f64) -> Option<Veto> {
    if state.suppress(penalty, flap.suppress, flap.reuse) { soft(Reason::Flapping { penalty }) } else { None }
}

/// `φ`: the decayed penalty of the switches nobody has acknowledged.
pub(super) fn penalty(flap: &Flap, ages: &[Duration]) -> f64 {
    ages.iter().map(|age| flap.penalty * (-age.as_secs_f64() / flap.half_life.as_secs_f64()).exp2()).sum()
}
