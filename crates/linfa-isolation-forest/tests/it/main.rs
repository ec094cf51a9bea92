//! Tests of the crate as its users see it.

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
