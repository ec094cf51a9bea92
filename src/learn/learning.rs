//! Making the model of one target from its history.

use std::path::Path;
use std::time::Duration;

use super::history::{History, HistoryError};
use super::models::{ModelError, Models};
use crate::analyse::{Artifact, Drift, Settings, Table, TrainError, Trained, measure_names, train};
use crate::types::{ServiceName, SiteName, TargetName};

/// What has drifted is learned from so long a time alone: enough to know the hours, and short enough to be of today.
const YOUNG_SECONDS: i64 = 3 * 86_400;

/// A target among all.
pub type Place = (ServiceName, SiteName, TargetName);

/// How models are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Learning {
    /// How targets are analysed.
    pub settings: Settings,
    /// How much history is kept of each target.
    pub history: Duration,
    /// Before so much of it there is no model.
    pub history_min: Duration,
    /// A model is made anew so often.
    pub retrain: Duration,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// What was seen cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The model cannot be kept.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No model can be made of it.
    #[error("no model can be made")]
    Train(#[from] TrainError),
}

impl Learning {
    /// Makes a model of all that is known of a target, and keeps it. Nothing where there is too little history.
    ///
    /// # Errors
    /// The history cannot be read, no model can be made of it, or it cannot be kept.
    pub fn train(&self, models: &Models, place: &Place) -> Result<Option<(Artifact, Table)>, LearnError> {
        let table = self.table(models, place)?;
        let (Some(first), Some(last)) = (table.times().first(), table.times().last()) else {
            return Ok(None);
        };
        let (span, last) = (last - first + i64::from(self.settings.period_seconds), *last);
        if u64::try_from(span).unwrap_or(0) < self.history_min.as_secs() {
            return Ok(None);
        }
        let (service, site, target) = place;
        let artifact = Artifact {
            service: service.to_string(),
            site: site.to_string(),
            target: target.to_string(),
            trained: last,
            content: self.learn(&table, place)?,
        };
        models.save(&artifact, place)?;
        Ok(Some((artifact, table)))
    }

    /// A model of a table; of its youngest days alone, where the last one lies far from all and less far from those.
    fn learn(&self, table: &Table, place: &Place) -> Result<Trained, TrainError> {
        let (service, site, target) = place;
        let recipe = self.settings.recipe(service, site, target);
        let whole = train(table, &recipe)?;
        let distance =
            |trained: &Trained| Drift::of(&trained.model, table).map_or(0.0, |drift| drift.distance);
        let (far, last) = (distance(&whole), table.times().last().copied().unwrap_or(0));
        let span = YOUNG_SECONDS.max(i64::try_from(self.history_min.as_secs()).unwrap_or(i64::MAX));
        let is_older = table.times().first().is_some_and(|first| *first <= last.saturating_sub(span));
        if far < Drift::FAR || !is_older {
            return Ok(whole);
        }
        match train(&table.after(last - span), &recipe) {
            Ok(young) if distance(&young) < far => Ok(young),
            Ok(_) | Err(_) => Ok(whole),
        }
    }

    /// How far the last day lies from what a model was trained on, by the history that is kept; unknown where there is too
    /// little of it.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn drift(&self, models: &Models, artifact: &Artifact) -> Result<Option<Drift>, HistoryError> {
        let Some(place) = place(artifact) else { return Ok(None) };
        Ok(Drift::of(&artifact.content.model, &self.table(models, &place)?))
    }

    /// A history with these settings.
    #[must_use]
    pub fn history_of(&self, path: &Path) -> History {
        let rows = self.history.as_secs() / u64::from(self.settings.period_seconds.max(1));
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        History::new(path, measure_names(), self.settings.period_seconds, rows)
    }

    /// All that is known of a target: what Prometheus knew, and then what was seen.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn table(&self, models: &Models, place: &Place) -> Result<Table, HistoryError> {
        let seen = self.history_of(&models.history(place)).read()?;
        let past = self.history_of(&models.past(place)).read()?;
        let first = seen.first().map_or(i64::MAX, |(time, ..)| *time);
        let newest = seen.last().or(past.last()).map_or(0, |(time, ..)| *time);
        let oldest = newest.saturating_sub(i64::try_from(self.history.as_secs()).unwrap_or(i64::MAX));
        let mut table = Table::new(measure_names());
        let past = past.into_iter().filter(|(time, ..)| *time < first);
        for (time, row, is_usual) in past.chain(seen).filter(|(time, ..)| *time > oldest) {
            let row: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
            table.push(time, &row, is_usual);
        }
        Ok(table)
    }
}

/// Whose a model is; nothing where a name is none.
pub(super) fn place(artifact: &Artifact) -> Option<Place> {
    Some((
        ServiceName::new(&artifact.service).ok()?,
        SiteName::new(&artifact.site).ok()?,
        TargetName::new(&artifact.target).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: i64 = 1200;
    const DAY_ROWS: i64 = 72;

    fn of_target() -> Place {
        (
            ServiceName::new("sessions").unwrap(),
            SiteName::new("dc-a").unwrap(),
            TargetName::new("redis-1").unwrap(),
        )
    }

    fn learning() -> Learning {
        Learning {
            settings: Settings { period_seconds: PERIOD as u32, ..Settings::default() },
            history: Duration::from_secs(14 * 86_400),
            history_min: Duration::from_secs(86_400),
            retrain: Duration::from_secs(86_400),
        }
    }

    /// Fourteen days; from the eleventh on every measure grows by six tenths of itself a day.
    fn table(grows: bool) -> Table {
        let mut table = Table::new(measure_names());
        for row in 0..14 * DAY_ROWS {
            let days = if grows { (row as f64 / DAY_ROWS as f64 - 10.0).max(0.0) } else { 0.0 };
            let noise = |column: usize| ((row as usize * 31 + column * 17) % 23) as f64 / 23.0;
            let cells = measure_names().enumerate();
            let cells = cells.map(|(column, _)| 1000.0 * (1.0 + 0.6 * days) + 10.0 * noise(column));
            table.push(row * PERIOD, &cells.collect::<Vec<_>>(), true);
        }
        table
    }

    #[test]
    fn what_has_grown_is_learned_from_its_youngest_days() {
        let (learning, grown) = (learning(), table(true));
        let whole = train(&grown, &recipe(&learning)).unwrap();
        let far = Drift::of(&whole.model, &grown).expect("there is a day");
        assert!(far.is_far(), "{far:?}");
        let learned = learning.learn(&grown, &of_target()).unwrap();
        let near = Drift::of(&learned.model, &grown).expect("there is a day");
        assert!(near.distance < far.distance / 2.0, "{near:?} {far:?}");
        assert_eq!(learned.model.rows(), 3 * DAY_ROWS as u64);
        assert!(learned.model.is_daily());
    }

    #[test]
    fn what_stays_is_learned_from_all() {
        let (learning, table) = (learning(), table(false));
        let learned = learning.learn(&table, &of_target()).unwrap();
        assert_eq!(learned.model.rows(), 14 * DAY_ROWS as u64);
        let drift = Drift::of(&learned.model, &table).expect("there is a day");
        assert!(!drift.is_far(), "{drift:?}");
        assert_eq!(Drift::of(&learned.model, &table.head(DAY_ROWS as usize / 3)), None, "not half a day");
    }

    fn recipe(learning: &Learning) -> crate::analyse::Recipe {
        let (service, site, target) = of_target();
        learning.settings.recipe(&service, &site, &target)
    }
}
