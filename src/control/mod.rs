//! The conductor: one worker for each service gathers, decides and commits; the intake makes notifications durable.
//!
//! Absent on purpose: HTTP, and any knowledge of a provider's protocol.

mod analysis;
mod command;
mod cycle;
mod flood;
mod intake;
mod metrics;
mod report;
mod view;
mod worker;

pub use analysis::analysis_settings;
pub use command::{ControlHandle, Submission, SubmitError, Wakers};
pub use intake::Intake;
pub use metrics::Metrics;
pub use report::report;
pub use view::{ServiceView, View};
pub use worker::{SWITCHES_MAX, Setup, Worker};
