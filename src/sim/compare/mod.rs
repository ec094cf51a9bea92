//! The comparison: redrover and the baselines in the same incidents, counted from what was really so.
//!
//! Absent on purpose: any word of a contender about itself. What it did is read from the record, and whether that was
//! right from the world.

mod count;
mod faults;
mod figures;
mod history;
mod mix;
mod run;

pub use figures::{Comparison, Figures, OfContender, OfKind};
pub use mix::Kind;
pub use run::run;
