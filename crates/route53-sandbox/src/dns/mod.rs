//! The DNS edge: what is `INSYNC`, over UDP and TCP.

mod answer;
mod lookup;
mod serve;

pub use answer::{Transport, answer};
pub use lookup::Turns;
pub use serve::{Sockets, serve_tcp, serve_udp};
