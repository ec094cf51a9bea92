//! Who may connect and ask: TLS, client certificates and users by the file of `--web.config.file`, read anew while the
//! program runs.

mod gate;
mod keeper;
mod refusal;
mod rules;
mod tls;
mod users;

#[cfg(test)]
pub(super) mod tests;

pub(super) use gate::gate;
pub use keeper::WebKeeper;
pub use refusal::WebError;
pub use rules::WebRules;
