//! The front door: state, evidence, rules and a moment in; a new state and a decision out.

use super::confidence::Vetoed;
use super::decision::{AlertLevel, Decision, Plan, Trigger, Verdict};
use super::doubt::doubts;
use super::evidence::{Evidence, Leadership, RecordReading, Request, RequestKind};
use super::health::{DOWN_SEVERITY, Duty, Health, Judgement, Lens, Sight, judge};
use super::incident::Signs;
use super::machine::State;
use super::notices::Scene;
use super::orders::{
    demoted, is_settled, orders_between_zones, orders_by_record, standing_orders, writable_primaries,
};
use super::outage::{Outage, Trust, Window, own_vote};
use super::terms::{alerts_about, distinct, terms};
use super::{Confidence, Reason, Recovery, Strength, TargetFitness, Veto, fitness, policy};
use crate::config::{Mode, Service, Topology};
use crate::types::{Fence, Moment, Ratio, Role, SiteName, TargetSnapshot};

/// The penalty that halves the damping, after the notes on route flap damping in RFC 2439.
const DAMPING_SCALE: f64 = 2000.0;

/// Decides about one service.
#[must_use]
pub fn step(mut state: State, evidence: &Evidence, service: &Service, now: Moment) -> (State, Decision) {
    state.begin(evidence, now);
    state.decisions = state.decisions.saturating_add(1);

    let record = policy::of_record(service, evidence, &mut state, now);
    let fence = record.fence;
    let named = fence.as_ref().map(|f| f.active.clone()).filter(|name| service.site(name).is_some());
    let active = state.active(named, matches!(evidence.record, RecordReading::Seen(_)));
    let doubts = doubts(&state, evidence, now);
    let trust = if doubts.is_empty() { Trust::Sound } else { Trust::Doubtful };
    let judgements = judgements(active.as_ref(), &state, evidence, service, now);
    remember(&mut state, active.as_ref(), &judgements, evidence, trust, now);
    let outage = active.as_ref().map(|active| Outage::of(active, &judgements, evidence, trust));

    let request = evidence.controls.request.as_ref().filter(|r| r.age < service.policy.decision_ttl);
    let standbys = standbys(active.as_ref(), service, evidence, &state, now);
    let best = match request {
        Some(request) => standbys.iter().find(|s| s.site == request.to),
        None => best(&standbys),
    };
    // What a fellow has done holds for the orders at once; what it has only claimed may be under way.
    let has_acted = record.accepted.as_ref().is_some_and(|fence| fence.intent.is_none());
    let may_order = (record.veto.is_none() || has_acted) && is_settled(fence.as_ref(), evidence);
    let case =
        Case { service, evidence, active: active.as_ref(), outage: outage.as_ref(), best, doubts: &doubts };
    let penalty = policy::penalty(&service.policy.flap, &evidence.controls.switch_ages);
    let record_veto = record.veto.into_iter();
    let recovery = Recovery::of(fence.as_ref(), service, evidence, &state, now);
    let vetoes: Vec<Veto> = match request {
        Some(request) => {
            record_veto.chain(case.vetoes_of_request(request, recovery.as_ref(), &state, now)).collect()
        }
        None => record_veto.chain(case.vetoes(&mut state, penalty, now)).collect(),
    };

    let terms = terms(active.as_ref(), outage.as_ref(), service, evidence);
    let damping = Ratio::clamped((-penalty / DAMPING_SCALE).exp2());
    let q = best.map_or(Ratio::ZERO, |b| b.fitness);
    let vetoed = if vetoes.is_empty() { Vetoed::No } else { Vetoed::Yes };
    let confidence = Confidence::compute(&service.policy.weights, terms, q, damping, vetoed);

    let window = active.as_ref().map(|a| Window::of(a, outage.as_ref(), &state, service, now));
    let judged = match request {
        Some(request) => requested(request, active.as_ref(), &vetoes),
        None => verdict(&confidence, &vetoes, outage.as_ref(), window.as_ref(), service),
    };
    let (mut verdict, mut reasons) = judged;
    let mut target = best.map(|b| b.site.clone());
    let is_calm =
        verdict == Verdict::Hold && reasons.iter().all(Reason::is_calm) && !evidence.controls.is_switching;
    if let Some(advice) =
        recovery.as_ref().filter(|_| is_calm).and_then(|r| r.advice(evidence.controls.acknowledged))
    {
        verdict = Verdict::Recommend;
        target = recovery.as_ref().map(|r| r.site.clone());
        reasons = vec![advice];
    }
    let alerts = distinct(alerts_about(active.as_ref(), evidence)).len();
    if verdict == Verdict::Hold && alerts > 0 && outage.as_ref().is_some_and(Outage::is_served) {
        reasons.insert(0, Reason::AlertContradicted { alerts });
    }
    let scene = Scene {
        active: active.as_ref(),
        outage: outage.as_ref(),
        judgements: &judgements,
        service,
        evidence,
        state: &state,
        now,
    };
    let no_leader = (evidence.controls.leadership == Leadership::Unknown).then_some(Reason::NoLeader);
    for reason in doubts.iter().cloned().chain(no_leader).chain(scene.notices()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let health = health(&judgements, &state, service, now);
    let level = level(verdict, &reasons, &vetoes, outage.as_ref(), window.as_ref(), evidence);

    let id = format!("{}-{:x}-{}", service.name, now.unix_ms(), state.decisions);
    let signs = Signs {
        is_trouble: (verdict != Verdict::Hold && !is_advice(&reasons))
            || outage.as_ref().is_some_and(Outage::is_seen)
            || evidence.controls.is_switching
            || alerts > 0,
        is_confirmed: window.as_ref().is_some_and(|w| w.is_full)
            && outage.as_ref().is_some_and(|o| o.is_majority_down(evidence)),
        settle: service.policy.confirm_window,
    };
    let closing = state.incident.note(signs, &id, active.as_ref(), evidence, now);
    let period = service.policy.watch_period;
    let comparison = state.watch.note(active.as_ref(), state.incident.id(), evidence, period, now);
    let plan = fence.as_ref().filter(|_| verdict == Verdict::Failover).and_then(|f| {
        let trigger = if request.is_some() { Trigger::Operator } else { Trigger::Automatic };
        case.plan(&id, f, trigger, now)
    });
    let is_dead = record.is_claim_dead && verdict != Verdict::Failover;
    let dead = fence.as_ref().filter(|fence| is_dead && case.may_clear(fence, &vetoes));
    let clearing = dead.and_then(|fence| case.clearing(&id, fence, now));
    let orders_between_zones = orders_between_zones(service, evidence);
    let decision = Decision {
        id,
        service: service.name.clone(),
        made: now,
        verdict,
        level,
        reasons,
        target,
        down_votes: outage.as_ref().map_or(0, |o| o.down_votes),
        vantages: evidence.vantages_configured(),
        confidence,
        thresholds: (service.policy.theta_auto.get(), service.policy.theta_recommend.get()),
        fitness: standbys,
        vetoes,
        health,
        writable_primaries: writable_primaries(service, evidence),
        orders: match &fence {
            Some(fence) if may_order => standing_orders(fence, active.as_ref(), service, evidence),
            None if !orders_between_zones.is_empty() => orders_between_zones,
            _ => orders_by_record(service, evidence),
        },
        demoted: demoted(evidence),
        active,
        incident: state.incident.id().cloned(),
        closing,
        comparison,
        votes: match trust {
            Trust::Sound => judgements.iter().map(|(site, judgement)| own_vote(site, judgement)).collect(),
            Trust::Doubtful => Vec::new(),
        },
        lags: state.lags(now),
        is_outage: window.as_ref().is_some_and(|w| w.has_begun),
        recovery,
        accepted: record.accepted,
        plan,
        clearing,
    };
    (state, decision)
}

/// Notes what this round says of every site.
fn remember(
    state: &mut State,
    active: Option<&SiteName>,
    judgements: &[(SiteName, Judgement)],
    evidence: &Evidence,
    trust: Trust,
    now: Moment,
) {
    for (site, judgement) in judgements {
        let outage = Outage::of(site, judgements, evidence, trust);
        state.note_verdict(site, outage.is_majority_down(evidence), outage.sight, now);
        if let Some(seen) = evidence.snapshot(site) {
            state.note_health(site, judgement, seen, now);
        }
    }
    if let Some(active) = active {
        state.note_lags(active, evidence, now);
    }
}

fn is_advice(reasons: &[Reason]) -> bool {
    reasons.iter().any(|r| matches!(r, Reason::FailbackReady { .. }))
}

/// What one decision is about.
struct Case<'a> {
    service: &'a Service,
    evidence: &'a Evidence,
    active: Option<&'a SiteName>,
    outage: Option<&'a Outage<'a>>,
    best: Option<&'a TargetFitness>,
    doubts: &'a [Reason],
}

impl Case<'_> {
    /// Whether a majority sees the active site down.
    fn is_down(&self) -> bool {
        self.outage.is_some_and(|outage| outage.is_majority_down(self.evidence))
    }

    /// Everything but the record that stands against acting.
    fn vetoes(&self, state: &mut State, penalty: f64, now: Moment) -> Vec<Veto> {
        let (service, evidence) = (self.service, self.evidence);
        let mut vetoes = Vec::new();
        vetoes.extend(policy::halted(evidence));
        vetoes.extend(policy::durable(evidence));
        vetoes.extend(policy::doubted(self.doubts));
        vetoes.extend(policy::warm_up(state));
        vetoes.extend(policy::switching(evidence));
        if let Some((active, outage)) = self.active.zip(self.outage) {
            vetoes.extend(policy::majority(outage.down_votes, evidence.vantages_configured()));
            vetoes.extend(policy::silence(active, outage, evidence));
            vetoes.extend(policy::config_fault(active, outage.judgement));
            vetoes.extend(policy::fencing(active, service, evidence));
            vetoes.extend(policy::silenced(active, evidence));
        }
        vetoes.extend(policy::target(self.best));
        vetoes.extend(policy::limits(self.best));
        vetoes.extend(policy::vantages(service, evidence));
        vetoes.extend(policy::mass_failure(evidence));
        vetoes.extend(policy::paused(evidence));
        vetoes.extend(policy::maintenance(self.active, service, evidence, now));
        vetoes.extend(policy::dry_run(service));
        vetoes.extend(policy::leading(evidence));
        vetoes.extend(policy::mode(service));
        vetoes.extend(policy::interval(service, evidence));
        vetoes.extend(policy::attempt(service, evidence));
        vetoes.extend(policy::flapping(state, &service.policy.flap, penalty));
        vetoes
    }

    /// What stands against a switch that a person asked for: what they may judge themselves (the outage, the interval,
    /// the damping, the mode) does not; a pause, a halt, the target and the fencing do.
    fn vetoes_of_request(
        &self,
        request: &Request,
        recovery: Option<&Recovery>,
        state: &State,
        now: Moment,
    ) -> Vec<Veto> {
        let (service, evidence) = (self.service, self.evidence);
        let mut vetoes = Vec::new();
        vetoes.extend(policy::halted(evidence));
        vetoes.extend(policy::durable(evidence));
        vetoes.extend(policy::doubted(self.doubts));
        vetoes.extend(policy::switching(evidence));
        if let Some(active) = self.active {
            vetoes.extend(policy::fencing(active, service, evidence));
        }
        vetoes.extend(policy::target(self.best));
        let is_unmeasured = |site: &SiteName| policy::is_unmeasured(site, service, evidence);
        // Where nothing measures the lag, whoever ordered the switch has judged it.
        let is_judged = |veto: &Veto| veto.reason == Reason::LagUnknown && is_unmeasured(&request.to);
        vetoes.extend(policy::limits(self.best).filter(|veto| !is_judged(veto)));
        vetoes.extend(policy::failback(request, recovery));
        let must_be_in_step = request.kind != RequestKind::Failover || !self.is_down();
        if let Some(best) = self.best.filter(|_| must_be_in_step && self.outage.is_some()) {
            vetoes.extend(policy::in_step(&best.site, service, evidence, state, now));
        }
        vetoes.extend(policy::paused(evidence));
        vetoes.extend(policy::dry_run(service));
        vetoes.extend(policy::leading(evidence));
        vetoes
    }

    /// Whether a dead claim may be taken back: it moves nothing, yet it is a change, and only a leader that nobody has
    /// stopped makes any. Where people act, it is one of theirs that was interrupted; once its target may have been
    /// promoted, they must see it.
    fn may_clear(&self, fence: &Fence, vetoes: &[Veto]) -> bool {
        let leads = self.evidence.controls.leadership == Leadership::Leads;
        let is_stopped = self.evidence.controls.is_paused || !self.doubts.is_empty() || self.service.dry_run;
        let may_act = match self.service.mode {
            Mode::Observe => false,
            Mode::Recommend => !self.may_be_promoted(fence),
            Mode::Automatic => true,
        };
        leads && may_act && !is_stopped && vetoes.iter().all(|v| v.strength != Strength::Halt)
    }

    fn promotes(&self) -> bool {
        self.service.topology == Topology::Replication || fitness::promotes(self.service)
    }

    /// Whether the target of a claim does not say of each of its Redis that it is a replica still.
    fn may_be_promoted(&self, fence: &Fence) -> bool {
        let is_replica =
            |seen: &TargetSnapshot| seen.facts.as_ref().is_ok_and(|facts| facts.role == Some(Role::Replica));
        let target = fence.intent.as_ref().and_then(|site| self.evidence.snapshot(site));
        self.promotes() && !target.is_some_and(|seen| seen.targets.iter().all(is_replica))
    }

    /// The plan that only takes the intent out of the fence: from the active site to itself.
    fn clearing(&self, decision: &str, fence: &Fence, now: Moment) -> Option<Plan> {
        let RecordReading::Seen(view) = &self.evidence.record else { return None };
        let record = view.state.record.as_ref()?;
        Some(Plan {
            decision: decision.to_owned(),
            service: self.service.name.clone(),
            from: fence.active.clone(),
            to: fence.active.clone(),
            expected: view.state.clone(),
            fence: fence.clone(),
            made_unix_ms: now.unix_ms(),
            expires_unix_ms: now.plus(self.service.policy.decision_ttl).unix_ms(),
            to_values: record.values.clone(),
            ttl_seconds: record.ttl_seconds,
            promotes: false,
            trigger: Trigger::Automatic,
            lossless: false,
        })
    }

    /// The switch, spelled out; `None` without a target, or while the record has not been read.
    fn plan(&self, decision: &str, fence: &Fence, trigger: Trigger, now: Moment) -> Option<Plan> {
        let RecordReading::Seen(view) = &self.evidence.record else { return None };
        let to = self.service.site(&self.best?.site)?;
        // Without a configured promotion of a Replica Of, a person has promoted the target before ordering the switch.
        let promotes = self.promotes();
        Some(Plan {
            decision: decision.to_owned(),
            service: self.service.name.clone(),
            from: fence.active.clone(),
            to: to.name.clone(),
            expected: view.state.clone(),
            fence: fence.clone(),
            made_unix_ms: now.unix_ms(),
            expires_unix_ms: now.plus(self.service.policy.decision_ttl).unix_ms(),
            to_values: self.service.values_of(to),
            ttl_seconds: self.service.record.ttl_seconds,
            promotes,
            trigger,
            lossless: promotes && trigger == Trigger::Operator && !self.is_down(),
        })
    }
}

/// The verdict about a person's order: do it, or say what stands against it.
fn requested(request: &Request, active: Option<&SiteName>, vetoes: &[Veto]) -> (Verdict, Vec<Reason>) {
    let asked = Reason::Requested { by: request.by.clone(), to: request.to.clone() };
    let against = |halts: bool| {
        let of = vetoes.iter().filter(move |v| (v.strength == Strength::Halt) == halts);
        of.map(|v| v.reason.clone()).collect::<Vec<_>>()
    };
    let halts = against(true);
    if !halts.is_empty() {
        return (Verdict::Halt, halts);
    }
    if active == Some(&request.to) {
        return (Verdict::Hold, vec![Reason::AlreadyThere { site: request.to.clone() }]);
    }
    let others = against(false);
    match others.is_empty() {
        true => (Verdict::Failover, vec![asked]),
        false => (Verdict::Hold, std::iter::once(asked).chain(others).collect()),
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
            let vantages_there: Vec<bool> = evidence
                .vantages
                .iter()
                .filter(|v| v.failure_domain == seen.site)
                .map(|v| v.said.is_ok())
                .collect();
            let lens = Lens {
                policy: &service.policy,
                probe_timeout: evidence.probe_timeout,
                loading_for: state.loading_for(&seen.site, now),
                resolves: evidence.resolves(),
                vantages_there: &vantages_there,
            };
            let serves = service.topology == Topology::ActiveActive || Some(&seen.site) == active;
            let duty = if serves { Duty::Serve } else { Duty::Stand };
            (seen.site.clone(), judge(seen, duty, &lens))
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

/// The fittest ready standby; the configured order breaks ties. Where none is ready, the first, to say why. Differences
/// below a twentieth are noise: all agents must choose alike.
fn best(standbys: &[TargetFitness]) -> Option<&TargetFitness> {
    let grade = |s: &TargetFitness| (s.limits.is_empty(), (s.fitness.get() * 20.0).round() as i64);
    let ready = standbys.iter().filter(|s| s.not_ready.is_none());
    ready.reduce(|best, s| if grade(s) > grade(best) { s } else { best }).or(standbys.first())
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
                matches!(
                    r,
                    Reason::RecordUnread { .. }
                        | Reason::Switching
                        | Reason::Adopting { .. }
                        | Reason::FellowActed { .. }
                        | Reason::FellowClaims { .. }
                        | Reason::Disturbed
                        | Reason::SelfCheckFailed { .. }
                        | Reason::ClockOff { .. }
                        | Reason::Late { .. }
                )
            })
            .collect();
        // A record that cannot be read is news even where it was known before.
        reasons.extend(of(Strength::Soft).filter(|r| matches!(r, Reason::RecordUnread { .. })));
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

fn level(
    verdict: Verdict,
    reasons: &[Reason],
    vetoes: &[Veto],
    outage: Option<&Outage<'_>>,
    window: Option<&Window>,
    evidence: &Evidence,
) -> AlertLevel {
    let has = |label: &str| reasons.iter().any(|r| r.label() == label);
    let own = reasons.iter().map(Reason::level).max().unwrap_or(AlertLevel::None);
    let of_verdict = match verdict {
        // Before anybody has adopted the service there is nothing to protect yet.
        Verdict::Halt if has("not_adopted") => AlertLevel::Warn,
        Verdict::Halt => AlertLevel::Page,
        // What a person asked for, or may do when they like, wakes nobody.
        Verdict::Failover if has("requested") => AlertLevel::Info,
        Verdict::Recommend if has("failback_ready") => AlertLevel::Info,
        Verdict::Failover | Verdict::Recommend => AlertLevel::Page,
        // An order that could not be followed.
        Verdict::Hold if has("requested") => AlertLevel::Warn,
        Verdict::Hold if outage.is_some_and(Outage::is_seen) => {
            let has_no_target = vetoes.iter().any(|v| v.reason.label() == "no_target");
            let is_majority = outage.is_some_and(|o| o.is_majority_down(evidence));
            let lasts = is_majority && window.is_some_and(|w| w.is_long);
            if has_no_target || lasts { AlertLevel::Page } else { AlertLevel::Warn }
        }
        Verdict::Hold => AlertLevel::None,
    };
    own.max(of_verdict)
}
