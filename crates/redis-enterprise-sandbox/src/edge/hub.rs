//! The state behind its lock, moved forward whenever somebody looks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::world::World;

/// Between two looks at what has become due by itself.
const TICK: Duration = Duration::from_millis(25);

/// The state and its clock.
#[derive(Debug)]
pub struct Hub {
    world: Mutex<World>,
    clock: Clock,
    changes: watch::Sender<u64>,
}

impl Hub {
    /// A hub around a state.
    pub fn new(world: World, clock: Clock) -> Self {
        Self { world: Mutex::new(world), clock, changes: watch::Sender::new(0) }
    }

    /// Looks at the state of this moment, or changes it. No update leaves it half done, so a poisoned lock is as good
    /// as any.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(self.clock.now());
        look(&mut world)
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Tells the listeners to look again.
    pub fn announce(&self) {
        self.changes.send_modify(|revision| *revision += 1);
    }

    /// Hears of changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// Lets time pass until it is dropped.
pub async fn tick(hub: std::sync::Arc<Hub>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        hub.with(|_| ());
        hub.announce();
    }
}

/// The tasks of one sandbox.
#[derive(Debug, Default)]
pub struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Adds a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }

    /// Takes all of them out; dropping the set ends them.
    pub fn take(&self) -> JoinSet<()> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
