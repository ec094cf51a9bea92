//! The language of scenarios: facts of a simulated world on a timeline, and what must come of them.
//!
//! Absent on purpose: verdicts, votes, severities and confidences. A scenario says what is so; what to make of it is
//! the product's part.

mod defaults;
mod ground;
mod happening;
mod read;
mod scenario;
mod write;

pub use ground::{Ground, GroundError};
pub use happening::{
    AgentState, Answer, ClientErrors, ClockChange, ControlState, DnsState, FenceEdit, Fingerprint, Happening,
    Lag, LeaseState, LinkState, MetricsState, NetworkPath, NetworkState, Order, Place, Ports, Power, Rank,
    RecordEdit, RedisState, Seers, Token, Webhook, Who,
};
pub use read::{SCENARIO_BYTES_MAX, load, load_on, parse};
pub use scenario::{
    AgentPlace, AlertLevel, Alerts, By, Event, Expect, Outcome, PastSwitch, PolicyText, Scenario, Side, Step,
    Trigger, When, World,
};
pub use write::write;
