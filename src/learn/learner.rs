//! The task that writes rows down, trains models, and hands them to those who look.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::history::{History, HistoryError};
use super::learning::{LearnError, Learning, Place, place};
use super::models::{Models, load};
use crate::analyse::{Artifact, Follower, Lesson, Table};
use crate::types::{Clock, ServiceName};

/// Rounds whose rows may wait; more are lost, and said so.
const LESSONS_MAX: usize = 1024;

/// A model that has drifted is made anew after this part of the time that it would else be in use.
const DRIFTED_PART: u32 = 2;
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
    /// When the model file that each target has was written.
    known: Mutex<BTreeMap<Place, Option<SystemTime>>>,
}

impl Learner {
    /// A learner that keeps its files in an agent's data folder, and the way to it.
    #[must_use]
    pub fn new(data_dir: &Path, learning: Learning, clock: Arc<dyn Clock>) -> (Self, Lessons) {
        let (sender, lessons) = mpsc::channel(LESSONS_MAX);
        let shelf = Shelf::default();
        let (models, tried, known) = (Models::new(data_dir), Mutex::default(), Mutex::default());
        let work = Arc::new(Work { models, learning, clock, shelf: Arc::clone(&shelf), tried, known });
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
        let Some(place) = place(&artifact) else { return };
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place.clone(), self.models.written(&place));
        if artifact.content.model.period_seconds() != self.learning.settings.period_seconds {
            return;
        }
        match self.table(&place) {
            Ok(table) => self.shelve(&place, artifact, &table),
            Err(error) => warn(&error, "a history cannot be read"),
        }
    }

    /// Takes the model of a target that somebody else made meanwhile, such as `redrover train`.
    fn take(&self, place: &Place) {
        let written = self.models.written(place);
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_none() || known().get(place) == Some(&written) {
            return;
        }
        known().insert(place.clone(), written);
        match load(&self.models.path(place)) {
            Ok(artifact) => self.restore_one(artifact),
            Err(error) => warn(&error, "a model was refused; it will be made anew"),
        }
    }

    fn learn(&self, service: &ServiceName, lesson: &Lesson) {
        let place = (service.clone(), lesson.site.clone(), lesson.target.clone());
        if let Err(error) = self.history(&place).push(lesson.time, &lesson.row, lesson.is_usual) {
            return warn(&error, "a row of history is lost");
        }
        self.take(&place);
        if self.is_due(&place, lesson.time, lesson.has_drifted) {
            self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), lesson.time);
            if let Err(error) = self.train(&place) {
                warn(&error, "a model could not be made");
            }
        }
    }

    /// Whether a model is to be made: for the first time, when there is enough history, or because the last is old or of
    /// other times.
    fn is_due(&self, place: &Place, now: i64, has_drifted: bool) -> bool {
        let Learning { retrain, .. } = self.learning;
        let retrain = if has_drifted { retrain / DRIFTED_PART } else { retrain };
        let apart = |then: i64, least: Duration| {
            u64::try_from(now.saturating_sub(then)).is_ok_and(|seconds| seconds >= least.as_secs())
        };
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner).get(place).copied();
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        match (shelf.get(place).map(|ready| ready.trained), tried) {
            (Some(trained), tried) => apart(trained.max(tried.unwrap_or(trained)), retrain),
            // Looking costs a read of the file, so not in every period.
            (None, Some(tried)) => apart(tried, self.learning.history_min / 10),
            (None, None) => true,
        }
    }

    fn train(&self, place: &Place) -> Result<(), LearnError> {
        let began = self.clock.now();
        let Some((artifact, table)) = self.learning.train(&self.models, place)? else { return Ok(()) };
        let written = self.models.written(place);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), written);
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

fn warn(error: &(dyn std::error::Error + 'static), what: &str) {
    tracing::warn!(error, "{what}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::{Settings, measure_names};
    use crate::types::{SiteName, SystemClock, TargetName};

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
        Lesson { site, target, time: minute * 60, row, is_usual: true, has_drifted: false }
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

    #[test]
    fn a_model_that_somebody_else_made_is_taken_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let agent = work(folder.path(), Duration::from_secs(20 * 3600));
        (0..130).for_each(|minute| agent.learn(&place().0, &lesson(minute)));
        assert!(agent.shelf.lock().unwrap().is_empty(), "there is too little history");
        // As `redrover train` does, with a configuration that asks for less.
        let other = work(folder.path(), Duration::from_secs(7200));
        let (made, _) = other.learning.train(&other.models, &place()).unwrap().expect("it is enough");
        agent.learn(&place().0, &lesson(130));
        assert_eq!(agent.shelf.lock().unwrap()[&place()].trained, made.trained);
    }

    #[test]
    fn what_has_drifted_is_made_anew_before_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let work = work(folder.path(), Duration::from_secs(7200));
        (0..140).for_each(|minute| work.learn(&place().0, &lesson(minute)));
        let trained = work.shelf.lock().unwrap()[&place()].trained;
        for (later, has_drifted, is_due) in
            [(1799, true, false), (1800, true, true), (1800, false, false), (3600, false, true)]
        {
            let found = work.is_due(&place(), trained + later, has_drifted);
            assert_eq!(found, is_due, "{later} s later, drifted: {has_drifted}");
        }
    }

    /// Whoever looks hands rows over and goes on, however long the learner takes, and however many rows wait.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_waits_for_the_learner() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock::new());
        let learning = work(folder.path(), Duration::from_secs(20 * 3600)).learning;
        let (learner, lessons) = Learner::new(folder.path(), learning, clock);
        let (work, cancelled) = (Arc::clone(&learner.work), CancellationToken::new());
        // With this in other hands the learner stands still in the middle of a lesson.
        let (taken, is_taken) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let other = Arc::clone(&work);
        let holder = std::thread::spawn(move || {
            let _held = other.tried.lock();
            taken.send(()).unwrap();
            released.recv()
        });
        is_taken.recv().unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(learner.run(cancelled.clone()));
        lessons.give(&place().0, vec![lesson(0)]);
        let history = work.models.history(&place());
        let has_begun = async {
            while !history.exists() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), has_begun).await.expect("the learner begins");
        for minute in 1..=2 * LESSONS_MAX as i64 {
            lessons.give(&place().0, vec![lesson(minute)]);
            assert!(lessons.younger(&place(), None).is_none());
        }
        drop(release);
        cancelled.cancel();
        assert!(tasks.join_next().await.is_some_and(|ended| ended.is_ok()));
        assert!(holder.join().is_ok());
    }
}
