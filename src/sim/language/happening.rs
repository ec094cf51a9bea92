//! What can happen in a simulated world: facts, each of which holds until a later event about the same thing.

mod agents;
mod dns;
mod network;
mod site;
mod webhook;

use std::time::Duration;

pub use agents::{AgentState, ClockChange, LeaseState, Order, Who};
pub use dns::{DnsState, FenceEdit, RecordEdit};
pub use network::{NetworkPath, NetworkState, Place, Ports, Power};
pub use site::{Answer, ClientErrors, ControlState, Lag, LinkState, MetricsState, RedisState, Seers};
pub use webhook::{Fingerprint, Token, Webhook};

use crate::types::{Ratio, SiteName};

/// Which service or target of many, counted from 0.
pub type Rank = usize;

/// One happening.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The Redis of a site changes.
    Redis {
        /// The site's datacenter.
        site: SiteName,
        /// What it does.
        is: RedisState,
        /// Which of its addresses; empty means all.
        targets: Vec<Rank>,
        /// Who sees it so.
        to: Seers,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// The Redis of a site loads its dataset; then it is up.
    Loading {
        /// The site's datacenter.
        site: SiteName,
        /// How long it takes from here on.
        left: Duration,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// A standby falls behind, or catches up.
    Lag {
        /// The standby's datacenter.
        site: SiteName,
        /// How far it is behind.
        is: Lag,
    },
    /// The memory of a site fills or empties.
    Memory {
        /// The site's datacenter.
        site: SiteName,
        /// Percent of its limit; more than 100 is what it would need with the load of the active site.
        percent: u32,
    },
    /// The link over which a site receives the other sites' writes changes.
    Link {
        /// The receiving site's datacenter.
        site: SiteName,
        /// The link.
        is: LinkState,
    },
    /// The control plane of a site changes.
    Control {
        /// The site's datacenter.
        site: SiteName,
        /// What it does.
        is: ControlState,
    },
    /// A datacenter loses its power with all that is in it, agents included, or gets it back.
    Datacenter {
        /// The datacenter.
        name: SiteName,
        /// Its power.
        is: Power,
    },
    /// A line changes.
    Network {
        /// Which.
        path: NetworkPath,
        /// What it does.
        is: NetworkState,
        /// What of it.
        only: Ports,
    },
    /// An agent changes.
    Agent {
        /// Which.
        who: Who,
        /// What becomes of it.
        is: AgentState,
    },
    /// The clock of an agent goes wrong.
    Clock {
        /// Which agent.
        who: Who,
        /// How.
        change: ClockChange,
    },
    /// A notification is posted.
    Webhook(Webhook),
    /// The share of failing requests, as applications see it, is forced or set free.
    Clients {
        /// While the record names this site; `None` means whatever it names.
        site: Option<SiteName>,
        /// The share.
        errors: ClientErrors,
    },
    /// The numbers that the Redis of a site reports change.
    Metrics {
        /// The site's datacenter.
        site: SiteName,
        /// What they are.
        is: MetricsState,
    },
    /// The anomaly score of a site, from all agents.
    Anomaly {
        /// The site's datacenter.
        site: SiteName,
        /// The score.
        score: Ratio,
    },
    /// The DNS provider changes.
    Dns(DnsState),
    /// Name servers answer a change so long after it took effect.
    DnsVisibleAfter(Duration),
    /// Somebody else edits the record.
    Record {
        /// What it names from here on; `None` leaves it.
        value: Option<RecordEdit>,
        /// Its time to live from here on, whole seconds; `None` leaves it.
        ttl: Option<Duration>,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// Somebody else edits the fence.
    Fence {
        /// What it becomes.
        edit: FenceEdit,
        /// Of which service; `None` means all.
        service: Option<Rank>,
    },
    /// Some of the four watched resolvers keep the old answer.
    Resolvers {
        /// How many of them.
        stale: u32,
        /// How long.
        lasts: Duration,
    },
    /// The lease store changes.
    Lease(LeaseState),
    /// A person gives an order.
    Operator {
        /// The order.
        does: Order,
        /// To which agent.
        who: Who,
        /// For which service; `None` means all.
        service: Option<Rank>,
    },
    /// An agent is told to reload a configuration that is invalid.
    BrokenConfig {
        /// Which agent.
        who: Who,
    },
}
