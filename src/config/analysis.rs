//! Reads how what is unusual is found; what is absent has its default.

use std::time::Duration;

use super::checked::{Analysis, AnalysisSignal, AnomalyDirection, AnomalyThreshold};
use super::read::{Section, choice, duration, number};
use crate::types::MEASURES;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// Rows of one history at most: a model is made of all of them at once.
const ROWS_MAX: u64 = 200_000;
const KEYS: &[&str] = &[
    "period",
    "history",
    "history_min",
    "retrain",
    "alarms_per_day",
    "contamination",
    "fixed_threshold",
    "signals",
];

pub(super) fn read(file: &Section<'_>) -> Analysis {
    let default = Analysis::default();
    let Some(section) = file.item("analysis").and_then(|item| item.section(KEYS)) else { return default };
    let analysis = Analysis {
        period: section.or("period", default.period, duration(SECOND..=HOUR)),
        history: section.or("history", default.history, duration(HOUR..=90 * DAY)),
        history_min: section.or("history_min", default.history_min, duration(SECOND..=30 * DAY)),
        retrain: section.or("retrain", default.retrain, duration(SECOND..=30 * DAY)),
        threshold: threshold(&section, default.threshold),
        signals: signals(&section),
    };
    if analysis.period.subsec_nanos() != 0 {
        section.sheet.problem(&section.key_of("period"), "is not a whole number of seconds", "write 60s");
    }
    if analysis.history_min > analysis.history {
        let hint = "keep more history, or ask for less";
        section.sheet.problem(
            &section.key_of("history_min"),
            "is more than history, so there is never a model",
            hint,
        );
    }
    if analysis.history.as_secs() / analysis.period.as_secs().max(1) > ROWS_MAX {
        let hint = "keep less, or in longer periods";
        section.sheet.problem(&section.key_of("history"), "has more than 200000 periods", hint);
    }
    analysis
}

fn threshold(section: &Section<'_>, default: AnomalyThreshold) -> AnomalyThreshold {
    let keys = ["alarms_per_day", "contamination", "fixed_threshold"];
    let given = keys.into_iter().filter(|key| section.item(key).is_some()).count();
    if given > 1 {
        let hint = "keep one of alarms_per_day, contamination and fixed_threshold";
        section.sheet.problem(&section.key, "has more than one threshold", hint);
    }
    let alarms = number(|n| n > 0.0 && n <= 1000.0, "a number above 0, up to 1000", "2");
    let share = number(|n| n > 0.0 && n <= 0.5, "a share above 0, up to 0.5", "0.001");
    let fixed = number(|n| n > 0.0 && n <= 1000.0, "a number above 0, up to 1000", "4");
    if section.item("contamination").is_some() {
        return AnomalyThreshold::Contamination(section.or("contamination", 0.001, share));
    }
    if section.item("fixed_threshold").is_some() {
        return AnomalyThreshold::Fixed(section.or("fixed_threshold", 4.0, fixed));
    }
    match default {
        AnomalyThreshold::AlarmsPerDay(usual) => {
            AnomalyThreshold::AlarmsPerDay(section.or("alarms_per_day", usual, alarms))
        }
        AnomalyThreshold::Contamination(_) | AnomalyThreshold::Fixed(_) => default,
    }
}

fn signals(section: &Section<'_>) -> Vec<AnalysisSignal> {
    let Some(list) = section.item("signals").and_then(|item| item.items()) else { return Vec::new() };
    let mut signals: Vec<AnalysisSignal> = Vec::new();
    for item in list {
        let Some(signal) = signal(&item) else { continue };
        if signals.iter().any(|known| known.name == signal.name) {
            let what = format!("{} has a rule already", signal.name);
            section.sheet.problem(&item.key, what, "keep one of them");
        }
        signals.push(signal);
    }
    signals
}

fn signal(item: &super::read::Item<'_>) -> Option<AnalysisSignal> {
    let section = item.section(&["name", "direction", "deviation_min", "deviation_min_share"])?;
    let directions =
        [("both", AnomalyDirection::Both), ("high", AnomalyDirection::High), ("low", AnomalyDirection::Low)];
    let names = MEASURES.map(|name| (name, name));
    let least = || number(|n| (0.0..=1e15).contains(&n), "a number from 0 on", "10");
    Some(AnalysisSignal {
        name: section.required("name", "name: blocked_clients", choice(&names))?.to_owned(),
        direction: section.or("direction", AnomalyDirection::Both, choice(&directions)),
        deviation_min: section.or("deviation_min", 0.0, least()),
        deviation_min_share: section.or("deviation_min_share", 0.0, least()),
    })
}
