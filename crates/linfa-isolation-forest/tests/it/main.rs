//! Tests of the crate as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod behaviour;
mod contributions;
mod online;
mod properties;
mod reference;
mod robust;
mod rows;
#[cfg(feature = "serde")]
mod stored;
#[cfg(feature = "rayon")]
mod threads;
mod traits;
