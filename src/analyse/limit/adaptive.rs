//! The limit of one target.

use std::collections::VecDeque;

use super::pareto::Pareto;

/// The limit rests on the scores of so long a time.
const WINDOW_SECONDS: u32 = 3 * 86_400;
const DAY_SECONDS: f64 = 86_400.0;
/// It is fitted anew so often.
const REFIT_SECONDS: u32 = 3600;
/// A score enters as at most so many times the limit, and one fit raises it at most so much: at 1 the limit would never
/// follow a drift, without an end one incident would deafen it.
const CAP: f64 = 1.2;
/// The peaks are the scores above so many of all.
const PEAKS_FROM: f64 = 0.98;
/// Fewer peaks have no distribution.
const PEAKS_MIN: usize = 10;
/// With fewer scores nothing is rare.
const SCORES_MIN: usize = 64;
/// What is found is never lower: that of a target that never moves would be 0, and its first breath an alarm. A score is a
/// rarity, and what happens once in thirty rows is none.
const LEAST: f64 = 1.5;

/// How the limit is found.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// So that usual scores exceed it so often in a day.
    AlarmsPerDay(f64),
    /// So that this share of the scores of the last days exceeds it.
    Contamination(f64),
    /// Always this score.
    Fixed(f64),
}

impl Default for Threshold {
    fn default() -> Self {
        Self::AlarmsPerDay(2.0)
    }
}

/// The limit above which a score is an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    threshold: Threshold,
    period_seconds: u32,
    scores: VecDeque<f64>,
    current: Option<f64>,
    /// It is never below.
    least: f64,
    /// Scores since it was fitted.
    since: u32,
}

impl Limit {
    /// A limit for scores that come once in a period; it is unknown until there are some.
    #[must_use]
    pub fn new(threshold: Threshold, period_seconds: u32) -> Self {
        Self {
            threshold,
            period_seconds: period_seconds.max(1),
            scores: VecDeque::new(),
            current: None,
            least: LEAST,
            since: 0,
        }
    }

    /// A limit for scores that are not the rarity of a row, such as those of a forest alone.
    #[must_use]
    pub fn of_any_scale(threshold: Threshold, period_seconds: u32) -> Self {
        Self { least: f64::NEG_INFINITY, ..Self::new(threshold, period_seconds) }
    }

    /// The limit for the next score.
    #[must_use]
    pub fn current(&self) -> Option<f64> {
        self.current
    }

    /// Takes a score; every hour the limit is then fitted anew.
    pub fn push(&mut self, score: f64) {
        if !score.is_finite() {
            return;
        }
        let capped = self.current.map_or(score, |limit| score.min(limit * CAP));
        if self.scores.len() >= self.scores_max() {
            self.scores.pop_front();
        }
        self.scores.push_back(capped);
        self.since += 1;
        if self.current.is_none() || self.since >= (REFIT_SECONDS / self.period_seconds).max(1) {
            self.refit();
        }
    }

    /// Takes many scores at once, as those of the time before; the limit is fitted once.
    pub fn extend(&mut self, scores: impl IntoIterator<Item = f64>) {
        self.scores.extend(scores.into_iter().filter(|score| score.is_finite()));
        let surplus = self.scores.len().saturating_sub(self.scores_max());
        self.scores.drain(..surplus);
        self.current = None;
        self.refit();
    }

    fn scores_max(&self) -> usize {
        (WINDOW_SECONDS / self.period_seconds).max(1) as usize
    }

    fn refit(&mut self) {
        self.since = 0;
        let is_enough = self.scores.len() >= SCORES_MIN;
        let found = match self.threshold {
            Threshold::Fixed(score) => Some(score),
            Threshold::Contamination(share) => {
                is_enough.then(|| quantile(&self.sorted(), 1.0 - share).max(self.least))
            }
            Threshold::AlarmsPerDay(alarms) => {
                let probability = alarms * f64::from(self.period_seconds) / DAY_SECONDS;
                is_enough.then(|| peaks_over(&self.sorted(), probability.min(0.5)).max(self.least))
            }
        };
        let most = self.current.map_or(f64::INFINITY, |limit| limit * CAP);
        self.current = found.map(|found| found.min(most));
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.scores.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

/// The score that is exceeded with this probability, by the distribution of the peaks.
fn peaks_over(sorted: &[f64], probability: f64) -> f64 {
    let from = quantile(sorted, PEAKS_FROM);
    let peaks: Vec<f64> = sorted.iter().map(|score| score - from).filter(|peak| *peak > 0.0).collect();
    if peaks.len() < PEAKS_MIN {
        // Then what a score says of itself holds, if it is more.
        return beyond_few(sorted, probability).max(-probability.log10());
    }
    let share = peaks.len() as f64 / sorted.len() as f64;
    from + Pareto::fit(&peaks).exceeded(probability / share)
}

/// As `peaks_over`, of scores that are few: the highest ones are taken for exponential by their median, so that one
/// hiccup among them does not deafen the limit for days, as their maximum or mean would.
fn beyond_few(sorted: &[f64], probability: f64) -> f64 {
    let share = PEAKS_MIN as f64 / sorted.len() as f64;
    if probability >= share {
        return quantile(sorted, 1.0 - probability);
    }
    let (usual, highest) = sorted.split_at(sorted.len() - PEAKS_MIN);
    let from = usual[usual.len() - 1];
    let scale = (quantile(highest, 0.5) - from) / std::f64::consts::LN_2;
    from + Pareto { shape: 0.0, scale }.exceeded(probability / share)
}

/// The value at `share` of the way, between two values by their distance from it.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exponential noise without chance: the golden ratio spreads it evenly.
    fn noise(n: u32) -> f64 {
        let share = (f64::from(n) * 0.618_033_988_75).fract();
        -(1.0 - share * 0.999_99).ln()
    }

    fn settled() -> Limit {
        let mut limit = Limit::new(Threshold::AlarmsPerDay(2.0), 60);
        (0..4320).for_each(|n| limit.push(noise(n)));
        limit
    }

    #[test]
    fn the_budget_is_kept() {
        let mut limit = settled();
        let mut alarms = 0;
        for n in 4320..4320 + 14_400 {
            let score = noise(n);
            alarms += u32::from(score > limit.current().unwrap());
            limit.push(score);
        }
        assert!((8..=40).contains(&alarms), "{alarms} alarms in ten days");
    }

    #[test]
    fn an_incident_does_not_deafen_it_and_a_lasting_rise_becomes_usual() {
        let mut limit = settled();
        let before = limit.current().unwrap();
        (0..120).for_each(|_| limit.push(1000.0));
        let after = limit.current().unwrap();
        assert!(after < 2.0 * before, "{before} {after}");
        let mut last = 0;
        for n in 0..7 * 1440 {
            last = if noise(n) * 3.0 > limit.current().unwrap() { n } else { last };
            limit.push(noise(n) * 3.0);
        }
        let limit = limit.current().unwrap();
        assert!((2.0 * before..4.0 * before).contains(&limit), "{before} {limit}");
    }

    #[test]
    fn an_incident_among_few_scores_does_not_deafen_it() {
        let mut limit = Limit::new(Threshold::AlarmsPerDay(2.0), 60);
        limit.extend((0..300).map(noise));
        let before = limit.current().unwrap();
        for incident in 0..3 {
            (0..10).for_each(|_| limit.push(1000.0));
            (0..40).for_each(|n| limit.push(30.0 / f64::from(n + 1)));
            (0..10).for_each(|n| limit.push(noise(10 * incident + n)));
        }
        let after = limit.current().unwrap();
        assert!(after < 2.0 * before, "{before} {after}");
    }

    #[test]
    fn a_hiccup_among_few_scores_does_not_deafen_it() {
        let found = |scores: &[f64]| {
            let mut limit = Limit::new(Threshold::AlarmsPerDay(2.0), 60);
            limit.extend(scores.iter().copied());
            limit.current().unwrap()
        };
        let usual: Vec<f64> = (0..71).map(noise).collect();
        let hiccup: Vec<f64> = usual.iter().copied().chain([265.0]).collect();
        let (without, with) = (found(&usual), found(&hiccup));
        assert!((2.8..10.0).contains(&without), "{without}");
        assert!(with < 1.2 * without, "{without} {with}");
    }

    #[test]
    fn it_is_unknown_before_there_are_scores_and_never_takes_what_is_none() {
        let mut limit = Limit::new(Threshold::AlarmsPerDay(2.0), 60);
        for _ in 0..SCORES_MIN {
            assert_eq!(limit.current(), None);
            limit.push(f64::NAN);
            limit.push(1.0);
        }
        // Scores that are all alike have no tail: what they say of themselves holds.
        let rarity = (86_400.0_f64 / 120.0).log10();
        assert!(limit.current().is_some_and(|found| (found - rarity).abs() < 1e-12), "{limit:?}");
        let mut fixed = Limit::new(Threshold::Fixed(4.0), 60);
        fixed.extend([1.0]);
        assert_eq!(fixed.current(), Some(4.0));
        let mut share = Limit::new(Threshold::Contamination(0.1), 60);
        share.extend((0..=100).map(f64::from));
        assert_eq!(share.current(), Some(90.0));
        share.extend((0..10_000).map(|_| 0.0));
        assert_eq!(share.current(), Some(LEAST), "the first breath is no alarm");
        let mut other = Limit::of_any_scale(Threshold::Contamination(0.1), 60);
        other.extend((0..=100).map(|score| f64::from(score) / 1000.0));
        assert_eq!(other.current(), Some(0.09));
    }

    #[test]
    fn memory_is_bounded() {
        let mut limit = Limit::new(Threshold::AlarmsPerDay(1.0), 3600);
        (0..1000).for_each(|n| limit.push(noise(n)));
        assert_eq!(limit.scores.len(), 72);
        limit.extend((0..1000).map(noise));
        assert_eq!(limit.scores.len(), 72);
    }
}
