//! What a test can do: change the state, move the clock, see what was asked. JSON under `/_sandbox`, without a login.

mod change;
mod orders;
mod routes;

pub use routes::router;
