//! Who may act. With one agent it is that agent; the term is the proof.
//!
//! Absent on purpose: fencing. The lease is advice, the fence in DNS is the judge.

mod term;

pub use term::{Election, Solo, Standing, Term};
