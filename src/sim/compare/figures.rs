//! The figures of a comparison, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::count::{Counts, MISSED_AFTER};
use super::mix::{KINDS, Kind};
use crate::sim::crew::Contender;

/// A comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Where chance began.
    pub seed: u64,
    /// Incidents, each of which every contender played.
    pub incidents: u64,
    /// An outage is missed when nobody moved for so long.
    pub missed_after_seconds: u64,
    /// Rules of the simulator that redrover broke: none.
    pub broken_rules: u64,
    /// Over all incidents.
    pub all: Vec<OfContender>,
    /// By what happened.
    pub kinds: Vec<OfKind>,
}

/// The figures of one kind of incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfKind {
    /// What happens.
    pub kind: &'static str,
    /// Its share of the mix, percent.
    pub share: u32,
    /// Incidents of it.
    pub incidents: u64,
    /// What became of them.
    pub of: Vec<OfContender>,
}

/// The figures of one contender.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfContender {
    /// Who.
    pub contender: Contender,
    /// What became of the incidents.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures; docs/comparison.md says in words what each is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Changes of the site that the record names.
    pub switches: u64,
    /// Those to a site that did not serve.
    pub bad_targets: u64,
    /// Those away from a site without need.
    pub needless: u64,
    /// Those back to the first site without need.
    pub returns: u64,
    /// Incidents with three switches or more.
    pub swinging: u64,
    /// Outages that asked for a switch.
    pub due: u64,
    /// Those that were missed.
    pub missed: u64,
    /// Needed switches to a site that served: their times are these.
    pub answered: u64,
    /// Half of them took no longer, seconds.
    pub median_seconds: Option<f64>,
    /// Nine of ten took no longer, seconds.
    pub p90_seconds: Option<f64>,
    /// None took longer, seconds.
    pub max_seconds: Option<f64>,
    /// Of each incident, seconds in which applications found a site that did not serve; the mean.
    pub without_service_seconds: f64,
}

impl Figures {
    fn of(mut counts: Counts) -> Self {
        counts.times.sort_unstable();
        let rank = |percent: usize| {
            let last = (counts.times.len() * percent).div_ceil(100).checked_sub(1)?;
            counts.times.get(last).map(Duration::as_secs_f64)
        };
        Self {
            switches: counts.switches,
            bad_targets: counts.bad_targets,
            needless: counts.needless,
            returns: counts.returns,
            swinging: counts.swinging,
            due: counts.due,
            missed: counts.missed,
            answered: counts.times.len() as u64,
            median_seconds: rank(50),
            p90_seconds: rank(90),
            max_seconds: rank(100),
            without_service_seconds: counts.without_service.as_secs_f64() / counts.incidents.max(1) as f64,
        }
    }
}

/// What one incident adds.
#[derive(Debug)]
pub(super) struct One {
    pub(super) kind: Kind,
    pub(super) broken_rules: u64,
    /// In the order of [`Contender::ALL`].
    pub(super) counts: [Counts; 3],
}

impl Comparison {
    /// The figures of all incidents.
    pub(super) fn of(seed: u64, incidents: &[One]) -> Self {
        let of_kind = |(kind, share): &(Kind, u32)| {
            let own: Vec<&One> = incidents.iter().filter(|one| one.kind == *kind).collect();
            OfKind { kind: kind.name(), share: *share, incidents: own.len() as u64, of: sums(&own) }
        };
        Self {
            seed,
            incidents: incidents.len() as u64,
            missed_after_seconds: MISSED_AFTER.as_secs(),
            broken_rules: incidents.iter().map(|one| one.broken_rules).sum(),
            all: sums(&incidents.iter().collect::<Vec<_>>()),
            kinds: KINDS.iter().map(of_kind).collect(),
        }
    }
}

fn sums(incidents: &[&One]) -> Vec<OfContender> {
    let sum = |(rank, contender): (usize, Contender)| {
        let mut sum = Counts::default();
        incidents.iter().for_each(|one| sum.add(&one.counts[rank]));
        OfContender { contender, figures: Figures::of(sum) }
    };
    Contender::ALL.into_iter().enumerate().map(sum).collect()
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} incidents of the everyday mix, seed {}", self.incidents, self.seed)?;
        writeln!(f)?;
        let mut line = |what: &str, cell: &dyn Fn(&OfContender) -> String| {
            let cells: Vec<String> = self.all.iter().map(|one| format!("{:>14}", cell(one))).collect();
            writeln!(f, "{what:<44}{}", cells.concat())
        };
        line("", &|one| one.contender.name().to_owned())?;
        line("switches", &|one| one.figures.switches.to_string())?;
        line("  to a site that did not serve", &|one| one.figures.bad_targets.to_string())?;
        line("  needless", &|one| one.figures.needless.to_string())?;
        line("  back to the first site without need", &|one| one.figures.returns.to_string())?;
        line("incidents with three switches or more", &|one| one.figures.swinging.to_string())?;
        line("outages that asked for a switch", &|one| one.figures.due.to_string())?;
        let missed = format!("  missed (no switch for {} s)", self.missed_after_seconds);
        line(&missed, &|one| one.figures.missed.to_string())?;
        line("needed switches to a site that served", &|one| one.figures.answered.to_string())?;
        line("  their time: median", &|one| seconds(one.figures.median_seconds))?;
        line("  p90", &|one| seconds(one.figures.p90_seconds))?;
        line("  max", &|one| seconds(one.figures.max_seconds))?;
        line("without service, mean of an incident", &|one| {
            seconds(Some(one.figures.without_service_seconds))
        })?;
        writeln!(f)?;
        writeln!(f, "by what happened: to a site that did not serve / needless / missed, median time")?;
        for kind in &self.kinds {
            write!(f, "{:<38}{:>6}", kind.kind, kind.incidents)?;
            for OfContender { figures, .. } in &kind.of {
                let counts = format!("{}/{}/{}", figures.bad_targets, figures.needless, figures.missed);
                write!(f, "{counts:>15}{:>9}", seconds(figures.median_seconds))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_taken() {
        let times = |count: u64| (1..=count).rev().map(Duration::from_secs).collect();
        let figures = |count| Figures::of(Counts { incidents: 1, times: times(count), ..Counts::default() });
        let found = |count| {
            let figures = figures(count);
            [figures.median_seconds, figures.p90_seconds, figures.max_seconds]
        };
        assert_eq!(found(0), [None; 3]);
        assert_eq!(found(1), [Some(1.0); 3]);
        assert_eq!(found(10), [Some(5.0), Some(9.0), Some(10.0)]);
    }
}
