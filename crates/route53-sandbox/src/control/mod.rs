//! What a test can ask for: faults, a policy, a throttle, foreign edits, the history.

mod bucket;
mod faults;
mod policy;
mod routes;

pub use bucket::Bucket;
pub use faults::{Fault, FaultKind, Faults};
pub use policy::{Asked, Policy};
pub use routes::router;
