//! The numbers about messages.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::monitor::{counted, register};
use crate::store::Fate;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sent {
    channel: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pending {
    channel: String,
}

/// A try that failed and is made again.
const FAILED: &str = "failed";

/// The numbers about messages.
#[derive(Debug, Clone)]
pub struct NotifyMetrics {
    sent: Family<Sent, Counter>,
    pending: Family<Pending, Gauge>,
}

impl NotifyMetrics {
    /// Makes and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let (sent, pending) = (Family::default(), Family::default());
        register(registry, &counted::NOTIFICATIONS, sent.clone());
        register(registry, &counted::NOTIFICATIONS_PENDING, pending.clone());
        Self { sent, pending }
    }

    /// Makes the series of a channel appear with 0, so that a first event is an increase.
    pub(super) fn expect(&self, channel: &str) {
        for result in Fate::ALL.map(Fate::as_str).into_iter().chain([FAILED]) {
            let _ = self.sent.get_or_create(&Sent { channel: channel.to_owned(), result });
        }
        let _ = self.pending.get_or_create(&Pending { channel: channel.to_owned() });
    }

    /// A channel that is gone is not counted any more.
    pub(super) fn forget_pending(&self, channel: &str) {
        self.pending.remove(&Pending { channel: channel.to_owned() });
    }

    pub(super) fn ended(&self, channel: &str, fate: Fate, count: u64) {
        let labels = Sent { channel: channel.to_owned(), result: fate.as_str() };
        self.sent.get_or_create(&labels).inc_by(count);
    }

    pub(super) fn failed(&self, channel: &str) {
        self.sent.get_or_create(&Sent { channel: channel.to_owned(), result: FAILED }).inc();
    }

    pub(super) fn pending(&self, channel: &str, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.pending.get_or_create(&Pending { channel: channel.to_owned() }).set(count);
    }
}
