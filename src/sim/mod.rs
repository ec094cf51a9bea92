//! The simulator: whole agents in one process, on virtual time, in a world that keeps to a scenario.
//!
//! Absent on purpose: any second copy of what the product does. The simulated world implements the ports; all above
//! them is the code that is shipped.

mod agent;
mod alertmanager;
mod baseline;
mod chance;
pub mod compare;
mod crew;
pub mod language;
mod leaks;
mod parallel;
mod play;
mod ports;
pub mod random;
mod report;
mod rules;
mod sentence;
#[cfg(test)]
mod tests;
mod verdict;
mod watchman;
mod world;

pub use agent::ConfigError;
pub use parallel::{Task, Told, simulate_all};
pub use play::PlayError;
pub use report::{Line, Report, simulate};
pub use rules::RULES;
pub use world::Violation;
