//! The front door: state, evidence, rules and a moment in; a new state and a decision out.

use std::collections::BTreeMap;

use super::confidence::Vetoed;
use super::decision::{AlertLevel, Decision, Plan, StandingOrder, Verdict};
use super::evidence::{Evidence, FiringAlert, RecordReading};
use super::health::{DOWN_SEVERITY, Duty, Health, Judgement, Sight, judge};
use super::machine::State;
use super::{Confidence, Group, Reason, Strength, TargetFitness, Term, Veto, fitness, policy};
use crate::config::{Service, Topology};
use crate::types::{AlertKey, Fence, Moment, Ratio, Role, SiteName};

/// The penalty that halves the damping, after the notes on route flap damping in RFC 2439.
const DAMPING_SCALE: f64 = 2000.0;

/// Decides about one service.
#[must_use]
pub fn step(state: &State, evidence: &Evidence, service: &Service, now: Moment) -> (State, Decision) {
    let mut state = state.clone();
    state.begin(evidence, now);
    state.decisions = state.decisions.saturating_add(1);

    let (fence, record_veto) = policy::of_record(service, evidence);
    let named = fence.as_ref().map(|f| f.active.clone()).filter(|name| service.site(name).is_some());
    let active = state.active(named, matches!(evidence.record, RecordReading::Seen(_)));
    let judgements = judgements(active.as_ref(), &state, evidence, service, now);
    let outage = active.as_ref().map(|active| Outage::of(active, &judgements, evidence));
    for (site, judgement) in &judgements {
        let is_down = Outage::of(site, &judgements, evidence).is_majority_down(evidence);
        state.note_verdict(site, is_down, judgement, now);
    }
    if let Some(active) = &active {
        state.note_lags(active, evidence, now);
    }

    let standbys = standbys(active.as_ref(), service, evidence, &state, now);
    let best = best(&standbys);
    let may_order = record_veto.is_none() && is_settled(fence.as_ref(), evidence);
    let mut vetoes: Vec<Veto> = record_veto.into_iter().collect();
    vetoes.extend(policy::halted(evidence));
    vetoes.extend(policy::durable(evidence));
    vetoes.extend(policy::disturbed(&state, now));
    vetoes.extend(policy::warm_up(&state));
    vetoes.extend(policy::switching(evidence));
    if let (Some(active), Some(outage)) = (&active, &outage) {
        vetoes.extend(policy::majority(outage.down_votes, evidence.vantages_configured));
        vetoes.extend(policy::silence(active, outage.judgement, evidence));
        vetoes.extend(policy::config_fault(active, outage.judgement));
        vetoes.extend(policy::fencing(active, service, evidence));
    }
    vetoes.extend(policy::target(best));
    vetoes.extend(policy::limits(best));
    vetoes.extend(policy::vantages(service, evidence));
    vetoes.extend(policy::paused(evidence));
    vetoes.extend(policy::leading(evidence));
    vetoes.extend(policy::mode(service));
    vetoes.extend(policy::interval(service, evidence));
    vetoes.extend(policy::attempt(service, evidence));
    let penalty = policy::penalty(&service.policy.flap, &evidence.controls.switch_ages);
    vetoes.extend(policy::flapping(&mut state, &service.policy.flap, penalty));

    let terms = terms(active.as_ref(), outage.as_ref(), service, evidence);
    let damping = Ratio::clamped((-penalty / DAMPING_SCALE).exp2());
    let q = best.map_or(Ratio::ZERO, |b| b.fitness);
    let vetoed = if vetoes.is_empty() { Vetoed::No } else { Vetoed::Yes };
    let confidence = Confidence::compute(&service.policy.weights, terms, q, damping, vetoed);

    let window = active.as_ref().map(|a| Window::of(a, outage.as_ref(), &state, service, now));
    let (verdict, mut reasons) = verdict(&confidence, &vetoes, outage.as_ref(), window.as_ref(), service);
    let health = health(&judgements, &state, service, now);
    let alerts = distinct(alerts_about(active.as_ref(), evidence)).len();
    if verdict == Verdict::Hold && alerts > 0 && outage.as_ref().is_some_and(Outage::is_served) {
        reasons.insert(0, Reason::AlertContradicted { alerts });
    }
    for reason in standing_reasons(active.as_ref(), service, evidence, &judgements) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let level = level(verdict, &reasons, &vetoes, outage.as_ref(), window.as_ref());

    let id = format!("{}-{:x}-{}", service.name, now.unix_ms(), state.decisions);
    let is_trouble = verdict != Verdict::Hold
        || outage.as_ref().is_some_and(Outage::is_seen)
        || !evidence.alerts.is_empty();
    state.incident = if is_trouble { state.incident.take().or_else(|| Some(id.clone())) } else { None };
    let plan = match (verdict, &evidence.record, &fence, best) {
        (Verdict::Failover, RecordReading::Seen(view), Some(fence), Some(best)) => Some(Plan {
            decision: id.clone(),
            service: service.name.clone(),
            from: fence.active.clone(),
            to: best.site.clone(),
            expected: view.state.clone(),
            fence: fence.clone(),
            made_unix_ms: now.unix_ms(),
            expires_unix_ms: now.plus(service.policy.decision_ttl).unix_ms(),
            to_value: service.site(&best.site).map(|s| s.dns_target.clone()).unwrap_or_default(),
            ttl_seconds: service.record.ttl_seconds,
            promotes: service.topology == Topology::Replication,
        }),
        _ => None,
    };
    let decision = Decision {
        id,
        service: service.name.clone(),
        made: now,
        verdict,
        level,
        reasons,
        target: best.map(|b| b.site.clone()),
        confidence,
        thresholds: (service.policy.theta_auto.get(), service.policy.theta_recommend.get()),
        fitness: standbys,
        vetoes,
        health,
        writable_primaries: writable_primaries(service, evidence),
        orders: standing_orders(fence.as_ref().filter(|_| may_order), active.as_ref(), service, evidence),
        active,
        incident: state.incident.clone(),
        plan,
    };
    (state, decision)
}

/// What the vantages say of the active site.
struct Outage<'a> {
    judgement: &'a Judgement,
    /// `m` of the vantage group.
    strength: Option<Ratio>,
    down_votes: usize,
}

impl<'a> Outage<'a> {
    fn of(active: &SiteName, judgements: &'a [(SiteName, Judgement)], evidence: &Evidence) -> Self {
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

    fn is_majority_down(&self, evidence: &Evidence) -> bool {
        self.down_votes * 2 > evidence.vantages_configured
    }

    /// Whether anybody sees the active site down.
    fn is_seen(&self) -> bool {
        self.down_votes > 0
    }

    /// Whether this agent sees the active site serve, and nobody sees it down.
    fn is_served(&self) -> bool {
        self.judgement.severity.is_some() && self.judgement.gap.is_none() && !self.is_seen()
    }
}

/// How far the confirm window is.
struct Window {
    reason: Reason,
    is_full: bool,
    has_begun: bool,
}

impl Window {
    fn of(
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

fn judgements(
    active: Option<&SiteName>,
    state: &State,
    evidence: &Evidence,
    service: &Service,
    now: Moment,
) -> Vec<(SiteName, Judgement)> {
    evidence
        .snapshots
        .iter()
        .map(|seen| {
            let loading_for = state.loading_for(&seen.site, now);
            let timeout = evidence.probe_timeout;
            let serves = service.topology == Topology::ActiveActive || Some(&seen.site) == active;
            let duty = if serves { Duty::Serve } else { Duty::Stand };
            (seen.site.clone(), judge(seen, duty, &service.policy, timeout, loading_for))
        })
        .collect()
}

fn standbys(
    active: Option<&SiteName>,
    service: &Service,
    evidence: &Evidence,
    state: &State,
    now: Moment,
) -> Vec<TargetFitness> {
    let Some(active) = active else { return Vec::new() };
    let others = service.sites.iter().filter(|site| site.name != *active);
    others.map(|site| fitness::of(site, service, evidence, state, now)).collect()
}

/// The fittest ready standby; the configured order breaks ties. Where none is ready, the first, to say why.
fn best(standbys: &[TargetFitness]) -> Option<&TargetFitness> {
    let ready = standbys.iter().filter(|s| s.not_ready.is_none());
    ready.reduce(|best, s| if s.fitness > best.fitness { s } else { best }).or(standbys.first())
}

fn terms(
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
fn alerts_about<'a>(
    active: Option<&SiteName>,
    evidence: &'a Evidence,
) -> impl Iterator<Item = &'a FiringAlert> {
    evidence.alerts.iter().filter(move |a| a.site.is_none() || a.site.as_ref() == active)
}

/// Two notifications about one alert are one item.
fn distinct<'a>(alerts: impl Iterator<Item = &'a FiringAlert>) -> BTreeMap<&'a AlertKey, &'a FiringAlert> {
    alerts.map(|alert| (&alert.key, alert)).collect()
}

/// An alert is fresh for a quarter of an hour after its last notification, then fades by half in each further one,
/// and counts nothing after four hours: Alertmanager's default repeat interval.
fn alert_freshness(age: std::time::Duration) -> Ratio {
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
fn peer(active: Option<&SiteName>, service: &Service, evidence: &Evidence) -> (Option<Ratio>, String) {
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

fn verdict(
    confidence: &Confidence,
    vetoes: &[Veto],
    outage: Option<&Outage<'_>>,
    window: Option<&Window>,
    service: &Service,
) -> (Verdict, Vec<Reason>) {
    let of = |strength| vetoes.iter().filter(move |v| v.strength == strength).map(|v| v.reason.clone());
    let halts: Vec<Reason> = of(Strength::Halt).collect();
    if !halts.is_empty() {
        return (Verdict::Halt, halts);
    }
    let Some(window) = window.filter(|w| w.has_begun) else {
        let mut reasons: Vec<Reason> = of(Strength::Hard)
            .filter(|r| {
                matches!(r, Reason::RecordUnread { .. } | Reason::UnfamiliarFence { .. } | Reason::Switching)
            })
            .collect();
        if outage.is_some_and(Outage::is_served) && reasons.is_empty() {
            reasons.push(Reason::ActiveServes);
        } else if reasons.is_empty() {
            // Neither down nor seen to serve: what is not known must not be called good.
            reasons.extend(of(Strength::Hard).filter(|r| matches!(r, Reason::NoMajority { .. })));
        }
        return (Verdict::Hold, reasons);
    };
    let hards: Vec<Reason> = of(Strength::Hard).collect();
    if !hards.is_empty() {
        return (Verdict::Hold, hards);
    }
    if !window.is_full {
        return (Verdict::Hold, vec![window.reason.clone()]);
    }
    let policy = &service.policy;
    let softs: Vec<Reason> = of(Strength::Soft).collect();
    if softs.is_empty() && confidence.confidence >= policy.theta_auto {
        return (Verdict::Failover, vec![Reason::Confirmed]);
    }
    // A soft veto forces C to 0, yet must not hide what a person could do: the unvetoed product counts here.
    let potential = confidence.belief * confidence.fitness * confidence.damping;
    let below =
        |threshold: Ratio| Reason::BelowThreshold { confidence: potential.get(), threshold: threshold.get() };
    if confidence.belief >= policy.theta_auto || potential >= policy.theta_recommend {
        let reasons = if softs.is_empty() { vec![below(policy.theta_auto)] } else { softs };
        return (Verdict::Recommend, reasons);
    }
    (Verdict::Hold, std::iter::once(below(policy.theta_recommend)).chain(softs).collect())
}

fn health(
    judgements: &[(SiteName, Judgement)],
    state: &State,
    service: &Service,
    now: Moment,
) -> Vec<(SiteName, Health)> {
    let of = |site: &SiteName, judgement: &Judgement| {
        let policy = &service.policy;
        let needed = match judgement.sight {
            Sight::Answers => policy.confirm_window,
            Sight::Silent => policy.isolation_confirm,
        };
        let (lasted, rounds) = state.down_for(site, now);
        match judgement.severity {
            None => Health::Unknown,
            Some(_) if rounds >= policy.confirm_rounds && lasted >= needed => Health::Failed,
            Some(s) if s.get() >= DOWN_SEVERITY => Health::Failing,
            Some(s) if s > Ratio::ZERO => Health::Degraded,
            Some(_) => Health::Healthy,
        }
    };
    judgements.iter().map(|(site, judgement)| (site.clone(), of(site, judgement))).collect()
}

/// Facts that people must hear of whatever the verdict is.
fn standing_reasons(
    active: Option<&SiteName>,
    service: &Service,
    evidence: &Evidence,
    judgements: &[(SiteName, Judgement)],
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (site, judgement) in judgements {
        let refused = judgement.gap.as_ref().map(|g| g.reason).filter(|reason| reason.is_config_fault());
        if let Some(gap) = refused {
            reasons.push(Reason::ConfigFault { site: site.clone(), gap: gap.as_str().to_owned() });
        }
        let is_standby = active.is_some_and(|a| a != site);
        let unanswered =
            evidence.snapshot(site).is_some_and(|seen| seen.targets.iter().any(|t| t.ping.is_err()));
        if is_standby && unanswered && service.site(site).is_some() {
            reasons.push(Reason::StandbyDown { site: site.clone() });
        }
    }
    reasons
}

fn level(
    verdict: Verdict,
    reasons: &[Reason],
    vetoes: &[Veto],
    outage: Option<&Outage<'_>>,
    window: Option<&Window>,
) -> AlertLevel {
    let has = |label: &str| reasons.iter().any(|r| r.label() == label);
    if verdict == Verdict::Halt {
        // Before anybody has adopted the service there is nothing to protect yet.
        return if has("not_adopted") { AlertLevel::Warn } else { AlertLevel::Page };
    }
    if verdict != Verdict::Hold || has("standby_down") || has("config_fault") {
        return AlertLevel::Page;
    }
    if outage.is_some_and(Outage::is_seen) {
        let no_target = vetoes.iter().any(|v| v.reason.label() == "no_target");
        let is_full = window.is_some_and(|w| w.is_full);
        return if no_target || is_full { AlertLevel::Page } else { AlertLevel::Warn };
    }
    if has("record_unread") || has("unfamiliar_fence") || has("no_majority") {
        return AlertLevel::Warn;
    }
    if has("alert_contradicted") { AlertLevel::Info } else { AlertLevel::None }
}

/// How many sites claim to accept writes, where only one may.
fn writable_primaries(service: &Service, evidence: &Evidence) -> usize {
    match service.topology {
        // The destination of a Replica Of calls itself a primary as well.
        Topology::ActiveActive | Topology::ReplicaOf => 1,
        Topology::Replication => evidence.snapshots.iter().filter(|s| claims_primary(s)).count(),
    }
}

fn claims_primary(seen: &crate::types::Snapshot) -> bool {
    seen.targets.iter().any(|t| t.facts.as_ref().is_ok_and(|f| f.role == Some(Role::Primary)))
}

/// Whether the fence tells which site was left: no switch is under way, or it has changed the name already. Before
/// that, the site that was left last may be the very target of the switch.
fn is_settled(fence: Option<&Fence>, evidence: &Evidence) -> bool {
    let controls = &evidence.controls;
    let has_moved = |f: &Fence| f.intent.is_none() && controls.switching_to.as_ref() == Some(&f.active);
    !controls.is_switching || fence.is_some_and(has_moved)
}

/// The order that follows every switch: the site left behind is paused while it claims to be a primary.
fn standing_orders(
    fence: Option<&Fence>,
    active: Option<&SiteName>,
    service: &Service,
    evidence: &Evidence,
) -> Vec<StandingOrder> {
    let Some((fence, active)) = fence.zip(active) else { return Vec::new() };
    let left = &fence.from;
    let claims = || evidence.snapshot(left).is_some_and(claims_primary);
    if service.topology == Topology::Replication && left != active && claims() {
        vec![StandingOrder { pause: left.clone() }]
    } else {
        Vec::new()
    }
}
