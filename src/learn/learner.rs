//! The task that writes rows down, trains models, and hands them to those who look.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::history::{History, HistoryError};
use super::learning::{LearnError, Learning, Place, place};
use super::lessons::{Lessons, Ready, Shelf, Task};
use super::models::{Models, load};
use crate::analyse::{Artifact, Entrance, Follower, Lesson, MORE_ALARMS_MAX, SHADOW_SECONDS, Table};
use crate::types::{Clock, ServiceName};

/// A model that has drifted is made anew after this part of the time that it would else be in use.
const DRIFTED_PART: u32 = 2;
/// A model that a person asked for is tried on at least so many usual rows before it enters at once.
const TRIAL_ROWS_MIN: usize = 30;
/// When an incident opens, the rows of so many seconds before it are not learned from either.
const TAKEN_BACK_SECONDS: i64 = 900;

/// The learner of an agent.
pub struct Learner {
    work: Arc<Work>,
    tasks: mpsc::Receiver<Task>,
    /// The targets whose models are to be made, and why. Making one takes seconds, so what comes meanwhile is taken between
    /// two of them.
    due: BTreeMap<Place, Why>,
    /// The orders that are being obeyed.
    orders: BTreeSet<Option<ServiceName>>,
}

/// Why a model is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// Its time has come.
    Time,
    /// A person wants it.
    Wanted,
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
        let shelf = Shelf::default();
        let (lessons, tasks) = Lessons::new(Arc::clone(&shelf));
        let (models, tried, known) = (Models::new(data_dir), Mutex::default(), Mutex::default());
        let work = Arc::new(Work { models, learning, clock, shelf, tried, known });
        (Self { work, tasks, due: BTreeMap::new(), orders: BTreeSet::new() }, lessons)
    }

    /// Learns until cancelled. What takes long is done on a thread of its own, so that no look waits for it.
    pub async fn run(mut self, cancelled: CancellationToken) {
        let work = Arc::clone(&self.work);
        self.aside(move || work.restore()).await;
        loop {
            let task = tokio::select! {
                biased;
                () = cancelled.cancelled() => return,
                task = self.tasks.recv() => task,
                () = std::future::ready(()), if !self.due.is_empty() => {
                    self.make_one().await;
                    continue;
                }
            };
            let work = Arc::clone(&self.work);
            match task {
                Some(Task::Learn(service, lessons)) => {
                    let learn = move || {
                        let due = lessons.iter().filter_map(|lesson| work.learn(&service, lesson));
                        (due.collect::<Vec<Place>>(), work.models.orders())
                    };
                    let (due, orders) = self.aside(learn).await.unwrap_or_default();
                    due.into_iter().for_each(|place| self.note(place, Why::Time));
                    self.take(orders);
                    self.strike_out().await;
                }
                Some(Task::TakeBack(service, before)) => {
                    self.aside(move || work.take_back(&service, before)).await;
                }
                // Whoever looks is gone; the program is about to end.
                None => return cancelled.cancelled().await,
            }
        }
    }

    /// Begins with the orders that are new.
    fn take(&mut self, orders: BTreeSet<Option<ServiceName>>) {
        for order in orders {
            if self.orders.insert(order.clone()) {
                let places = self.work.places(order.as_ref());
                tracing::info!(service = %of(order.as_ref()), targets = places.len(), "models are made anew by order");
                places.into_iter().for_each(|place| self.note(place, Why::Wanted));
            }
        }
    }

    fn note(&mut self, place: Place, why: Why) {
        let known = self.due.entry(place).or_insert(why);
        *known = why.max(*known);
    }

    /// Makes the next model, one that somebody wants first.
    async fn make_one(&mut self) {
        let wanted = self.due.iter().find(|(_, why)| **why == Why::Wanted);
        let Some((place, why)) =
            wanted.or(self.due.first_key_value()).map(|(place, why)| (place.clone(), *why))
        else {
            return;
        };
        self.due.remove(&place);
        let work = Arc::clone(&self.work);
        self.aside(move || work.make(&place, why)).await;
        self.strike_out().await;
    }

    /// Forgets the orders when nothing of them is left to do; one that is repeated before is the same.
    async fn strike_out(&mut self) {
        if self.orders.is_empty() || self.due.values().any(|why| *why == Why::Wanted) {
            return;
        }
        let (work, orders) = (Arc::clone(&self.work), std::mem::take(&mut self.orders));
        self.aside(move || work.strike_out(&orders)).await;
    }

    async fn aside<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let done = tokio::task::spawn_blocking(work).await;
        if done.is_err() {
            tracing::error!("learning failed in a way that is a mistake of this program");
        }
        done.ok()
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
                Ok(artifact) => self.restore_one(artifact, Why::Time),
                Err(error) => warn(&error, "a model was refused; it will be made anew"),
            }
        }
    }

    fn restore_one(&self, artifact: Artifact, why: Why) {
        let Some(place) = place(&artifact) else { return };
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place.clone(), self.models.written(&place));
        if artifact.content.model.period_seconds() != self.learning.settings.period_seconds {
            return;
        }
        match self.table(&place) {
            Ok(table) => self.shelve(&place, artifact, &table, why),
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
            Ok(artifact) => self.restore_one(artifact, Why::Wanted),
            Err(error) => warn(&error, "a model was refused; it will be made anew"),
        }
    }

    /// Keeps a row; returns its target when the time for a new model has come.
    fn learn(&self, service: &ServiceName, lesson: &Lesson) -> Option<Place> {
        let place = (service.clone(), lesson.site.clone(), lesson.target.clone());
        if let Err(error) = self.history(&place).push(lesson.time, &lesson.row, lesson.is_usual) {
            warn(&error, "a row of history is lost");
            return None;
        }
        self.take(&place);
        let is_due = self.is_due(&place, lesson.time, lesson.has_drifted);
        is_due.then(|| {
            self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), lesson.time);
            place
        })
    }

    /// Makes a model of what is there at this moment.
    fn make(&self, place: &Place, why: Why) {
        match self.train(place, why) {
            Ok(false) if why == Why::Wanted => {
                let (service, site, target) = place;
                tracing::warn!(%service, %site, %target, "there is too little history for the model that was asked for");
            }
            Ok(_) => {}
            Err(error) => warn(&error, "a model could not be made"),
        }
    }

    /// Removes the files of orders that were obeyed.
    fn strike_out(&self, orders: &BTreeSet<Option<ServiceName>>) {
        for order in orders {
            if let Err(error) = self.models.obeyed(order.as_ref()) {
                warn(&error, "an order to retrain cannot be struck out: it is obeyed again");
            }
        }
    }

    /// The targets of a service, or of all, that are known of.
    fn places(&self, of: Option<&ServiceName>) -> BTreeSet<Place> {
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let all = tried.keys().chain(shelf.keys());
        all.filter(|(service, ..)| of.is_none_or(|of| of == service)).cloned().collect()
    }

    /// Rows of a service of just before a time may not be learned from after all: an incident has opened.
    fn take_back(&self, service: &ServiceName, before: i64) {
        for place in self.places(Some(service)) {
            if let Err(error) = self.history(&place).take_back(before - TAKEN_BACK_SECONDS, before) {
                warn(&error, "rows of the time before an incident may be learned from");
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

    /// Makes a model; whether there was enough history for it.
    fn train(&self, place: &Place, why: Why) -> Result<bool, LearnError> {
        let began = self.clock.now();
        let Some((artifact, table)) = self.learning.train(&self.models, place)? else { return Ok(false) };
        let written = self.models.written(place);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), written);
        let took_ms = self.clock.now().since(began).as_millis();
        let (service, site, target) = place;
        let rows = artifact.content.model.rows();
        tracing::info!(%service, %site, %target, rows, took_ms, "learned what is usual");
        self.shelve(place, artifact, &table, why);
        Ok(true)
    }

    fn shelve(&self, place: &Place, artifact: Artifact, table: &Table, why: Why) {
        let trained = artifact.trained;
        let mut follower = Follower::new(artifact.content, self.learning.settings.threshold);
        let mut trial = None;
        for row in 0..table.rows() {
            if why == Why::Wanted && trial.is_none() && trained - table.times()[row] < SHADOW_SECONDS {
                trial = Some((follower.clone(), row));
            }
            follower.recall(table.times()[row], table.row(row));
        }
        let is_sound = trial.is_some_and(|(follower, first)| is_sound(follower, table, first));
        let entrance = if is_sound { Entrance::AtOnce } else { Entrance::AfterTrial };
        let ready = Ready { follower, trained, entrance };
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), ready);
    }

    fn history(&self, place: &Place) -> History {
        self.learning.history_of(&self.models.history(place))
    }

    fn table(&self, place: &Place) -> Result<Table, HistoryError> {
        self.learning.table(&self.models, place)
    }
}

/// Whether a model, had it followed for the last hours beside the one in use, would have taken over: of the rows from
/// `first` on which that one found usual it raises an alarm at one at most.
fn is_sound(mut follower: Follower, table: &Table, first: usize) -> bool {
    let (mut rows, mut alarms) = (0, 0);
    for row in first..table.rows() {
        let judgement = follower.push(table.times()[row], table.row(row));
        if table.is_usual(row) {
            rows += 1;
            alarms += u32::from(judgement.is_some_and(|judgement| judgement.is_alarm()));
        }
    }
    rows >= TRIAL_ROWS_MIN && alarms <= MORE_ALARMS_MAX
}

fn of(order: Option<&ServiceName>) -> &str {
    order.map_or("all", |service| service.as_str())
}

fn warn(error: &(dyn std::error::Error + 'static), what: &str) {
    tracing::warn!(error, "{what}");
}

#[cfg(test)]
mod tests;
