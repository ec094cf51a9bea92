//! Agents: their configuration, their journals before time 0, how they begin and end.
//!
//! Absent on purpose: what an agent does. It is put together from shipped parts.

mod cast;
mod config;
mod past;

pub(super) use cast::{Cast, Doors};
pub use config::ConfigError;
pub(super) use config::{Policies, TOKEN, config, secrets};
