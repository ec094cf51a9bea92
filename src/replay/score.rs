//! How decisions compare with the outages that people marked.

use super::incident::Mark;
use super::outages::Outage;
use crate::decide::Verdict;

/// What became of one outage.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Found {
    /// Its beginning, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Its end, Unix milliseconds.
    pub until_unix_ms: i64,
    /// The boldest verdict in it that asks for a switch, failover or recommend; absent when it was missed.
    pub verdict: Option<Verdict>,
    /// Seconds from its beginning to that verdict.
    pub seconds: Option<f64>,
    /// Nothing was recorded while it lasted, so it was neither found nor missed.
    pub is_unseen: bool,
}

/// How one side did.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Score {
    /// Outage by outage.
    pub outages: Vec<Found>,
    /// Failovers outside every outage that nobody had asked for.
    pub needless_failovers: usize,
    /// Recommendations outside every outage.
    pub needless_recommendations: usize,
}

impl Score {
    /// Compares marks with outages. `is_seen` says whether anything was recorded between two times.
    #[must_use]
    pub fn of(marks: &[Mark], outages: &[Outage], is_seen: impl Fn(i64, i64) -> bool) -> Self {
        let touches = |mark: &Mark, outage: &Outage| {
            mark.from_unix_ms <= outage.until_unix_ms && mark.until_unix_ms >= outage.from_unix_ms
        };
        let found = |outage: &Outage| {
            let first = |verdict| {
                let within = marks.iter().filter(|mark| mark.verdict == verdict && touches(mark, outage));
                within.map(|mark| mark.from_unix_ms.max(outage.from_unix_ms)).min().map(|at| (verdict, at))
            };
            let said = first(Verdict::Failover).or_else(|| first(Verdict::Recommend));
            Found {
                from_unix_ms: outage.from_unix_ms,
                until_unix_ms: outage.until_unix_ms,
                verdict: said.map(|(verdict, _)| verdict),
                seconds: said.map(|(_, at)| (at - outage.from_unix_ms) as f64 / 1e3),
                is_unseen: !is_seen(outage.from_unix_ms, outage.until_unix_ms),
            }
        };
        let needless = |verdict| {
            let all = marks.iter().filter(|mark| mark.verdict == verdict && !mark.is_asked);
            all.filter(|mark| !outages.iter().any(|outage| touches(mark, outage))).count()
        };
        Self {
            outages: outages.iter().map(found).collect(),
            needless_failovers: needless(Verdict::Failover),
            needless_recommendations: needless(Verdict::Recommend),
        }
    }

    /// How many outages were found.
    #[must_use]
    pub fn found(&self) -> usize {
        self.outages.iter().filter(|outage| outage.verdict.is_some()).count()
    }

    /// How many outages were recorded, and nothing asked for a switch.
    #[must_use]
    pub fn missed(&self) -> usize {
        self.outages.iter().filter(|outage| outage.verdict.is_none() && !outage.is_unseen).count()
    }

    /// How many outages nothing was recorded of.
    #[must_use]
    pub fn unseen(&self) -> usize {
        self.outages.len() - self.found() - self.missed()
    }

    /// The median and the longest time to a verdict, seconds; `None` when none was found.
    #[must_use]
    pub fn seconds_to_decide(&self) -> Option<(f64, f64)> {
        let mut seconds: Vec<f64> = self.outages.iter().filter_map(|outage| outage.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        Some((*seconds.get((seconds.len().max(1) - 1) / 2)?, *seconds.last()?))
    }
}
