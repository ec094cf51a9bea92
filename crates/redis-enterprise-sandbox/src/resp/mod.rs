//! The Redis protocol as a database's proxy speaks it: parsing, and answers from the state. No sockets here.

mod commands;
mod info;
mod parse;
mod value;

pub use commands::Session;
pub use parse::{Parsed, parse};
