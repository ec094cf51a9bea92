//! The HTTP edge: requests in, XML out, and connections that close without an answer.

pub mod authorization;
mod batch;
pub mod reply;
mod request;
mod routes;
mod serve;

pub use request::{ListQuery, Query, Request};
pub use routes::{Answer, router};
pub use serve::serve;
