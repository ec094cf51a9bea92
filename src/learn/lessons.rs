//! The way to the learner, and the shelf where its models stand ready.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::learning::Place;
use crate::analyse::{Entrance, Follower, Lesson};
use crate::types::ServiceName;

/// Rounds whose rows may wait; more are lost, and said so.
pub(super) const LESSONS_MAX: usize = 1024;

/// A model that is ready, and when it was trained.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The model, with the last rows behind it.
    pub follower: Follower,
    /// When it was trained, Unix seconds.
    pub trained: i64,
    /// How it takes the place of the one in use.
    pub entrance: Entrance,
}

pub(super) type Shelf = Arc<Mutex<BTreeMap<Place, Ready>>>;

/// What the learner is to do.
#[derive(Debug)]
pub(super) enum Task {
    /// Write rows of a service down, and learn.
    Learn(ServiceName, Vec<Lesson>),
    /// Learn nothing from the rows of a service just before this time, Unix seconds.
    TakeBack(ServiceName, i64),
}

/// What others know of the learner.
#[derive(Debug, Clone)]
pub struct Lessons {
    sender: mpsc::Sender<Task>,
    shelf: Shelf,
}

impl Lessons {
    pub(super) fn new(shelf: Shelf) -> (Self, mpsc::Receiver<Task>) {
        let (sender, tasks) = mpsc::channel(LESSONS_MAX);
        (Self { sender, shelf }, tasks)
    }

    /// Hands rows of a service over; nobody waits for it.
    pub fn give(&self, service: &ServiceName, lessons: Vec<Lesson>) {
        if !lessons.is_empty() && self.sender.try_send(Task::Learn(service.clone(), lessons)).is_err() {
            tracing::warn!("the history of targets cannot be written as fast as it comes: rows are lost");
        }
    }

    /// Rows of a service of just before this time, Unix seconds, turn out to be of an incident; nobody waits for it.
    pub fn take_back(&self, service: &ServiceName, before: i64) {
        if self.sender.try_send(Task::TakeBack(service.clone(), before)).is_err() {
            tracing::warn!(%service, "rows of the time before an incident may be learned from");
        }
    }

    /// The model of a target, if it is younger than the one that was trained at `known`.
    #[must_use]
    pub fn younger(&self, place: &Place, known: Option<i64>) -> Option<Ready> {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.get(place).filter(|ready| known.is_none_or(|known| known < ready.trained)).cloned()
    }
}
