//! The REST API: from a request to its answer, from the state alone.

mod answer;
mod auth;
mod availability;
mod bodies;
mod query;
mod reply;
mod route;
mod writes;

pub use answer::answer;
pub use auth::caller;
pub use reply::{Ask, Reply};
