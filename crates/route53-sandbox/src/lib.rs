//! A strict stand-in for Amazon Route 53.
//!
//! It speaks the part of the REST API that changes and reads record sets, refuses what the service refuses, keeps a
//! change `PENDING` for a while, serves the zone over real DNS once the change is `INSYNC`, and fails on demand.
//! It shares no code with the programs it tests.
//!
//! ```no_run
//! # async fn demo() -> Result<(), route53_sandbox::StartError> {
//! use route53_sandbox::{Options, RecordSpec, Sandbox};
//!
//! let options = Options::new("example.test", "Z0TEST")
//!     .with_record(RecordSpec::simple("db.example.test", "CNAME", 5, ["paris.example.net"]));
//! let running = Sandbox::start(options).await?;
//! println!("{} {}", running.api_url(), running.dns_addr());
//! # Ok(())
//! # }
//! ```
//!
//! The parts, from the bottom: `records` (names, values, sets), `zone` (batches, propagation, history), `control`
//! (faults, policy, throttle), `identity` (keys that were given out), `service` (one request at a time), `api` and `dns` (the
//! two edges), `sandbox`.

mod api;
mod clock;
mod control;
mod dns;
mod identity;
mod options;
mod records;
mod sandbox;
mod service;
mod state;
mod zone;

pub use options::{Options, PrivateZone, ThrottleOptions};
pub use records::{AliasSpec, RecordSpec, RecordSpecError};
pub use sandbox::{Running, Sandbox, StartError};
