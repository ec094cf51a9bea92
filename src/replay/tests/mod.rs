//! History, the player, and what is told of both.

mod history;
mod player;
mod report;
mod world;

pub(super) use world::{config, service};
