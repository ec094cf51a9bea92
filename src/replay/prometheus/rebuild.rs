//! From the answers of one step to the evidence of one round.

use std::time::Duration;

use super::chunk::{Chunk, Eye, Place};
use super::look::{alerts, facts, gap};
use super::query::CLIENT_ERRORS;
use super::vantages::address;
use crate::config::{Config, Service, Site, Topology, Vantage};
use crate::decide::{Controls, Crowd, Evidence, Leadership, RecordReading, Reliability, Trigger, Verdict};
use crate::replay::Then;
use crate::types::{
    CanaryResult, Fence, Gap, GapReason, Moment, Ratio, RecordState, RecordView, ResourceSet, Role, SiteName,
    Snapshot, Surroundings, TargetSnapshot,
};

/// Share of the deadline that an answer counts as having taken where nobody recorded its time: just not slow.
const UNTIMED: u32 = 4;
/// Rebuilds evidence, step by step.
#[derive(Debug)]
pub(super) struct Rebuilder<'a> {
    pub(super) config: &'a Config,
    pub(super) service: &'a Service,
    interval: Duration,
    /// The site that the name points to, and the one before it.
    pub(super) active: Option<(SiteName, SiteName)>,
    epoch: u64,
    /// Failovers that redrover had counted in the round before.
    failovers: Option<f64>,
}

impl<'a> Rebuilder<'a> {
    pub(super) fn new(config: &'a Config, service: &'a Service, interval: Duration) -> Self {
        Self { config, service, interval, active: None, epoch: 1, failovers: None }
    }

    /// What an agent would have known at a step, and what was decided; `None` where nobody looked at anything.
    pub(super) fn round(
        &mut self,
        chunk: &Chunk,
        step: usize,
        now: Moment,
    ) -> Option<(Evidence, Option<Then>)> {
        let own = self.own_eye(chunk, step)?;
        let before = self.active.clone();
        let mut snapshots = self.snapshots(chunk, &own, step, now);
        self.note_active(chunk, &own, &snapshots, step);
        if self.active != before {
            // Another site is asked for a write.
            snapshots = self.snapshots(chunk, &own, step, now);
        }
        let evidence = Evidence {
            agent: self.config.agent.name.clone(),
            failure_domain: self.config.agent.failure_domain.clone(),
            snapshots,
            probe_timeout: self.config.global.probe_timeout,
            probe_interval: self.interval,
            vantages: self
                .config
                .agent
                .vantages
                .iter()
                .map(|v| self.vantage(v, chunk, &own, step, now))
                .collect(),
            surroundings: self.surroundings(chunk, step),
            crowd: Crowd::default(),
            reliability: Reliability::default(),
            alerts: alerts(chunk, step),
            record: self.record(now),
            controls: self.controls(chunk, &own, step),
        };
        Some((evidence, self.then(chunk, &own, step)))
    }

    /// Through whose eyes this agent sees: through its own where they were recorded. An agent that is one of the
    /// configured vantages comes last.
    fn own_eye(&self, chunk: &Chunk, step: usize) -> Option<Eye> {
        let rank = |eye: &Eye| match eye {
            Eye::Agent(instance) if self.vantage_at(instance).is_none() => 0,
            Eye::Exporter => 1,
            Eye::Agent(_) => 2,
        };
        let looked =
            |eye: &Eye| self.places().any(|place| chunk.of_target(eye, &place, "redis_up", step).is_some());
        chunk.eyes().into_iter().filter(looked).min_by_key(rank)
    }

    fn vantage_at(&self, instance: &str) -> Option<&Vantage> {
        self.config.agent.vantages.iter().find(|vantage| address(vantage).as_deref() == Some(instance))
    }

    fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let of_site = |site: &'a Site| (0..site.targets.len()).map(|number| (site.name.clone(), number));
        self.service.sites.iter().flat_map(of_site)
    }

    pub(super) fn snapshots(&self, chunk: &Chunk, eye: &Eye, step: usize, now: Moment) -> Vec<Snapshot> {
        let sites = self.service.sites.iter();
        sites.map(|site| self.snapshot(site, chunk, eye, step, now)).collect()
    }

    fn snapshot(&self, site: &Site, chunk: &Chunk, eye: &Eye, step: usize, now: Moment) -> Snapshot {
        let unknown = || Gap::new(GapReason::NotAsked, "Prometheus holds nothing of it");
        Snapshot {
            site: site.name.clone(),
            taken: now,
            targets: (0..site.targets.len())
                .map(|number| self.target(site, number, chunk, eye, step))
                .collect(),
            control: site.database.map(|_| Err(unknown())),
            domain: Vec::new(),
            anomaly: None,
        }
    }

    fn target(&self, site: &Site, number: usize, chunk: &Chunk, eye: &Eye, step: usize) -> TargetSnapshot {
        let (target, place) = (site.targets[number].name.clone(), (site.name.clone(), number));
        let latency = chunk.signal(eye, &place, "latency", step);
        let took = match latency {
            Some(share) => self.config.global.probe_timeout.mul_f64(share.clamp(0.0, 1.0)),
            None => self.config.global.probe_timeout / UNTIMED,
        };
        let gap = gap(chunk, eye, &place, step);
        let is_written = chunk.signal(eye, &place, "data_path", step) == Some(0.0);
        match chunk.of_target(eye, &place, "redis_up", step) {
            None => {
                let gap = Gap::new(GapReason::NotAsked, "Prometheus holds nothing of it");
                TargetSnapshot::blind(target, gap, Duration::ZERO)
            }
            Some(up) if up > 0.0 => TargetSnapshot {
                target,
                ping: Ok(took),
                facts: Ok(facts(chunk, eye, &place, step)),
                canary: match gap {
                    Some(gap) => CanaryResult::Failed(gap),
                    None if is_written && self.serves(site) => CanaryResult::Written(took),
                    None => CanaryResult::NotAsked,
                },
                samples: Vec::new(),
                elapsed: took,
            },
            Some(_) => {
                let silent =
                    || Gap::new(GapReason::Timeout, "redis_up is 0, and Prometheus does not know why");
                let gap = gap.unwrap_or_else(silent);
                // INFO alone may be refused.
                let ping = if is_written { Ok(took) } else { Err(gap.clone()) };
                TargetSnapshot { ping, ..TargetSnapshot::blind(target, gap, took) }
            }
        }
    }

    /// Whether the site is asked for a write.
    fn serves(&self, site: &Site) -> bool {
        let is_active = self.active.as_ref().is_some_and(|(active, _)| *active == site.name);
        self.service.canary.is_some() && (self.service.topology == Topology::ActiveActive || is_active)
    }

    /// Where the name points: as redrover says; else to the one site that calls itself a primary; else where it did.
    fn note_active(&mut self, chunk: &Chunk, eye: &Eye, snapshots: &[Snapshot], step: usize) {
        let mut said =
            chunk.of_service(eye, "redrover_active_datacenter", step).filter(|(_, value)| *value > 0.0);
        let named =
            said.next().and_then(|(track, _)| SiteName::new(track.labels.get("datacenter")?.as_str()).ok());
        let found =
            named.or_else(|| self.only_primary(snapshots)).filter(|site| self.service.site(site).is_some());
        if let Some(epoch) =
            chunk.of_service(eye, "redrover_fence_epoch", step).map(|(_, epoch)| epoch).next()
        {
            self.epoch = epoch as u64;
        }
        self.active = match (found, self.active.take()) {
            (Some(site), Some((active, from))) if site == active => Some((active, from)),
            (Some(site), Some((active, _))) => Some((site, active)),
            (Some(site), None) => Some((site.clone(), site)),
            (None, known) => known,
        };
    }

    fn only_primary(&self, snapshots: &[Snapshot]) -> Option<SiteName> {
        if self.service.topology != Topology::Replication {
            // All call themselves primaries; the first of the configuration is taken to be the usual one.
            return self
                .active
                .is_none()
                .then(|| self.service.sites.first().map(|site| site.name.clone()))?;
        }
        let is_primary = |seen: &&Snapshot| {
            let facts = |t: &TargetSnapshot| t.facts.as_ref().is_ok_and(|f| f.role == Some(Role::Primary));
            !seen.targets.is_empty() && seen.targets.iter().all(facts)
        };
        let mut primaries = snapshots.iter().filter(is_primary);
        let one = primaries.next()?;
        primaries.next().is_none().then(|| one.site.clone())
    }

    /// Record and fence as they must have stood; Prometheus does not keep them.
    fn record(&self, now: Moment) -> RecordReading {
        let Some((active, from)) = &self.active else {
            return RecordReading::Unread("Prometheus does not say where the name pointed".to_owned());
        };
        let Some(site) = self.service.site(active) else {
            return RecordReading::Unread(format!("the name pointed to {active}, which is not configured"));
        };
        let fence = Fence {
            owner: self.config.agent.name.clone(),
            epoch: self.epoch,
            active: active.clone(),
            from: from.clone(),
            at: 0,
            decision: "replay".to_owned(),
            intent: None,
        };
        let ttl = self.service.record.ttl_seconds;
        let state = RecordState {
            record: Some(self.service.set_of(site)),
            fence: Some(ResourceSet::single(ttl, fence.to_string())),
        };
        RecordReading::Seen(RecordView { state, read: now })
    }

    fn controls(&self, chunk: &Chunk, eye: &Eye, step: usize) -> Controls {
        let value = |name| chunk.of_service(eye, name, step).map(|(_, value)| value).next();
        Controls {
            is_paused: value("redrover_paused").is_some_and(|v| v > 0.0),
            halted: value("redrover_halted").filter(|v| *v > 0.0).map(|_| "it was halted then".to_owned()),
            is_durable: value("redrover_journal_durable").is_none_or(|v| v > 0.0),
            leadership: Leadership::Leads,
            known_epoch: Some(self.epoch),
            ..Controls::default()
        }
    }

    fn surroundings(&self, chunk: &Chunk, step: usize) -> Surroundings {
        let asked = self.service.client_errors.as_ref().map(|_| {
            let mut found = chunk.others(CLIENT_ERRORS, step).map(|(_, value)| value);
            match (found.next(), found.next()) {
                (Some(share), None) => Ok(Ratio::clamped(share)),
                (None, _) => Err(Gap::new(GapReason::Protocol, "the query found nothing")),
                (Some(_), Some(_)) => Err(Gap::new(GapReason::Protocol, "the query found several series")),
            }
        });
        Surroundings { client_errors: asked, ..Surroundings::default() }
    }

    /// What redrover decided then, where it was there.
    fn then(&mut self, chunk: &Chunk, eye: &Eye, step: usize) -> Option<Then> {
        let value = |name| chunk.of_service(eye, name, step).map(|(_, value)| value).next();
        let failovers = value("redrover_decisions_total");
        let before = self.failovers;
        self.failovers = failovers.or(before);
        let has_switched = before.zip(failovers).is_some_and(|(before, now)| now > before);
        let is_halted = value("redrover_halted").is_some_and(|v| v > 0.0);
        let is_recommended = value("redrover_recommendation_pending")? > 0.0;
        let verdict = match (has_switched, is_halted, is_recommended) {
            (true, _, _) => Verdict::Failover,
            (false, true, _) => Verdict::Halt,
            (false, false, true) => Verdict::Recommend,
            (false, false, false) => Verdict::Hold,
        };
        Some(Then {
            verdict,
            // Under a veto, which a mode is as well, redrover publishes 0: no course to draw.
            confidence: None,
            reasons: Vec::new(),
            is_incident: verdict != Verdict::Hold,
            trigger: Trigger::Automatic,
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
