//! One cycle: gather, decide, commit. The table of contents of the product.

use std::sync::Arc;
use std::time::Duration;

use super::ServiceView;
use super::worker::{STORY_KINDS, Worker};
use crate::act::PAUSE;
use crate::act::dns::DnsError;
use crate::config::Topology;
use crate::decide::saga::{Fencing, Step};
use crate::decide::{
    Abandoned, AlertLevel, Controls, Decision, Evidence, FiringAlert, Leadership, Plan, Reason,
    RecordReading, Reliability, Request, StandingOrder, Verdict, fence_of, step,
};
use crate::lead::Standing;
use crate::monitor::WriteCanary;
use crate::store::{Body, JournalError, NewEntry, Ticket};
use crate::types::{Guard, Moment, RecordView, SiteName, Snapshot};

/// Deadline of one read of the record.
const RECORD_DEADLINE: Duration = Duration::from_secs(3);
/// An alert that nobody has spoken of for so long is over, or its "resolved" was lost: Alertmanager repeats every 4 h
/// unless told otherwise.
const ALERT_AGE_MAX: Duration = Duration::from_secs(4 * 3600);

/// A decision that repeats itself is written anew so often: what is dropped because of its age has stopped long before.
const WRITTEN_AGAIN_MS: i64 = 24 * 3_600_000;

/// Why a cycle runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The probe interval is over.
    Timer,
    /// Alertmanager said something.
    Notification,
    /// A switch has ended.
    SwitchEnded,
}

impl Worker {
    /// Gathers, decides and commits.
    pub(super) async fn cycle(&mut self, cause: Cause) {
        let read = match self.inform().await {
            Ok(()) => self.read_story(STORY_KINDS.to_vec()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &read {
            self.lost_journal(error);
        }
        if cause == Cause::Timer
            && self.story.unfinished.is_some()
            && self.switching_to.is_none()
            && self.is_durable
        {
            self.resume_switch();
        }
        let evidence = self.gather(cause).await;
        if self.must_begin_anew() {
            return;
        }
        let now = self.setup.hands.clock.now();
        let (state, mut decision) =
            step(std::mem::take(&mut self.state), &evidence, &self.setup.service, now);
        self.state = state;
        self.tell_unusual(&mut decision);
        self.commit(cause, evidence, Arc::new(decision)).await;
    }

    async fn gather(&mut self, cause: Cause) -> Evidence {
        let now = self.setup.hands.clock.now();
        let needs_record = cause != Cause::Timer || self.is_record_stale(now);
        let dns = self.setup.hands.dns.clone();
        let read = async {
            match needs_record {
                true => Some(tokio::time::timeout(RECORD_DEADLINE, dns.read()).await),
                false => None,
            }
        };
        let deadline = self.setup.probe_timeout;
        let surroundings = self.setup.hands.eyes.surroundings(deadline);
        let asked = self.setup.peers.ask(self.name(), deadline);
        let (mut snapshots, read, surroundings, vantages) =
            tokio::join!(self.look(), read, surroundings, asked);
        self.analyse(&mut snapshots);
        let now = self.setup.hands.clock.now();
        let record = match (read, &self.record) {
            (Some(Ok(Ok(state))), _) => {
                let view = RecordView { state, read: now };
                self.record = Some(view.clone());
                RecordReading::Seen(view)
            }
            (Some(Ok(Err(error))), _) => {
                self.record = None;
                match &error {
                    DnsError::Misconfigured { .. } => RecordReading::Refused(error.to_string()),
                    DnsError::Conflict { .. }
                    | DnsError::Throttled { .. }
                    | DnsError::Denied { .. }
                    | DnsError::Unavailable { .. }
                    | DnsError::Unknown { .. } => RecordReading::Unread(error.to_string()),
                }
            }
            (Some(Err(_)), _) => {
                self.record = None;
                RecordReading::Unread("the provider did not answer in time".to_owned())
            }
            (None, Some(view)) => RecordReading::Seen(view.clone()),
            (None, None) => RecordReading::Unread("it has not been read yet".to_owned()),
        };
        Evidence {
            agent: self.setup.agent.name.clone(),
            failure_domain: self.setup.agent.failure_domain.clone(),
            snapshots,
            probe_timeout: self.setup.probe_timeout,
            probe_interval: self.setup.probe_interval,
            vantages,
            surroundings,
            crowd: self.view.crowd(),
            reliability: self.reliability(),
            alerts: self.alerts(now),
            record,
            controls: self.controls(now),
        }
    }

    /// Looks at all sites at once. Only a site that must take writes is asked for one.
    async fn look(&self) -> Vec<Snapshot> {
        let service = &self.setup.service;
        let active = self.last.as_ref().and_then(|(_, decision)| decision.active.as_ref());
        let looks = service.sites.iter().map(|site| {
            let serves = service.topology == Topology::ActiveActive || Some(&site.name) == active;
            let canary = if serves { WriteCanary::Write } else { WriteCanary::Skip };
            self.setup.hands.look(&site.name, canary)
        });
        futures_util::future::join_all(looks).await
    }

    /// While anything is suspected, the record is read anew in every cycle.
    fn is_record_stale(&self, now: Moment) -> bool {
        let is_calm = self
            .last
            .as_ref()
            .is_some_and(|(_, d)| d.verdict == Verdict::Hold && d.reasons.iter().all(Reason::is_calm));
        match &self.record {
            Some(view) => !is_calm || now.since(view.read) >= self.setup.service.record.read_interval,
            None => true,
        }
    }

    fn alerts(&self, now: Moment) -> Vec<FiringAlert> {
        let firing = self.story.firing.iter().filter_map(|(key, alert)| {
            // An alert from the future has no age and counts nothing.
            let age = u64::try_from(now.unix_ms().checked_sub(alert.last_unix_ms)?).ok()?;
            let (name, site) = (alert.name.clone(), alert.site.clone());
            let age = Some(age).filter(|age| Duration::from_millis(*age) < ALERT_AGE_MAX)?;
            Some(FiringAlert { key: key.clone(), name, site, age: Duration::from_millis(age) })
        });
        firing.collect()
    }

    fn reliability(&self) -> Reliability {
        let tracks = self.story.tracks.iter();
        Reliability::of_counts(tracks.map(|(source, t)| (source.as_str(), t.confirmed, t.unconfirmed)))
    }

    fn leadership(&self, now: Moment) -> Leadership {
        match self.setup.hands.election.standing() {
            Standing::Leads(term) if term.is_live(now) => Leadership::Leads,
            Standing::Leads(_) | Standing::Unknown => Leadership::Unknown,
            Standing::Follows => Leadership::Follows,
        }
    }

    fn controls(&self, now: Moment) -> Controls {
        // What seems to come from the future counts as fresh: a clock that went back must not lift any limit.
        let age = |unix_ms: i64| Duration::from_millis(u64::try_from(now.unix_ms() - unix_ms).unwrap_or(0));
        let story = &self.story;
        Controls {
            is_paused: story.is_paused,
            halted: story.halted.clone(),
            is_durable: self.is_durable,
            leadership: self.leadership(now),
            maintenance: (story.maintenance.iter())
                .filter(|(_, until)| **until > now.unix_ms())
                .map(|(site, _)| site.clone())
                .collect(),
            is_switching: self.switching_to.is_some() || self.story.unfinished.is_some(),
            switching_to: self.switching_to.clone(),
            known_epoch: self.story.epoch,
            left: story.left.iter().cloned().collect(),
            held: self.held_back().cloned().collect(),
            abandoned: story.abandoned.as_ref().map(|a| Abandoned {
                age: age(a.last_unix_ms),
                why: a.why.clone(),
                count: a.count,
            }),
            switch_ages: story.switches.iter().map(|at| age(*at)).collect(),
            acknowledged: story.acknowledged.map(age),
            request: story.asked.as_ref().map(|asked| Request {
                to: asked.to.clone(),
                by: asked.by.clone(),
                age: age(asked.at_unix_ms),
                kind: asked.kind,
            }),
        }
    }

    /// The sites whose writes are paused: by the standing order, or by the switch that is under way.
    fn held_back(&self) -> impl Iterator<Item = &SiteName> {
        let ordered = self.held.iter().filter(|(_, is_held)| **is_held).map(|(site, _)| site);
        let is_paused = |step: &Step| matches!(step, Step::Fenced { how } if how.iter().all(|how| *how == Fencing::Paused));
        let unfinished = self.story.unfinished.iter().filter(move |one| one.steps.iter().any(is_paused));
        ordered.chain(unfinished.map(|one| &one.plan.from))
    }

    async fn commit(&mut self, cause: Cause, evidence: Evidence, decision: Arc<Decision>) {
        let written = self.write_decision(cause, &evidence, &decision).await;
        let ticket = match written {
            Ok(ticket) => {
                self.is_durable = true;
                ticket
            }
            Err(error) => {
                self.lost_journal(&error);
                None
            }
        };
        #[cfg(test)]
        let ticket = ticket.or_else(|| Ticket::unwritten(intent(&decision)?));
        self.metrics.decided(&decision);
        let may_obey = self.is_durable || !Guard::AuditBeforeAct.stands();
        if may_obey {
            self.obey(&decision, ticket).await;
        }
        // In the middle of a switch it stays: nobody else knows as well how far it came.
        if !may_obey || (decision.mistrusts_itself() && !self.is_any_switching()) {
            self.setup.hands.election.step_down();
        }
        self.learn(&decision);
        self.publish(evidence, decision);
    }

    /// A decision that says what the last one said is counted, not written again. What is intended is written with it.
    async fn write_decision(
        &mut self,
        cause: Cause,
        evidence: &Evidence,
        decision: &Arc<Decision>,
    ) -> Result<Option<Ticket>, JournalError> {
        let journal = self.setup.hands.journal.clone();
        let unlike = self.unlike_peers();
        if let Some((seq, last)) = &mut self.last
            && cause == Cause::Timer
            && decision.plan.is_none()
            && decision.clearing.is_none()
            && decision.accepted.is_none()
            && decision.closing.is_none()
            && decision.comparison.is_none()
            && last.says_the_same(decision)
            && self.told_unlike == unlike
            && (0..WRITTEN_AGAIN_MS).contains(&decision.made.unix_ms().saturating_sub(self.last_written))
        {
            journal.repeat(*seq, decision.made.unix_ms()).await?;
            *last = Arc::clone(decision);
            return Ok(None);
        }
        if !self.announced.as_ref().is_some_and(|said| said.says_the_same(decision))
            || decision.plan.is_some()
        {
            self.announce(decision);
            self.announced = Some(Arc::clone(decision));
        }
        let rests_on = Some(Box::new(evidence.abridged()));
        let decided = Body::Decided { decision: Box::new(Decision::clone(decision)), evidence: rests_on };
        let accepted = decision.accepted.clone().map(|fence| Body::Observed { fence });
        let closed = decision.closing.clone().map(|closing| Body::Closed { closing });
        let bodies = std::iter::once(decided).chain(accepted).chain(closed);
        let mut entries: Vec<NewEntry> = bodies.map(|body| self.entry(decision, body)).collect();
        if let Some(comparison) = decision.comparison.clone() {
            tracing::info!(service = %self.name(), %comparison, "the switch, some time after");
            // Of the incident of the switch, which is usually over by now.
            let incident = comparison.incident.clone();
            entries.push(NewEntry { incident, ..self.entry(decision, Body::Compared { comparison }) });
        }
        let (seqs, ticket) = match intent(decision) {
            None => (journal.append(entries).await?, None),
            Some(plan) => {
                let intent = self.entry(decision, Body::Ticketed { plan: Box::new(plan.clone()) });
                let (seqs, ticket) = journal.append_with_ticket(entries, intent, plan.clone()).await?;
                (seqs, Some(ticket))
            }
        };
        self.last = seqs.first().map(|seq| (*seq, Arc::clone(decision)));
        (self.last_written, self.told_unlike) = (decision.made.unix_ms(), unlike);
        Ok(ticket)
    }

    /// Does what the decision asks for: freeze, hold the old primary, switch.
    async fn obey(&mut self, decision: &Decision, ticket: Option<Ticket>) {
        if let Some(why) = self.must_freeze(decision) {
            let entry = self.entry(decision, Body::Halted { why });
            if let Err(error) = self.setup.hands.journal.append(vec![entry]).await {
                self.lost_journal(&error);
            }
        }
        if !self.story.is_paused {
            for order in &decision.orders {
                self.hold(decision, order).await;
            }
        }
        for site in &decision.demoted {
            tracing::info!(service = %self.name(), %site, "the old primary is a replica: it is let go");
            self.setup.hands.promote.release(site).await;
        }
        self.held.retain(|site, _| decision.orders.iter().any(|order| order.pause == *site));
        if let Some(ticket) = ticket {
            self.begin_switch(ticket);
        }
    }

    /// A record or fence that is not ours freezes the service once two cycles in a row have read it so.
    fn must_freeze(&self, decision: &Decision) -> Option<String> {
        if decision.verdict != Verdict::Halt || self.story.halted.is_some() {
            return None;
        }
        let foreign = decision.reasons.iter().find(|r| r.is_foreign())?;
        let again = self.view.of(self.name())?.decision.reasons.iter().any(|r| r.label() == foreign.label());
        again.then(|| foreign.to_string())
    }

    async fn hold(&mut self, decision: &Decision, order: &StandingOrder) {
        // Renewed in every round, and longer than the time to the next one.
        let pause = PAUSE.max(self.setup.probe_interval * 3);
        let held = self.setup.hands.promote.fence(&order.pause, pause).await;
        let is_held = held.is_ok();
        if self.held.get(&order.pause) == Some(&is_held) {
            return;
        }
        let (how, error) = match held {
            Ok(how) => (how, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        match &error {
            None => tracing::error!(service = %self.name(), site = %order.pause,
                "the old primary is back and claims to be one: it takes no writes until a person demotes it"),
            Some(error) => tracing::error!(service = %self.name(), site = %order.pause, error,
                "the old primary is back and cannot be kept from writes: two primaries take them"),
        }
        let entry = self.entry(decision, Body::Held { site: order.pause.clone(), error, how });
        match self.setup.hands.journal.append(vec![entry]).await {
            Ok(_) => {
                self.held.insert(order.pause.clone(), is_held);
            }
            Err(error) => self.lost_journal(&error),
        }
    }

    fn entry(&self, decision: &Decision, body: Body) -> NewEntry {
        NewEntry {
            at_unix_ms: decision.made.unix_ms(),
            service: decision.service.clone(),
            incident: decision.incident.clone(),
            body,
        }
    }

    fn announce(&self, decision: &Decision) {
        let reasons = decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let (service, verdict, level) =
            (&decision.service, decision.verdict.as_str(), decision.level.as_str());
        let confidence = decision.confidence.confidence.get();
        match decision.level {
            AlertLevel::Page => tracing::error!(%service, verdict, level, confidence, reasons, "decided"),
            AlertLevel::Warn => tracing::warn!(%service, verdict, level, confidence, reasons, "decided"),
            AlertLevel::Info | AlertLevel::None => {
                tracing::info!(%service, verdict, level, confidence, reasons, "decided");
            }
        }
    }

    pub(super) fn lost_journal(&mut self, error: &JournalError) {
        if self.is_durable {
            let error = error as &dyn std::error::Error;
            tracing::error!(service = %self.name(), error, "the journal takes no entries: nothing will be done");
        }
        self.is_durable = false;
    }

    fn publish(&self, evidence: Evidence, decision: Arc<Decision>) {
        let record = self.record.as_ref().map(|view| view.state.clone());
        self.view.publish(ServiceView {
            service: self.setup.service.clone(),
            snapshots: evidence.snapshots,
            signals: self.signals.all(),
            anomalies: self.analyser.anomalies(),
            peer_outliers: self.analyser.peer_outliers(),
            decision,
            fence: record.as_ref().and_then(|r| fence_of(r).ok().flatten()),
            record,
            halted: self.story.halted.clone(),
            is_paused: self.story.is_paused,
            is_durable: self.is_durable,
            firing: self.story.firing.keys().cloned().collect(),
        });
    }
}

/// What a decision asks to be carried out.
fn intent(decision: &Decision) -> Option<&Plan> {
    decision.plan.as_ref().or(decision.clearing.as_ref())
}
