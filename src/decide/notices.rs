//! What people must hear of whatever the verdict is.

use super::Reason;
use super::evidence::{Evidence, RecordReading};
use super::health::Judgement;
use super::machine::State;
use super::outage::Outage;
use super::policy::mass;
use super::reason::Source;
use super::terms::is_unreachable;
use crate::config::Service;
use crate::types::{Gap, Moment, Ratio, SiteName};

/// From this score on an anomaly is worth a line.
const ANOMALOUS_FROM: f64 = 0.95;

/// The facts of one round that notices are made of.
pub(super) struct Scene<'a> {
    pub(super) active: Option<&'a SiteName>,
    pub(super) outage: Option<&'a Outage<'a>>,
    pub(super) judgements: &'a [(SiteName, Judgement)],
    pub(super) service: &'a Service,
    pub(super) evidence: &'a Evidence,
    pub(super) state: &'a State,
    pub(super) now: Moment,
}

impl Scene<'_> {
    /// All notices.
    pub(super) fn notices(&self) -> Vec<Reason> {
        let mut notices = Vec::new();
        for (site, judgement) in self.judgements {
            notices.extend(refusal(site, judgement));
            notices.extend(self.standby(site));
            notices.extend(self.control(site));
        }
        notices.extend(self.slow());
        notices.extend(self.client());
        notices.extend(self.silences());
        notices.extend(self.anomalous());
        notices.extend(self.ttl());
        // With a majority the services themselves are down.
        let is_confirmed = self.outage.is_some_and(|o| o.is_majority_down(self.evidence));
        notices.extend(mass(self.evidence).filter(|_| !is_confirmed));
        notices
    }

    fn is_serving(&self) -> bool {
        self.outage.is_some_and(|o| o.is_majority_up(self.evidence))
    }

    /// A standby that does not serve, is far behind, or has lost its link while the active site serves.
    fn standby(&self, site: &SiteName) -> Option<Reason> {
        let is_standby = self.active.is_some_and(|a| a != site) && self.service.site(site).is_some();
        let seen = self.evidence.snapshot(site).filter(|_| is_standby)?;
        let rounds = self.service.policy.confirm_rounds;
        if seen.targets.iter().any(|t| t.ping.is_err()) {
            let (_, down_rounds) = self.state.down_for(site, self.now);
            let lasts = down_rounds >= rounds;
            return lasts.then(|| Reason::StandbyDown { site: site.clone() });
        }
        if !self.is_serving() {
            return None;
        }
        if self.state.link_down_rounds(site) >= rounds {
            return Some(Reason::LinkDown { site: site.clone() });
        }
        let policy = &self.service.policy;
        let lag = self.state.known_lag(site, policy.lag_evidence_max_age, self.now)?;
        let seconds = lag.as_secs_f64();
        (lag >= policy.rpo_hard).then(|| Reason::StandbyBehind { site: site.clone(), seconds })
    }

    /// A control plane that calls its database unavailable although it answers, or that says nothing.
    fn control(&self, site: &SiteName) -> Option<Reason> {
        match self.evidence.snapshot(site)?.control.as_ref()? {
            Ok(plane) => {
                let code = plane.unavailable.clone()?;
                Some(Reason::ControlUnavailable { site: site.clone(), code })
            }
            Err(gap) => Some(silent(Source::Control, Some(site), gap)),
        }
    }

    fn client(&self) -> Option<Reason> {
        let gap = self.evidence.surroundings.client_errors.as_ref()?.as_ref().err()?;
        Some(silent(Source::Client, None, gap))
    }

    fn silences(&self) -> Option<Reason> {
        let gap = self.evidence.surroundings.silenced.as_ref()?.as_ref().err()?;
        Some(silent(Source::Silences, None, gap))
    }

    /// The active site serves, but slower than it usually does.
    fn slow(&self) -> Option<Reason> {
        let (active, outage) = self.active.zip(self.outage).filter(|(_, o)| o.is_served())?;
        let rounds = self.service.policy.confirm_rounds;
        let conspicuous = self.state.slowness(active, rounds);
        let is_degraded = outage.judgement.severity.is_some_and(|s| s > Ratio::ZERO);
        let (took, usual) = conspicuous.or_else(|| self.state.slowness(active, 0).filter(|_| is_degraded))?;
        let milliseconds = |d: std::time::Duration| d.as_secs_f64() * 1e3;
        Some(Reason::Slow { milliseconds: milliseconds(took), usual_milliseconds: milliseconds(usual) })
    }

    fn anomalous(&self) -> Option<Reason> {
        let score = self.evidence.anomaly(self.active)?.get();
        let is_served = self.outage.is_some_and(Outage::is_served);
        (is_served && score >= ANOMALOUS_FROM).then_some(Reason::Anomalous { score })
    }

    fn ttl(&self) -> Option<Reason> {
        let RecordReading::Seen(view) = &self.evidence.record else { return None };
        let found_seconds = view.state.record.as_ref()?.ttl_seconds;
        let configured_seconds = self.service.record.ttl_seconds;
        (found_seconds != configured_seconds)
            .then_some(Reason::TtlDrift { found_seconds, configured_seconds })
    }
}

fn refusal(site: &SiteName, judgement: &Judgement) -> Option<Reason> {
    let gap = judgement.gap.as_ref().map(|g| g.reason).filter(|reason| reason.is_config_fault())?;
    Some(Reason::ConfigFault { site: site.clone(), gap: gap.as_str().to_owned() })
}

/// Bounded words: whatever kept the answer away counts as unreachable.
fn silent(source: Source, site: Option<&SiteName>, gap: &Gap) -> Reason {
    let gap = if is_unreachable(gap.reason) { "unreachable" } else { gap.reason.as_str() };
    Reason::SourceSilent { source, site: site.cloned(), gap: gap.to_owned() }
}
