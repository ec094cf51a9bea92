//! What the agent as a whole writes down beside its decisions: whom it turned away, and what became of its
//! configuration. Nothing waits for it; while the journal takes nothing, it keeps what it can.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::store::{Body, Denial, Door, Journal, NewEntry};
use crate::types::{Clock, ServiceName};

/// Time between two looks at what is to be written.
const ROUND: Duration = Duration::from_secs(1);
/// Whoever is turned away again and again is written down so often, with a count.
const AGAIN_MS: i64 = 60_000;
/// Addresses that are told from each other in that time; all others are counted as one.
const CLIENTS_MAX: usize = 32;
/// Bodies that may wait for the task.
const QUEUE_MAX: usize = 64;
/// Entries kept while the journal takes nothing; of more, the oldest are lost.
const WAITING_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy, Default)]
struct Visits {
    /// Since it was written down last.
    count: u64,
    /// When that was, Unix milliseconds.
    written: Option<i64>,
}

/// Those who were turned away, by door and address; no address for all who are too many.
type Visitors = BTreeMap<(Door, Option<IpAddr>), Visits>;

/// The way into the ledger.
#[derive(Debug, Clone)]
pub struct LedgerHandle {
    bodies: mpsc::Sender<Body>,
    visitors: Arc<Mutex<Visitors>>,
}

impl LedgerHandle {
    /// Notes that somebody was turned away.
    pub fn denied(&self, door: Door, client: IpAddr) {
        let mut visitors = self.visitors.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (door, Some(client.to_canonical()));
        let has_room = visitors.len() < CLIENTS_MAX || visitors.contains_key(&key);
        visitors.entry(if has_room { key } else { (door, None) }).or_default().count += 1;
    }

    /// Hands over what is to be written when the journal takes it.
    pub fn note(&self, body: Body) {
        if self.bodies.try_send(body).is_err() {
            tracing::error!("an entry about the agent is lost: too many wait for the journal");
        }
    }
}

/// The task that writes.
pub struct Ledger {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    bodies: mpsc::Receiver<Body>,
    visitors: Arc<Mutex<Visitors>>,
    waiting: VecDeque<NewEntry>,
}

impl Ledger {
    /// The task, and the handle that feeds it.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> (Self, LedgerHandle) {
        let (sender, bodies) = mpsc::channel(QUEUE_MAX);
        let visitors = Arc::new(Mutex::new(Visitors::new()));
        let handle = LedgerHandle { bodies: sender, visitors: Arc::clone(&visitors) };
        (Self { journal, clock, bodies, visitors, waiting: VecDeque::new() }, handle)
    }

    /// Writes until cancelled, and once more then.
    pub async fn run(mut self, cancelled: CancellationToken) {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_over = false;
        while !is_over {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => is_over = true,
                Some(body) = self.bodies.recv() => self.wait(body),
                _ = rounds.tick() => {}
            }
            while let Ok(body) = self.bodies.try_recv() {
                self.wait(body);
            }
            self.write(is_over).await;
        }
    }

    fn wait(&mut self, body: Body) {
        let at_unix_ms = self.clock.now().unix_ms();
        self.waiting.push_back(NewEntry { at_unix_ms, service: ServiceName::agent(), incident: None, body });
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_front();
            tracing::error!("an entry about the agent is lost: too many wait for the journal");
        }
    }

    async fn write(&mut self, is_over: bool) {
        for denial in self.due(is_over) {
            self.wait(Body::Denied { denial });
        }
        if self.waiting.is_empty() {
            return;
        }
        let entries: Vec<NewEntry> = self.waiting.iter().cloned().collect();
        match self.journal.append(entries).await {
            Ok(_) => self.waiting.clear(),
            Err(error) => tracing::debug!(%error, "entries about the agent wait for the journal"),
        }
    }

    /// Those who are to be written down by now: the first time at once, and then with a count.
    fn due(&self, is_over: bool) -> Vec<Denial> {
        let now = self.clock.now().unix_ms();
        let mut visitors = self.visitors.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that went back makes nobody wait for long.
        let is_old = |visits: &Visits| {
            visits.written.is_none_or(|at| !(0..AGAIN_MS).contains(&now.saturating_sub(at)))
        };
        visitors.retain(|_, visits| visits.count > 0 || !is_old(visits));
        let due = visitors.iter_mut().filter(|(_, visits)| visits.count > 0 && (is_over || is_old(visits)));
        due.map(|((door, client), visits)| {
            let count = std::mem::take(&mut visits.count);
            visits.written = Some(now);
            Denial { door: *door, client: client.map(|client| client.to_string()), count }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryJournal, Query};
    use crate::types::Moment;

    struct Hand(Mutex<u64>);

    impl Clock for Hand {
        fn now(&self) -> Moment {
            let now = Duration::from_secs(*self.0.lock().unwrap());
            Moment { mono: now, wall: now }
        }
    }

    async fn denials(journal: &MemoryJournal) -> Vec<(Option<String>, u64)> {
        let entries = journal.read(Query::default()).await.unwrap();
        let denial = |body: Body| if let Body::Denied { denial } = body { Some(denial) } else { None };
        entries.into_iter().filter_map(|e| denial(e.body)).map(|d| (d.client, d.count)).collect()
    }

    #[tokio::test]
    async fn a_caller_is_written_down_at_once_and_then_counted() {
        let (journal, clock) = (MemoryJournal::new(), Arc::new(Hand(Mutex::new(1_000))));
        let (mut ledger, handle) = Ledger::new(Arc::new(journal.clone()), clock.clone());
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let told = |count| (Some("192.0.2.1".to_owned()), count);
        handle.denied(Door::Webhook, one);
        ledger.write(false).await;
        assert_eq!(denials(&journal).await, [told(1)]);
        for second in 1..60 {
            *clock.0.lock().unwrap() = 1_000 + second;
            handle.denied(Door::Webhook, "::ffff:192.0.2.1".parse().unwrap());
            ledger.write(false).await;
        }
        assert_eq!(denials(&journal).await, [told(1)], "only counted");
        *clock.0.lock().unwrap() = 1_060;
        ledger.write(false).await;
        assert_eq!(denials(&journal).await, [told(1), told(59)]);
        handle.denied(Door::Webhook, one);
        ledger.write(true).await;
        assert_eq!(denials(&journal).await.len(), 3, "the end writes what was counted");
    }

    #[tokio::test]
    async fn any_number_of_addresses_makes_few_entries() {
        let (journal, clock) = (MemoryJournal::new(), Arc::new(Hand(Mutex::new(1_000))));
        let (mut ledger, handle) = Ledger::new(Arc::new(journal.clone()), clock);
        for client in 0..10_000_u32 {
            handle.denied(Door::Webhook, IpAddr::V4(client.into()));
        }
        ledger.write(false).await;
        let written = denials(&journal).await;
        assert_eq!(written.len(), CLIENTS_MAX + 1);
        assert_eq!(written[0], (None, 10_000 - CLIENTS_MAX as u64));
    }
}
