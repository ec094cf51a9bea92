//! What the vantages say of a site, and how far the confirm window is.

use super::Reason;
use super::evidence::Evidence;
use super::health::{DOWN_SEVERITY, Judgement, Sight};
use super::machine::State;
use crate::config::Service;
use crate::types::{Guard, Moment, Ratio, SiteName, Vote};

/// Whether this agent may believe its own eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It may.
    Sound,
    /// It doubts itself: its own vote is missing.
    Doubtful,
}

/// What the vantages say of one site.
pub(super) struct Outage<'a> {
    /// What this agent makes of it.
    pub(super) judgement: &'a Judgement,
    /// `m` of the vantage group.
    pub(super) strength: Option<Ratio>,
    pub(super) down_votes: usize,
    /// Failure domains that see it up.
    up_votes: usize,
    /// Silent only while no vantage has a sign of life.
    pub(super) sight: Sight,
    /// `m` of the domain group: a majority of the configured vantages finds all else there silent.
    pub(super) domain: Option<Ratio>,
}

/// What one failure domain says.
struct Ballot {
    severity: Option<Ratio>,
    is_domain_silent: Option<bool>,
}

impl<'a> Outage<'a> {
    pub(super) fn of(
        site: &SiteName,
        judgements: &'a [(SiteName, Judgement)],
        evidence: &Evidence,
        trust: Trust,
    ) -> Self {
        static UNSEEN: Judgement =
            Judgement { severity: None, sight: Sight::Silent, gap: None, is_domain_silent: None };
        let judgement = judgements.iter().find(|(name, _)| name == site).map_or(&UNSEEN, |(_, j)| j);
        let own = match trust {
            Trust::Sound => own_vote(site, judgement),
            Trust::Doubtful => missing_vote(site),
        };
        let missing = missing_vote(site);
        let others = evidence.vantages.iter().map(|vantage| {
            let votes = vantage.said.as_ref().map_or(&[][..], |report| report.votes.as_slice());
            (&vantage.failure_domain, votes.iter().find(|v| v.site == *site).unwrap_or(&missing))
        });
        // One ballot for each failure domain. Where two from one place differ, the milder one counts, and not to know,
        // or not to answer, is the mildest: what is missing never makes anything bolder.
        let mut ballots: Vec<(&SiteName, Ballot)> = Vec::with_capacity(evidence.vantages.len() + 1);
        let mut has_life = false;
        for (domain, vote) in std::iter::once((&evidence.failure_domain, &own)).chain(others) {
            has_life |= vote.severity.is_some() && !vote.is_silent;
            let said = Ballot { severity: vote.severity, is_domain_silent: vote.is_domain_silent };
            match ballots.iter_mut().find(|(known, _)| *known == domain) {
                None => ballots.push((domain, said)),
                Some((_, earlier)) => {
                    if said.severity < earlier.severity {
                        earlier.severity = said.severity;
                    }
                    earlier.is_domain_silent = said.is_domain_silent.min(earlier.is_domain_silent);
                }
            }
        }
        let configured = evidence.vantages_configured();
        let known: Vec<f64> = ballots.iter().filter_map(|(_, b)| b.severity.map(Ratio::get)).collect();
        Self {
            judgement,
            strength: (!known.is_empty())
                .then(|| Ratio::clamped(known.iter().sum::<f64>() / configured.max(1) as f64)),
            down_votes: known.iter().filter(|s| **s >= DOWN_SEVERITY).count(),
            up_votes: known.iter().filter(|s| **s < DOWN_SEVERITY).count(),
            sight: if has_life { Sight::Answers } else { Sight::Silent },
            domain: domain(ballots.iter().map(|(_, ballot)| ballot), configured),
        }
    }

    pub(super) fn is_majority_down(&self, evidence: &Evidence) -> bool {
        self.down_votes * 2 > evidence.vantages_configured() || (self.is_seen() && !Guard::Quorum.stands())
    }

    /// Whether a majority sees the site up, this agent included.
    pub(super) fn is_majority_up(&self, evidence: &Evidence) -> bool {
        let own = self.judgement.severity.is_some() && self.judgement.gap.is_none();
        own && self.up_votes * 2 > evidence.vantages_configured()
    }

    /// Whether anybody sees the site down.
    pub(super) fn is_seen(&self) -> bool {
        self.down_votes > 0
    }

    /// Whether this agent sees the site serve, and nobody sees it down.
    pub(super) fn is_served(&self) -> bool {
        self.judgement.severity.is_some() && self.judgement.gap.is_none() && !self.is_seen()
    }
}

fn missing_vote(site: &SiteName) -> Vote {
    Vote { site: site.clone(), severity: None, is_silent: true, is_domain_silent: None }
}

/// What this agent tells others of a site.
pub(super) fn own_vote(site: &SiteName, judgement: &Judgement) -> Vote {
    Vote {
        site: site.clone(),
        severity: judgement.severity,
        is_silent: judgement.sight == Sight::Silent,
        is_domain_silent: judgement.is_domain_silent,
    }
}

fn domain<'a>(ballots: impl Iterator<Item = &'a Ballot>, configured: usize) -> Option<Ratio> {
    let said: Vec<bool> = ballots.filter_map(|b| b.is_domain_silent).collect();
    let silent = said.iter().filter(|silent| **silent).count();
    match said.len() {
        0 => None,
        _ if silent * 2 > configured => Some(Ratio::ONE),
        _ => Some(Ratio::ZERO),
    }
}

/// How far the confirm window is.
pub(super) struct Window {
    pub(super) reason: Reason,
    pub(super) is_full: bool,
    pub(super) has_begun: bool,
    /// The site is down for as long as a dead service must be, whether or not that is enough for a silent one.
    pub(super) is_long: bool,
}

impl Window {
    pub(super) fn of(
        active: &SiteName,
        outage: Option<&Outage<'_>>,
        state: &State,
        service: &Service,
        now: Moment,
    ) -> Self {
        let is_silent = outage.is_some_and(|o| o.sight == Sight::Silent) && Guard::Isolation.stands();
        let policy = &service.policy;
        let needed = if is_silent { policy.isolation_confirm } else { policy.confirm_window };
        let (lasted, rounds) = state.down_for(active, now);
        let has_rounds = rounds > 0 && rounds >= policy.confirm_rounds;
        Self {
            reason: Reason::Confirming {
                seconds: lasted.as_secs(),
                seconds_needed: needed.as_secs(),
                rounds,
                rounds_needed: policy.confirm_rounds,
            },
            is_full: has_rounds && lasted >= needed,
            has_begun: rounds > 0,
            is_long: has_rounds && lasted >= policy.confirm_window,
        }
    }
}
