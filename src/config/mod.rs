//! Text to checked values: YAML becomes a tree with line numbers, the tree a raw configuration, and that a
//! [`Config`], with all mistakes reported at once.
//!
//! Absent on purpose: defaults hidden elsewhere, and any way to make a [`Config`] from a file but [`load()`].

mod analysis;
mod around;
mod channels;
mod check;
mod check_around;
mod checked;
mod error;
mod evidence;
mod load;
mod maintenance;
mod notify;
mod places;
mod policy;
mod provider;
mod raw;
pub(crate) mod read;
mod redis;
mod rfc2136;
mod secret;
mod sections;
mod service;
mod target;
mod template;
#[cfg(test)]
mod tests;

pub use around::{ClientErrors, Datacenter, Enterprise, HttpLogin, Maintenance, Prometheus, Reach, Vantage};
pub use checked::{
    Address, Agent, Alertmanager, Analysis, AnalysisSignal, AnomalyDirection, AnomalyThreshold, Canary,
    Config, EmbeddedDns, Flap, Global, Mode, Policy, Promote, Provider, Record, Route53, Service, Site,
    Target, Tls, Topology, Webhook, WebhookAuth, Weights,
};
pub use error::{Problem, Problems};
pub use load::{CONFIG_BYTES_MAX, Loaded, Rules, load, load_for, parse};
pub use notify::{Channel, Email, Level, MessageWebhook, RateLimits, SmtpTls, Way};
pub(crate) use policy::{KEYS as POLICY_KEYS, of as policy_of, text as policy_text};
pub use rfc2136::{Rfc2136, Tsig, TsigAlgorithm};
pub use secret::Secret;
pub(crate) use service::promote as promote_of;
pub use template::{Piece, Place, Template};
