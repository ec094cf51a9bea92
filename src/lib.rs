//! redrover watches Redis in several datacenters and moves the DNS name of a service, safely, when its active site fails.
//!
//! The way of the data: `config -> monitor -> analyse -> decide -> store (ticket) -> act -> store
//! (outcome)`. See ARCHITECTURE.md.

pub mod act;
pub mod analyse;
pub mod app;
pub mod cli;
pub mod config;
pub mod control;
pub mod decide;
pub mod lead;
pub mod learn;
pub mod monitor;
pub mod replay;
pub mod serve;
pub mod sim;
pub mod store;
pub mod types;
