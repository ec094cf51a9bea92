//! The numbers about deciding.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::decide::{Decision, Verdict};
use crate::monitor::{counted, register};
use crate::types::ServiceName;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    redis_service: String,
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    redis_service: String,
}

/// The numbers about deciding.
#[derive(Debug, Clone)]
pub struct Metrics {
    decisions: Family<Decided, Counter>,
    dropped_alerts: Family<Of, Counter>,
}

impl Metrics {
    /// Makes and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let decisions = Family::default();
        register(registry, &counted::DECISIONS, decisions.clone());
        let dropped_alerts = Family::default();
        register(registry, &counted::ALERTS_DROPPED, dropped_alerts.clone());
        Self { decisions, dropped_alerts }
    }

    /// Makes the series of a service appear with 0, so that a first event is an increase.
    pub(super) fn expect(&self, service: &ServiceName) {
        for verdict in Verdict::ALL {
            let _ = self.decisions.get_or_create(&labels(service, verdict));
        }
        self.dropped(service, 0);
    }

    pub(super) fn dropped(&self, service: &ServiceName, alerts: u64) {
        self.dropped_alerts.get_or_create(&Of { redis_service: service.to_string() }).inc_by(alerts);
    }

    pub(super) fn decided(&self, decision: &Decision) {
        self.decisions.get_or_create(&labels(&decision.service, decision.verdict)).inc();
    }
}

fn labels(service: &ServiceName, verdict: Verdict) -> Decided {
    Decided { redis_service: service.to_string(), verdict: verdict.as_str() }
}
