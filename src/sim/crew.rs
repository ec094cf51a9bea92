//! Who watches over the record of a simulated world: the agents of redrover, or one of the baselines.

use serde::Serialize;

use super::agent::{Cast, Doors};
use super::baseline::Baseline;

/// Those who can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contender {
    /// The shipped agents.
    Redrover,
    /// One prober: three failed probes in a row, then the record is written.
    ThreeProbes,
    /// The health checks of a DNS provider, with immediate failback.
    HealthCheck,
}

impl Contender {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Redrover, Self::ThreeProbes, Self::HealthCheck];

    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redrover => "redrover",
            Self::ThreeProbes => "three probes",
            Self::HealthCheck => "health check",
        }
    }
}

/// The processes of one contender.
pub(super) enum Crew {
    /// The shipped agents.
    Redrover(Cast),
    /// A baseline.
    Baseline(Baseline),
}

impl Crew {
    /// The HTTP side of each agent; a baseline has none.
    pub(super) fn doors(&self) -> Doors {
        match self {
            Self::Redrover(cast) => cast.doors(),
            Self::Baseline(baseline) => baseline.doors(),
        }
    }

    /// Begins the process at an agent's place.
    pub(super) async fn start(&mut self, agent: usize) {
        match self {
            Self::Redrover(cast) => cast.start(agent).await,
            Self::Baseline(baseline) => baseline.start(agent),
        }
    }

    /// Ends the process at an agent's place.
    pub(super) fn kill(&mut self, agent: usize) {
        match self {
            Self::Redrover(cast) => cast.kill(agent),
            Self::Baseline(baseline) => baseline.kill(agent),
        }
    }

    /// Lets an agent reload a configuration that its reader must refuse; a baseline has none to reload.
    pub(super) fn reload_broken(&mut self, agent: usize) {
        match self {
            Self::Redrover(cast) => cast.reload_broken(agent),
            Self::Baseline(_) => {}
        }
    }
}
