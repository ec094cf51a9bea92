//! Random incidents: a world, faults in it, then everything is mended, and it must settle.
//!
//! Absent on purpose: any other judge than that of scenarios. An incident is a scenario, and one that fails is printed
//! as one, as short as it can be made.

mod draw;
mod faults;
mod incident;
mod run;
mod shrink;

pub use run::{Failure, Summary, run};
