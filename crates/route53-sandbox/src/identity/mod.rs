//! Who asks: keys that were given out, by AssumeRole, by web identity, and by the instance's metadata.

mod keys;
mod metadata;
mod routes;
mod sts;

pub use keys::{Caller, Keys};
pub use routes::router;
