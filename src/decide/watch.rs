//! After a switch: what the new site's numbers are, beside what those of the old one usually were.

use std::collections::VecDeque;
use std::fmt;

use super::evidence::Evidence;
use crate::types::{CanaryResult, Moment, SiteName, TargetSnapshot};

/// Rounds that the usual figures of the active site are made of.
const USUAL_ROUNDS: usize = 120;
/// So many times as long as before is conspicuous,
const SLOWER: f64 = 3.0;
/// where it is this much longer at least, milliseconds.
const SLOWER_MARGIN_MS: f64 = 2.0;
/// Fewer applications than this share of those before have followed.
const CLIENTS_SHARE: f64 = 0.5;
/// A score that has risen by so much is conspicuous.
const ANOMALY_RISE: f64 = 0.3;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The round trip of PING, milliseconds.
    Ping,
    /// The write canary, milliseconds.
    Write,
    /// Connected clients.
    Clients,
    /// Memory in use, bytes.
    Memory,
    /// The anomaly score.
    Anomaly,
}

impl Measure {
    const ALL: [Self; 5] = [Self::Ping, Self::Write, Self::Clients, Self::Memory, Self::Anomaly];

    fn as_str(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Write => "write",
            Self::Clients => "clients",
            Self::Memory => "memory",
            Self::Anomaly => "anomaly score",
        }
    }

    fn shown(self, value: Option<f64>) -> String {
        match (self, value) {
            (_, None) => "unknown".to_owned(),
            (Self::Ping | Self::Write, Some(ms)) => format!("{ms:.1} ms"),
            (Self::Clients, Some(clients)) => format!("{clients:.0}"),
            (Self::Memory, Some(bytes)) => format!("{:.1} MiB", bytes / f64::from(1 << 20)),
            (Self::Anomaly, Some(score)) => format!("{score:.2}"),
        }
    }
}

/// One number before and after.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Compared {
    /// Which.
    pub measure: Measure,
    /// What it usually was at the old site, while that served.
    pub before: Option<f64>,
    /// What it is at the new one, on average.
    pub after: Option<f64>,
}

impl Compared {
    /// Whether a person should look.
    #[must_use]
    pub fn is_conspicuous(&self) -> bool {
        let Some((before, after)) = self.before.zip(self.after) else { return false };
        match self.measure {
            Measure::Ping | Measure::Write => after > before * SLOWER && after > before + SLOWER_MARGIN_MS,
            Measure::Clients => after < before * CLIENTS_SHARE,
            Measure::Memory => false,
            Measure::Anomaly => after > before + ANOMALY_RISE,
        }
    }
}

/// What became of a switch, some time after it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Comparison {
    /// The site that was left.
    pub from: SiteName,
    /// The site that is active since.
    pub to: SiteName,
    /// The incident that the switch belonged to.
    pub incident: Option<String>,
    /// How long the new site was watched, seconds.
    pub seconds: u64,
    /// Looks at it.
    pub rounds: u32,
    /// Looks that found it not serving.
    pub failed_rounds: u32,
    /// The numbers.
    pub rows: Vec<Compared>,
}

impl Comparison {
    /// Whether a person should look.
    #[must_use]
    pub fn is_conspicuous(&self) -> bool {
        self.failed_rounds > 0 || self.rows.iter().any(Compared::is_conspicuous)
    }

    /// One line for each number.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |row: &Compared| {
            let mark = if row.is_conspicuous() { " (!)" } else { "" };
            let (name, measure) = (row.measure.as_str(), row.measure);
            format!("{name}: {}, before {}{mark}", measure.shown(row.after), measure.shown(row.before))
        };
        self.rows.iter().map(line).collect()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} serves for {} s since the switch, {} of {} looks failed; {}",
            self.to,
            self.seconds,
            self.failed_rounds,
            self.rounds,
            self.lines().join("; ")
        )
    }
}

/// The numbers of one round, or of many.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Figures {
    sums: [f64; Measure::ALL.len()],
    counts: [u32; Measure::ALL.len()],
}

impl Figures {
    /// `None` when the site does not serve.
    fn of(site: &SiteName, evidence: &Evidence) -> Option<Self> {
        let seen = evidence.snapshot(site)?;
        let is_failed = |t: &TargetSnapshot| t.ping.is_err() || matches!(t.canary, CanaryResult::Failed(_));
        if seen.targets.is_empty() || seen.targets.iter().any(is_failed) {
            return None;
        }
        let mut figures = Self::default();
        for target in &seen.targets {
            let facts = target.facts.as_ref().ok();
            let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
            let write = match &target.canary {
                CanaryResult::Written(took) => Some(milliseconds(*took)),
                CanaryResult::Failed(_) | CanaryResult::NotAsked => None,
            };
            figures.note(0, target.ping.as_ref().ok().copied().map(milliseconds));
            figures.note(1, write);
            figures.note(2, facts.and_then(|f| f.clients).map(|clients| clients as f64));
            figures.note(3, facts.and_then(|f| f.memory_used_bytes).map(|bytes| bytes as f64));
        }
        figures.note(4, seen.anomaly.map(|score| score.get()));
        Some(figures)
    }

    fn note(&mut self, place: usize, value: Option<f64>) {
        if let Some(value) = value {
            self.sums[place] += value;
            self.counts[place] += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        for place in 0..self.sums.len() {
            self.sums[place] += other.sums[place];
            self.counts[place] = self.counts[place].saturating_add(other.counts[place]);
        }
    }

    fn mean(&self, place: usize) -> Option<f64> {
        (self.counts[place] > 0).then(|| self.sums[place] / f64::from(self.counts[place]))
    }
}

/// A new site that is being watched.
#[derive(Debug, Clone, PartialEq)]
struct Running {
    from: SiteName,
    since: Moment,
    incident: Option<String>,
    before: Figures,
    after: Figures,
    rounds: u32,
    failed_rounds: u32,
}

/// The memory of the watch.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Watch {
    active: Option<SiteName>,
    usual: VecDeque<Figures>,
    running: Option<Running>,
}

impl Watch {
    /// Notes one round; returns the comparison when the time of watching is over. Nothing is compared of a switch before
    /// which the old site was never seen to serve.
    pub(super) fn note(
        &mut self,
        active: Option<&SiteName>,
        incident: Option<&String>,
        evidence: &Evidence,
        period: std::time::Duration,
        now: Moment,
    ) -> Option<Comparison> {
        let active = active?;
        if self.active.as_ref() != Some(active) {
            self.begin(active, incident, now);
        }
        let figures = Figures::of(active, evidence);
        if let Some(figures) = figures {
            self.usual.push_back(figures);
            if self.usual.len() > USUAL_ROUNDS {
                self.usual.pop_front();
            }
        }
        let running = self.running.as_mut()?;
        running.rounds = running.rounds.saturating_add(1);
        match figures {
            Some(figures) => running.after.add(&figures),
            None => running.failed_rounds = running.failed_rounds.saturating_add(1),
        }
        if period.is_zero() || now.since(running.since) < period {
            return None;
        }
        let over = self.running.take()?;
        let row = |(place, measure): (usize, &Measure)| Compared {
            measure: *measure,
            before: over.before.mean(place),
            after: over.after.mean(place),
        };
        Some(Comparison {
            from: over.from.clone(),
            to: active.clone(),
            incident: over.incident.clone(),
            seconds: now.since(over.since).as_secs(),
            rounds: over.rounds,
            failed_rounds: over.failed_rounds,
            rows: Measure::ALL.iter().enumerate().map(row).collect(),
        })
    }

    fn begin(&mut self, active: &SiteName, incident: Option<&String>, now: Moment) {
        let mut before = Figures::default();
        self.usual.drain(..).for_each(|figures| before.add(&figures));
        let from = self.active.replace(active.clone()).filter(|_| before != Figures::default());
        self.running = from.map(|from| Running {
            from,
            since: now,
            incident: incident.cloned(),
            before,
            after: Figures::default(),
            rounds: 0,
            failed_rounds: 0,
        });
    }
}
