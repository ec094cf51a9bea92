//! The task that writes rows down, trains models, and hands them to those who look.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::history::{History, HistoryError};
use super::models::{ModelError, Models};
use crate::analyse::{Artifact, Follower, Lesson, Settings, Table, TrainError, measure_names, train};
use crate::types::{Clock, ServiceName, SiteName, TargetName};

/// Rounds whose rows may wait; more are lost, and said so.
const LESSONS_MAX: usize = 1024;

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

/// A model that is ready, and when it was trained.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The model, with the last rows behind it.
    pub follower: Follower,
    /// When it was trained, Unix seconds.
    pub trained: i64,
}

type Shelf = Arc<Mutex<BTreeMap<Place, Ready>>>;

/// What the workers of services know of the learner.
#[derive(Debug, Clone)]
pub struct Lessons {
    sender: mpsc::Sender<(ServiceName, Vec<Lesson>)>,
    shelf: Shelf,
}

impl Lessons {
    /// Hands rows of a service over; nobody waits for it.
    pub fn give(&self, service: &ServiceName, lessons: Vec<Lesson>) {
        if !lessons.is_empty() && self.sender.try_send((service.clone(), lessons)).is_err() {
            tracing::warn!("the history of targets cannot be written as fast as it comes: rows are lost");
        }
    }

    /// The model of a target, if it is younger than the one that was trained at `known`.
    #[must_use]
    pub fn younger(&self, place: &Place, known: Option<i64>) -> Option<Ready> {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.get(place).filter(|ready| known.is_none_or(|known| known < ready.trained)).cloned()
    }
}

/// The learner of an agent.
pub struct Learner {
    work: Arc<Work>,
    lessons: mpsc::Receiver<(ServiceName, Vec<Lesson>)>,
}

/// What is done on a thread that may wait for a disk.
struct Work {
    models: Models,
    learning: Learning,
    clock: Arc<dyn Clock>,
    shelf: Shelf,
    /// When each target's model was trained, or was tried to.
    tried: Mutex<BTreeMap<Place, i64>>,
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

impl Learner {
    /// A learner that keeps its files in an agent's data folder, and the way to it.
    #[must_use]
    pub fn new(data_dir: &Path, learning: Learning, clock: Arc<dyn Clock>) -> (Self, Lessons) {
        let (sender, lessons) = mpsc::channel(LESSONS_MAX);
        let shelf = Shelf::default();
        let (models, tried) = (Models::new(data_dir), Mutex::default());
        let work = Arc::new(Work { models, learning, clock, shelf: Arc::clone(&shelf), tried });
        (Self { work, lessons }, Lessons { sender, shelf })
    }

    /// Learns until cancelled. What takes long is done on a thread of its own, so that no look waits for it.
    pub async fn run(mut self, cancelled: CancellationToken) {
        let work = Arc::clone(&self.work);
        self.aside(move || work.restore()).await;
        loop {
            let lessons = tokio::select! {
                biased;
                () = cancelled.cancelled() => return,
                lessons = self.lessons.recv() => lessons,
            };
            let Some((service, lessons)) = lessons else {
                // Whoever looks is gone; the program is about to end.
                return cancelled.cancelled().await;
            };
            let work = Arc::clone(&self.work);
            self.aside(move || lessons.iter().for_each(|lesson| work.learn(&service, lesson))).await;
        }
    }

    async fn aside(&mut self, work: impl FnOnce() + Send + 'static) {
        if tokio::task::spawn_blocking(work).await.is_err() {
            tracing::error!("learning failed in a way that is a mistake of this program");
        }
    }
}

impl Work {
    /// Puts the models that were kept on the shelf.
    fn restore(&self) {
        let listed = match self.models.list() {
            Ok(listed) => listed,
            Err(error) => return warn(&error, "the models cannot be read"),
        };
        for file in listed {
            match file.artifact {
                Ok(artifact) => self.restore_one(artifact),
                Err(error) => warn(&error, "a model was refused; it will be made anew"),
            }
        }
    }

    fn restore_one(&self, artifact: Artifact) {
        let names = (
            ServiceName::new(&artifact.service),
            SiteName::new(&artifact.site),
            TargetName::new(&artifact.target),
        );
        let (Ok(service), Ok(site), Ok(target)) = names else { return };
        let place = (service, site, target);
        if artifact.content.model.period_seconds() != self.learning.settings.period_seconds {
            return;
        }
        match self.table(&place) {
            Ok(table) => self.shelve(&place, artifact, &table),
            Err(error) => warn(&error, "a history cannot be read"),
        }
    }

    fn learn(&self, service: &ServiceName, lesson: &Lesson) {
        let place = (service.clone(), lesson.site.clone(), lesson.target.clone());
        if let Err(error) = self.history(&place).push(lesson.time, &lesson.row, lesson.is_usual) {
            return warn(&error, "a row of history is lost");
        }
        if self.is_due(&place, lesson.time) {
            self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), lesson.time);
            if let Err(error) = self.train(&place) {
                warn(&error, "a model could not be made");
            }
        }
    }

    /// Whether a model is to be made: for the first time, when there is enough history, or because the last is old.
    fn is_due(&self, place: &Place, now: i64) -> bool {
        let apart = |then: i64, least: Duration| {
            u64::try_from(now.saturating_sub(then)).is_ok_and(|seconds| seconds >= least.as_secs())
        };
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner).get(place).copied();
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        match (shelf.get(place).map(|ready| ready.trained), tried) {
            (Some(trained), tried) => apart(trained.max(tried.unwrap_or(trained)), self.learning.retrain),
            // Looking costs a read of the file, so not in every period.
            (None, Some(tried)) => apart(tried, self.learning.history_min / 10),
            (None, None) => true,
        }
    }

    fn train(&self, place: &Place) -> Result<(), LearnError> {
        let began = self.clock.now();
        let Some((artifact, table)) = self.learning.train(&self.models, place)? else { return Ok(()) };
        let took_ms = self.clock.now().since(began).as_millis();
        let (service, site, target) = place;
        let rows = artifact.content.model.rows();
        tracing::info!(%service, %site, %target, rows, took_ms, "learned what is usual");
        self.shelve(place, artifact, &table);
        Ok(())
    }

    fn shelve(&self, place: &Place, artifact: Artifact, table: &Table) {
        let trained = artifact.trained;
        let mut follower = Follower::new(artifact.content, self.learning.settings.threshold);
        for row in 0..table.rows() {
            follower.recall(table.times()[row], table.row(row));
        }
        let ready = Ready { follower, trained };
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), ready);
    }

    fn history(&self, place: &Place) -> History {
        self.learning.history_of(&self.models.history(place))
    }

    fn table(&self, place: &Place) -> Result<Table, HistoryError> {
        self.learning.table(&self.models, place)
    }
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
            content: train(&table, &self.settings.recipe(service, site, target))?,
        };
        models.save(&artifact, place)?;
        Ok(Some((artifact, table)))
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

fn warn(error: &(dyn std::error::Error + 'static), what: &str) {
    tracing::warn!(error, "{what}");
}

#[cfg(test)]
mod tests {
    use super::super::models::load;
    use super::*;
    use crate::types::SystemClock;

    fn place() -> Place {
        (
            ServiceName::new("sessions").unwrap(),
            SiteName::new("dc-a").unwrap(),
            TargetName::new("redis://redis-1:6379").unwrap(),
        )
    }

    fn lesson(minute: i64) -> Lesson {
        let (_, site, target) = place();
        let row =
            measure_names().enumerate().map(|(place, _)| ((minute * 7 + place as i64) % 11) as f64).collect();
        Lesson { site, target, time: minute * 60, row, is_usual: true }
    }

    fn work(folder: &Path, history_min: Duration) -> Work {
        let learning = Learning {
            settings: Settings::default(),
            history: Duration::from_secs(86_400),
            history_min,
            retrain: Duration::from_secs(3600),
        };
        let (learner, _) = Learner::new(folder, learning, Arc::new(SystemClock::new()));
        Arc::into_inner(learner.work).expect("it is the only one")
    }

    #[test]
    fn a_model_is_made_kept_restored_and_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let hours = |n: u64| Duration::from_secs(n * 3600);
        let first = work(folder.path(), hours(2));
        (0..119).for_each(|minute| first.learn(&place().0, &lesson(minute)));
        assert!(first.shelf.lock().unwrap().is_empty(), "two hours are not over");
        (119..140).for_each(|minute| first.learn(&place().0, &lesson(minute)));
        let trained = first.shelf.lock().unwrap().get(&place()).expect("there is a model").trained;
        assert!((119 * 60..140 * 60).contains(&trained), "{trained}");
        (140..210).for_each(|minute| first.learn(&place().0, &lesson(minute)));
        let again = first.shelf.lock().unwrap()[&place()].trained;
        assert!(again >= trained + 3600, "{again} after {trained}");

        let second = work(folder.path(), hours(2));
        second.restore();
        assert_eq!(second.shelf.lock().unwrap()[&place()].trained, again);

        // A damaged file is refused, and made anew.
        let path = second.models.path(&place());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[1000] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let third = work(folder.path(), hours(2));
        third.restore();
        assert!(third.shelf.lock().unwrap().is_empty());
        assert!(third.models.list().unwrap()[0].artifact.is_err());
        third.learn(&place().0, &lesson(211));
        assert!(load(&path).is_ok() && third.shelf.lock().unwrap().contains_key(&place()));
    }
}
