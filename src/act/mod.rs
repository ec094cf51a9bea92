//! Changes the world once, with permission.
//!
//! Absent on purpose: any decision. What to do arrives as a plan; what happened leaves as an outcome.

pub mod dns;
pub mod verify;
