//! The simulator: whole agents in one process, on virtual time, in a world that keeps to a scenario.
//!
//! Absent on purpose: any second copy of what the product does. The simulated world implements the ports; all above
//! them is the code that is shipped.

pub mod language;
