//! The replay: the decision core over recorded history, "what would this policy have done last month".
//!
//! Reading order: where history comes from ([`JournalHistory`], [`PrometheusHistory`]) as [`Stretch`]es, what the
//! [`Player`] makes of it, what an [`Account`] tells of that, and how a [`Report`] is written.
//!
//! Absent on purpose: any second copy of what decides, and any guess at a world in which the name had moved.

mod account;
mod chart;
mod html;
mod incident;
mod journal;
mod outages;
mod player;
mod prometheus;
mod report;
mod run;
mod score;
mod stretch;
#[cfg(test)]
mod tests;

pub use account::{Account, Coverage};
pub use incident::{Incident, Mark, Said};
pub use journal::JournalHistory;
pub use outages::{Outage, load as load_outages};
pub use player::{Played, Player};
pub use prometheus::{Asked, PrometheusHistory};
pub use report::Report;
pub use run::{History, ReplayError, Span, replay};
pub use score::{Found, Score};
pub use stretch::{Flow, Stretch, Then};
