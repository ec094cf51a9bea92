//! A primary name server that takes dynamic updates (RFC 2136): record and fence in one zone, changed by one UPDATE whose
//! prerequisites name both sets as they must stand, every message signed with a shared key (RFC 8945).
//!
//! Absent on purpose: UDP towards the primary, where a datagram that is sent again repeats a change; other servers than
//! the configured one, which may forward a change or answer what was; unsigned updates; and any deletion that does not
//! name what it deletes.

mod held;
mod key;
mod outcome;
mod provider;
mod servers;
mod session;
mod update;

#[cfg(test)]
mod tests;

pub use provider::Rfc2136Dns;
