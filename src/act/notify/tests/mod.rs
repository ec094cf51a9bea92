//! Messages: what the journal's entries say to people, when it goes out, and that it arrives.

mod chronicle;
mod courier;
mod desk;
// Real peers, which share no code with the clients.
#[path = "../../../../tests/it/support/sink.rs"]
pub mod sink;
pub mod world;
