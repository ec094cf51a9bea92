//! History, the player, and what is told of both.

mod history;
mod patience;
mod player;
mod report;
mod world;

pub(super) use world::{config, service};
