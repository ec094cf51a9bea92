//! What the vantages say of a site, and how far the confirm window is.

use super::Reason;
use super::evidence::Evidence;
use super::health::{DOWN_SEVERITY, Judgement, Sight};
use super::machine::State;
use crate::config::Service;
use crate::types::{Moment, Ratio, SiteName};

/// What the vantages say of the active site.
pub(super) struct Outage<'a> {
    pub(super) judgement: &'a Judgement,
    /// `m` of the vantage group.
    pub(super) strength: Option<Ratio>,
    pub(super) down_votes: usize,
}

impl<'a> Outage<'a> {
    pub(super) fn of(
        active: &SiteName,
        judgements: &'a [(SiteName, Judgement)],
        evidence: &Evidence,
    ) -> Self {
        static UNSEEN: Judgement = Judgement { severity: None, sight: Sight::Silent, gap: None };
        let judgement = judgements.iter().find(|(site, _)| site == active).map_or(&UNSEEN, |(_, j)| j);
        // One vote for each failure domain. Where two from one place differ, the milder one counts, and not to know
        // is the mildest.
        let mut votes = vec![(&evidence.failure_domain, judgement.severity)];
        for vote in evidence.votes.iter().filter(|v| v.site == *active) {
            match votes.iter_mut().find(|(domain, _)| **domain == vote.failure_domain) {
                Some((_, severity)) if vote.severity < *severity => *severity = vote.severity,
                Some(_) => {}
                None => votes.push((&vote.failure_domain, vote.severity)),
            }
        }
        let known: Vec<f64> = votes.iter().filter_map(|(_, s)| s.map(Ratio::get)).collect();
        let configured = evidence.vantages_configured.max(1) as f64;
        Self {
            judgement,
            strength: (!known.is_empty()).then(|| Ratio::clamped(known.iter().sum::<f64>() / configured)),
            down_votes: known.iter().filter(|s| **s >= DOWN_SEVERITY).count(),
        }
    }

    pub(super) fn is_majority_down(&self, evidence: &Evidence) -> bool {
        self.down_votes * 2 > evidence.vantages_configured
    }

    /// Whether anybody sees the active site down.
    pub(super) fn is_seen(&self) -> bool {
        self.down_votes > 0
    }

    /// Whether this agent sees the active site serve, and nobody sees it down.
    pub(super) fn is_served(&self) -> bool {
        self.judgement.severity.is_some() && self.judgement.gap.is_none() && !self.is_seen()
    }
}

/// How far the confirm window is.
pub(super) struct Window {
    pub(super) reason: Reason,
    pub(super) is_full: bool,
    pub(super) has_begun: bool,
}

impl Window {
    pub(super) fn of(
        active: &SiteName,
        outage: Option<&Outage<'_>>,
        state: &State,
        service: &Service,
        now: Moment,
    ) -> Self {
        let silent = outage.is_some_and(|o| o.judgement.sight == Sight::Silent);
        let policy = &service.policy;
        let needed = if silent { policy.isolation_confirm } else { policy.confirm_window };
        let (lasted, rounds) = state.down_for(active, now);
        Self {
            reason: Reason::Confirming {
                seconds: lasted.as_secs(),
                seconds_needed: needed.as_secs(),
                rounds,
                rounds_needed: policy.confirm_rounds,
            },
            is_full: rounds > 0 && lasted >= needed && rounds >= policy.confirm_rounds,
            has_begun: rounds > 0,
        }
    }
}
