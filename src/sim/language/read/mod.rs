//! From the text of a scenario to a checked [`Scenario`](super::Scenario), with all mistakes reported at once.
//!
//! Absent on purpose: anything that plays a scenario. What only the world can refuse, it refuses when it is built.

mod agents;
mod dns;
mod event;
mod expect;
mod load;
mod names;
mod network;
mod policy;
mod site;
mod state;
#[cfg(test)]
mod tests;
mod webhook;
mod world;

pub use load::{SCENARIO_BYTES_MAX, load, load_on, parse};
