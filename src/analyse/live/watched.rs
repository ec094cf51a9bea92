//! One target: its rows, the model that follows it, and the one that may take over.

use super::analyser::Settings;
use super::measures::MEASURES;
use super::window::{Window, numbers};
use super::words::{beyond, unlike};
use crate::analyse::drift::Drift;
use crate::analyse::follow::{Follower, Judgement};
use crate::types::{Anomaly, Basis, Contribution, Rarity, Ratio, Role, TargetSnapshot};

/// A new model is compared with the one in use for so long before it may take over.
pub const SHADOW_SECONDS: i64 = 6 * 3600;
/// It may raise so many more alarms.
pub const MORE_ALARMS_MAX: u32 = 1;
/// Sentences about one look.
const SENTENCES_MAX: usize = 3;
/// Further signals that deviate less than this are not told of, and a value that does is unusual: twice the usual
/// deviation, of the value alone.
const TELLING: f64 = 1.6;

/// How a new model takes the place of the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// At once.
    AtOnce,
    /// After it has followed beside it, and was no worse.
    AfterTrial,
}

/// A model that follows beside the one in use.
#[derive(Debug, Clone)]
struct Shadow {
    follower: Follower,
    since: i64,
    alarms: u32,
    alarms_in_use: u32,
}

/// A row that is complete.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    pub(super) time: i64,
    pub(super) row: Vec<f64>,
    /// Its look is without a gap.
    pub(super) is_sound: bool,
    /// What the target says it is.
    pub(super) role: Option<Role>,
}

/// Rows of a target, made of what somebody else recorded of it.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    window: Window,
}

impl Recorded {
    /// The row of a time, Unix seconds, of which these numbers are known, by their metrics.
    pub fn row(&mut self, at: i64, period_seconds: u32, known: &[(&str, f64)]) -> Vec<f64> {
        self.window.push(at as f64, f64::from(period_seconds), known.iter().copied());
        row(&self.window)
    }
}

/// One target.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched {
    window: Window,
    follower: Option<Box<Follower>>,
    shadow: Option<Box<Shadow>>,
    trained: Option<i64>,
    shadow_trained: Option<i64>,
    /// Of the model in use.
    drift: Option<Drift>,
    slot: Option<i64>,
    due: Option<Due>,
    pub(super) anomaly: Option<Anomaly>,
}

impl Watched {
    /// Scores a look; returns how severe it is. A target must be as severe twice in a row, for one odd look is soon over.
    /// One that does not answer INFO has no score: that it is silent is for the vantages to judge, and would else be
    /// counted twice.
    pub(super) fn see(&mut self, look: &TargetSnapshot, at: f64, settings: &Settings) -> Option<Ratio> {
        let before = self.anomaly.take().and_then(|anomaly| anomaly.severity()).unwrap_or(Ratio::ZERO);
        let Ok(facts) = &look.facts else {
            self.window.clear();
            (self.slot, self.due) = (None, None);
            return None;
        };
        let period = f64::from(settings.period_seconds);
        self.window.push(at, period, numbers(look));
        let row = row(&self.window);
        let slot = (at / period).floor() as i64;
        let time = slot * i64::from(settings.period_seconds);
        // The row that is on its way, with the end of its period as its time.
        let next = time + i64::from(settings.period_seconds);
        let is_sound = look.gap().is_none() && facts.loading != Some(true);
        self.anomaly = match &mut self.follower {
            Some(follower) => judged(follower, next, &row, self.trained).map(|anomaly| {
                let drift = self.drift.map(|drift| drift.distance);
                Anomaly { drift, ..anomaly }
            }),
            None => Some(limited(&row)),
        };
        if self.slot.is_some_and(|before| slot > before) {
            self.due = Some(Due { time, row, is_sound, role: facts.role });
        }
        self.slot = Some(slot);
        let severity = self.anomaly.as_ref()?.severity()?;
        Some(if severity < before { severity } else { before })
    }

    /// Remembers the row that became complete, if one did; returns it, and whether it may be learned from.
    pub(super) fn remember(&mut self, is_calm: bool) -> Option<(Due, bool)> {
        let due = self.due.take()?;
        let judgement = self.follower.as_mut().and_then(|follower| follower.push(due.time, &due.row));
        let is_alarm = judgement.is_some_and(|judgement| judgement.is_alarm());
        self.compare(&due, is_calm, is_alarm);
        self.drift = self.follower.as_ref().and_then(|follower| follower.drift());
        let is_usual = is_calm && due.is_sound && !is_alarm;
        Some((due, is_usual))
    }

    /// Takes a model: at once where there is none or where that is asked for, else it follows beside the one in use for a while.
    pub(super) fn adopt(&mut self, follower: Follower, trained: i64, entrance: Entrance) {
        if !follower.stream().model().names().iter().map(String::as_str).eq(super::measure_names()) {
            return;
        }
        if self.follower.is_none() || entrance == Entrance::AtOnce {
            self.drift = follower.drift();
            (self.follower, self.trained) = (Some(Box::new(follower)), Some(trained));
            self.shadow = None;
            return;
        }
        let shadow = Shadow { follower, since: trained, alarms: 0, alarms_in_use: 0 };
        (self.shadow, self.shadow_trained) = (Some(Box::new(shadow)), Some(trained));
    }

    /// How far the last day lies from what the model in use was trained on.
    pub(super) fn drift(&self) -> Option<Drift> {
        self.drift
    }

    /// Whether its last look was answered.
    pub(super) fn is_seen(&self) -> bool {
        self.slot.is_some()
    }

    /// When the youngest model that it was given was trained.
    pub(super) fn youngest(&self) -> Option<i64> {
        self.shadow_trained.max(self.trained)
    }

    /// Whether a model follows beside the one in use.
    #[cfg(test)]
    pub(super) fn has_shadow(&self) -> bool {
        self.shadow.is_some()
    }

    /// Lets the new model follow; at the end of its time it takes over, if it raised no more false alarms, or is dropped.
    fn compare(&mut self, due: &Due, is_calm: bool, is_alarm: bool) {
        let Some(mut shadow) = self.shadow.take() else { return };
        let judgement = shadow.follower.push(due.time, &due.row);
        if is_calm {
            shadow.alarms += u32::from(judgement.is_some_and(|judgement| judgement.is_alarm()));
            shadow.alarms_in_use += u32::from(is_alarm);
        }
        if due.time - shadow.since < SHADOW_SECONDS {
            self.shadow = Some(shadow);
        } else if shadow.alarms <= shadow.alarms_in_use + MORE_ALARMS_MAX {
            (self.follower, self.trained) = (Some(Box::new(shadow.follower)), self.shadow_trained);
        }
    }
}

/// What is measured.
fn row(window: &Window) -> Vec<f64> {
    MEASURES.iter().map(|measure| (measure.read)(window)).collect()
}

fn judged(follower: &mut Follower, at: i64, row: &[f64], trained: Option<i64>) -> Option<Anomaly> {
    let judgement: Judgement = follower.peek(at, row)?;
    let threshold = judgement.limit?;
    let (stream, model) = (follower.stream(), follower.stream().model());
    let (mut deviations, mut gains) = (Vec::new(), Vec::new());
    stream.deviations(&mut deviations);
    stream.gains(&mut gains);
    let mut ranked: Vec<usize> = (0..row.len()).filter(|place| row[*place].is_finite()).collect();
    // What deviates now comes before what did a while ago, however much: its means and swings still tell of that.
    let is_over = |place: &usize| stream.z()[*place].powi(2).ln_1p() < TELLING;
    ranked.sort_by(|one, other| {
        is_over(one).cmp(&is_over(other)).then_with(|| deviations[*other].total_cmp(&deviations[*one]))
    });
    let contribution = |place: &usize| Contribution {
        signal: MEASURES[*place].name,
        deviation: deviations[*place],
        forest_gain: Some(gains[*place]),
        value: row[*place],
        expected: model.usual(at, *place).expected,
        z: stream.z()[*place],
    };
    let is_daily = model.is_daily();
    let mut anomaly = Anomaly {
        score: Rarity::clamped(judgement.look.score),
        threshold: Rarity::clamped(threshold),
        basis: if is_daily { Basis::Model } else { Basis::YoungModel },
        trained,
        drift: None,
        contributions: ranked.iter().map(contribution).collect(),
        because: Vec::new(),
    };
    if anomaly.is_anomalous() {
        // The most deviating is always told of: an anomaly without a word is of no use.
        let is_told = |(rank, place): &(usize, &usize)| {
            deviations[**place] >= TELLING || (*rank == 0 && deviations[**place] > 0.0)
        };
        let telling = ranked.iter().enumerate().take(SENTENCES_MAX).filter(is_told);
        anomaly.because = telling
            .map(|(_, place)| unlike(&MEASURES[*place], row[*place], model.usual(at, *place), is_daily))
            .collect();
    }
    Some(anomaly)
}

/// While there is no model: how far the furthest measure is on the way to its limit; 1 at the limit.
fn limited(row: &[f64]) -> Anomaly {
    let measured = MEASURES.iter().zip(row).filter(|(_, value)| value.is_finite());
    let limits = measured.filter_map(|(measure, value)| Some((measure, *value, *value / measure.limit?)));
    let mut ranked: Vec<_> = limits.collect();
    ranked.sort_by(|one, other| other.2.total_cmp(&one.2));
    let contributions = ranked.iter().map(|(measure, value, share)| Contribution {
        signal: measure.name,
        deviation: share.max(0.0),
        forest_gain: None,
        value: *value,
        expected: 0.0,
        z: 0.0,
    });
    let over = ranked.iter().take(SENTENCES_MAX).filter(|(_, _, share)| *share > 1.0);
    Anomaly {
        score: Rarity::clamped(ranked.first().map_or(0.0, |(_, _, share)| *share)),
        threshold: Rarity::clamped(1.0),
        basis: Basis::Limits,
        trained: None,
        drift: None,
        contributions: contributions.collect(),
        because: over.map(|(measure, value, share)| beyond(measure, *value, value / share)).collect(),
    }
}
