//! Builds the program, starts its tasks, waits, drains. Every task lives in one set and has a name; one that ends unasked
//! ends the program.

mod audit;
mod parts;
mod promote;
mod reload;

pub use parts::{App, Options, learning, now, open_dns, open_dns_read_only};
pub use promote::RedisHands;
