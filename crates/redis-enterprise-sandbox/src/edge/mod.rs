//! Sockets: listeners that open and close as the state has it, TLS, and the connections behind them.

mod dns;
mod gate;
mod http;
mod hub;
mod metrics;
mod redis;
mod tls;

pub use dns::NameSockets;
pub use gate::{Bound, bind_all, keep};
pub use http::{rest, serve};
pub use hub::{Hub, Tasks, tick};
pub use metrics::metrics;
pub use redis::redis;
pub use tls::{Papers, TlsError};
