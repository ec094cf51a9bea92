//! Every way a switch can go, in a world in memory with the real journal on disk, and a death at every step of each.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the variants that it is about")]

mod crash;
mod current;
mod fuse;
mod guards;
mod hook;
mod life;
mod pace;
mod sagas;
mod scenarios;
mod world;
