//! The numbers about acting.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::decide::Plan;
use crate::decide::saga::Outcome;
use crate::monitor::{counted, register};

/// Labels of a switch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Switched {
    redis_service: String,
    from: String,
    to: String,
    trigger: &'static str,
    outcome: &'static str,
}

/// Labels of a phase.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Phase {
    phase: &'static str,
}

/// The numbers about acting.
#[derive(Debug, Clone)]
pub struct Metrics {
    switches: Family<Switched, Counter>,
    phases: Family<Phase, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Makes and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let switches = Family::default();
        register(registry, &counted::FAILOVERS, switches.clone());
        let histogram: fn() -> Histogram = || {
            Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0])
        };
        let phases = Family::new_with_constructor(histogram);
        register(registry, &counted::FAILOVER_DURATION, phases.clone());
        Self { switches, phases }
    }

    pub(super) fn ended(&self, plan: &Plan, outcome: &Outcome) {
        let labels = Switched {
            redis_service: plan.service.to_string(),
            from: plan.from.to_string(),
            to: plan.to.to_string(),
            trigger: plan.trigger.as_str(),
            outcome: outcome.as_str(),
        };
        self.switches.get_or_create(&labels).inc();
    }

    pub(super) fn phase(&self, phase: &'static str, seconds: f64) {
        self.phases.get_or_create(&Phase { phase }).observe(seconds);
    }
}
