//! What becomes of the Redis of a site, of its control plane, and of what applications see there.

use std::time::Duration;

use crate::types::{AgentName, Ratio};

/// What a Redis does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RedisState {
    /// It serves.
    Up,
    /// Its host refuses the connection.
    Dead,
    /// It accepts the connection and never answers.
    Hung,
    /// Its host swallows every packet.
    Silent,
    /// Its name does not resolve.
    Unresolvable,
    /// Every command takes so long.
    Slow(Duration),
    /// So many packets are lost: that share of looks misses its deadline.
    Losing(Ratio),
    /// It answers with an error.
    Answering(Answer),
}

/// An error that a Redis answers with, or a failure that stands for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `WRONGPASS` or `NOAUTH` to everything.
    Auth,
    /// `NOPERM` to everything but PING.
    Permission,
    /// The TLS handshake fails: an expired certificate, say.
    Tls,
    /// `LOADING` to everything, without an end in sight.
    Loading,
    /// `READONLY` to writes; its role is replica.
    Readonly,
    /// `MISCONF` to writes.
    Misconf,
    /// `OOM` to writes.
    Oom,
    /// `BUSY` to everything.
    Busy,
    /// `MASTERDOWN` to everything but PING.
    Masterdown,
    /// `NOREPLICAS` to writes.
    Noreplicas,
    /// `max number of clients reached` to new connections.
    Maxclients,
    /// Something that is not Redis answers.
    Protocol,
}

impl Answer {
    /// All answers and their words.
    pub const WORDS: [(&str, Self); 12] = [
        ("auth", Self::Auth),
        ("permission", Self::Permission),
        ("tls", Self::Tls),
        ("loading", Self::Loading),
        ("readonly", Self::Readonly),
        ("misconf", Self::Misconf),
        ("oom", Self::Oom),
        ("busy", Self::Busy),
        ("masterdown", Self::Masterdown),
        ("noreplicas", Self::Noreplicas),
        ("maxclients", Self::Maxclients),
        ("protocol", Self::Protocol),
    ];
}

/// Who sees a Redis so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seers {
    /// Everybody; this replaces whatever only some saw.
    Everybody,
    /// The applications, and no agent.
    Clients,
    /// All agents, and no application.
    Agents,
    /// These agents, and nobody else.
    Named(Vec<AgentName>),
}

/// How far a standby is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// So far.
    Behind(Duration),
    /// Nobody can measure it.
    Unknown,
}

/// A replication link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// In sync, as far as the other end can be reached.
    Up,
    /// Broken.
    Down,
}

/// What a control plane does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlState {
    /// It answers, and says what is so.
    Up,
    /// Its host refuses the connection.
    Dead,
    /// It accepts the connection and never answers.
    Hung,
    /// It answers with half a document.
    Malformed,
    /// The TLS handshake fails.
    Tls,
    /// It answers with an HTTP status.
    Status {
        /// The status.
        status: u16,
        /// The error code in the body, if there is one: `no_quorum`, say.
        code: Option<String>,
    },
}

/// The share of failing requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClientErrors {
    /// What follows from the world.
    Measured,
    /// The query gives no answer.
    Unknown,
    /// This share.
    Share(Ratio),
}

/// The numbers that a Redis reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsState {
    /// Numbers.
    Normal,
    /// NaN and infinities.
    NotFinite,
}
