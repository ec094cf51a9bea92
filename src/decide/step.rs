//! The front door: state, evidence, rules and a moment in; a new state and a decision out.

use super::confidence::Vetoed;
use super::decision::{AlertLevel, Decision, Plan, Verdict};
use super::evidence::{Evidence, RecordReading};
use super::health::{DOWN_SEVERITY, Duty, Health, Judgement, Sight, judge};
use super::machine::State;
use super::orders::{is_settled, standing_orders, writable_primaries};
use super::outage::{Outage, Window};
use super::terms::{alerts_about, distinct, terms};
use super::{Confidence, Reason, Strength, TargetFitness, Veto, fitness, policy};
use crate::config::{Service, Topology};
use crate::types::{Fence, Moment, Ratio, SiteName};

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
    let case = Case { service, evidence, active: active.as_ref(), outage: outage.as_ref(), best };
    let penalty = policy::penalty(&service.policy.flap, &evidence.controls.switch_ages);
    let vetoes: Vec<Veto> = record_veto.into_iter().chain(case.vetoes(&mut state, penalty, now)).collect();

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
    let plan = fence.as_ref().filter(|_| verdict == Verdict::Failover).and_then(|f| case.plan(&id, f, now));
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

/// What one decision is about.
struct Case<'a> {
    service: &'a Service,
    evidence: &'a Evidence,
    active: Option<&'a SiteName>,
    outage: Option<&'a Outage<'a>>,
    best: Option<&'a TargetFitness>,
}

impl Case<'_> {
    /// Everything but the record that stands against acting.
    fn vetoes(&self, state: &mut State, penalty: f64, now: Moment) -> Vec<Veto> {
        let (service, evidence) = (self.service, self.evidence);
        let mut vetoes = Vec::new();
        vetoes.extend(policy::halted(evidence));
        vetoes.extend(policy::durable(evidence));
        vetoes.extend(policy::disturbed(state, now));
        vetoes.extend(policy::warm_up(state));
        vetoes.extend(policy::switching(evidence));
        if let Some((active, outage)) = self.active.zip(self.outage) {
            vetoes.extend(policy::majority(outage.down_votes, evidence.vantages_configured));
            vetoes.extend(policy::silence(active, outage.judgement, evidence));
            vetoes.extend(policy::config_fault(active, outage.judgement));
            vetoes.extend(policy::fencing(active, service, evidence));
        }
        vetoes.extend(policy::target(self.best));
        vetoes.extend(policy::limits(self.best));
        vetoes.extend(policy::vantages(service, evidence));
        vetoes.extend(policy::paused(evidence));
        vetoes.extend(policy::leading(evidence));
        vetoes.extend(policy::mode(service));
        vetoes.extend(policy::interval(service, evidence));
        vetoes.extend(policy::attempt(service, evidence));
        vetoes.extend(policy::flapping(state, &service.policy.flap, penalty));
        vetoes
    }

    /// The switch, spelled out; `None` without a target, or while the record has not been read.
    fn plan(&self, decision: &str, fence: &Fence, now: Moment) -> Option<Plan> {
        let RecordReading::Seen(view) = &self.evidence.record else { return None };
        let to = self.service.site(&self.best?.site)?;
        Some(Plan {
            decision: decision.to_owned(),
            service: self.service.name.clone(),
            from: fence.active.clone(),
            to: to.name.clone(),
            expected: view.state.clone(),
            fence: fence.clone(),
            made_unix_ms: now.unix_ms(),
            expires_unix_ms: now.plus(self.service.policy.decision_ttl).unix_ms(),
            to_value: to.dns_target.clone(),
            ttl_seconds: self.service.record.ttl_seconds,
            promotes: self.service.topology == Topology::Replication,
        })
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
