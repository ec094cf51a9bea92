//! Which commands are run, as shares of all calls.

use std::collections::BTreeMap;

use super::usual::weight;
use crate::types::{Moment, Ratio};

/// With fewer calls than that, shares say nothing.
const CALLS_MIN: f64 = 20.0;
/// A command whose usual share is smaller is forgotten.
const SHARE_MIN: f64 = 1e-6;

/// The calls of the last look, and the usual shares.
#[derive(Debug, Clone, Default)]
pub(super) struct Mix {
    run: String,
    calls: BTreeMap<String, f64>,
    usual: Option<(Moment, BTreeMap<String, f64>)>,
}

impl Mix {
    /// How far the shares since the last look are from the usual ones: 0 when they are the same, 1 when no command is in
    /// both. `None` at the first look of a process, after a reset, and with too few calls.
    pub(super) fn shift(&mut self, run: &str, calls: &BTreeMap<String, f64>, now: Moment) -> Option<Ratio> {
        let is_same = self.run == run && !self.calls.is_empty();
        run.clone_into(&mut self.run);
        let before = std::mem::replace(&mut self.calls, calls.clone());
        if !is_same {
            return None;
        }
        let grown = calls
            .iter()
            .map(|(command, calls)| (command, calls - before.get(command).copied().unwrap_or(0.0)));
        let grown: Vec<(&String, f64)> = grown.collect();
        let total: f64 = grown.iter().map(|(_, calls)| calls).sum();
        if grown.iter().any(|(_, calls)| *calls < 0.0) || !(CALLS_MIN..f64::INFINITY).contains(&total) {
            return None;
        }
        let shares = grown.into_iter().filter(|(_, calls)| *calls > 0.0);
        let shares: BTreeMap<String, f64> =
            shares.map(|(command, calls)| (command.clone(), calls / total)).collect();
        let Some((at, usual)) = &mut self.usual else {
            self.usual = Some((now, shares));
            return Some(Ratio::ZERO);
        };
        let distance = distance(&shares, usual);
        let weight = weight(now.since(*at));
        usual.values_mut().for_each(|share| *share *= 1.0 - weight);
        for (command, share) in shares {
            *usual.entry(command).or_insert(0.0) += weight * share;
        }
        usual.retain(|_, share| *share >= SHARE_MIN);
        *at = now;
        Some(distance)
    }

    /// How many commands are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.calls.len().max(self.usual.as_ref().map_or(0, |(_, usual)| usual.len()))
    }
}

/// Half the sum of the differences.
fn distance(one: &BTreeMap<String, f64>, other: &BTreeMap<String, f64>) -> Ratio {
    let mine = one.iter().map(|(command, share)| (share - other.get(command).copied().unwrap_or(0.0)).abs());
    let theirs =
        other.iter().filter(|(command, _)| !one.contains_key(*command)).map(|(_, share)| share.abs());
    Ratio::clamped((mine.sum::<f64>() + theirs.sum::<f64>()) / 2.0)
}
