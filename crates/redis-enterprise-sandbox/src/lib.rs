//! A stand-in for clusters of Redis Enterprise (Redis Software).
//!
//! One state of several clusters, seen from four sides that never contradict each other: the REST API, the databases'
//! Redis protocol, the metrics, and DNS. A control endpoint changes the state: nodes go down, links are cut, accounts
//! are locked. What the vendor documents is imitated as documented, what others measured as measured, and what nobody
//! says is a switch. It shares no code with the programs it tests.
//!
//! ```no_run
//! # async fn demo() -> Result<(), redis_enterprise_sandbox::StartError> {
//! use redis_enterprise_sandbox::{Options, Plan, Sandbox};
//!
//! let running = Sandbox::start(Options::new(Plan::standard())).await?;
//! println!("{}", running.hello());
//! # Ok(())
//! # }
//! ```
//!
//! The parts, from the bottom: `plan` (what there is), `world` (the state, its rules and their times), `rest`, `resp`,
//! `metrics` and `names` (pure answers from the state), `control` (changing it), `edge` (sockets), `sandbox`.

mod clock;
mod control;
mod edge;
mod metrics;
mod names;
mod options;
mod plan;
mod resp;
mod rest;
mod sandbox;
mod world;

pub use options::Options;
pub use plan::{Plan, PlanError};
pub use sandbox::{Running, Sandbox, StartError};
