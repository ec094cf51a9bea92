//! Text to checked values: YAML becomes a tree with line numbers, the tree a raw configuration, and that a
//! [`Config`], with all mistakes reported at once.
//!
//! Absent on purpose: defaults hidden elsewhere, and any way to make a [`Config`] from a file but [`load()`].

mod analysis;
mod around;
mod channels;
mod check;
mod check_around;
mod check_route53;
mod checked;
mod cloud_dns;
mod embedded;
mod error;
mod evidence;
mod exporter;
mod history;
mod hooks;
mod keys;
mod load;
mod maintenance;
mod notify;
mod outline;
mod places;
mod policy;
mod provider;
mod raw;
pub(crate) mod read;
mod redis;
mod rfc2136;
mod route53;
mod secret;
mod sections;
mod service;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod web;

pub use around::{
    ClientErrors, ClusterUser, Datacenter, Enterprise, HttpLogin, Maintenance, Prometheus, Reach, Vantage,
};
pub use checked::{
    Address, Agent, Alertmanager, Analysis, AnalysisSignal, AnomalyDirection, AnomalyThreshold, Canary,
    Config, Flap, Global, Mode, Policy, Promote, Provider, Record, Service, Site, Target, Tls, Topology,
    Webhook, WebhookAuth, Weights,
};
pub use cloud_dns::CloudDns;
pub use embedded::{EmbeddedDns, NameServer, Network, RateLimit};
pub use error::{Problem, Problems};
pub use exporter::{Discover, Exporter, Group};
pub use history::{History, MetricsHistory};
pub use hooks::{Hook, HookWay, Hooks};
pub use keys::{KEY_CHECKS_MAX, KeyCheck, KeyCheckKind, KeyGroup, KeyScope, Keys};
pub use load::{CONFIG_BYTES_MAX, Loaded, Rules, load, load_for, parse};
pub use notify::{Channel, Email, Level, MessageWebhook, RateLimits, SmtpTls, Way};
pub use outline::Outline;
pub(crate) use policy::{KEYS as POLICY_KEYS, of as policy_of, text as policy_text};
pub use read::secret_of_file;
pub use redis::Login;
pub use rfc2136::{Rfc2136, Tsig, TsigAlgorithm};
pub use route53::{AssumeRole, MoreRecord, MoreTarget, Route53};
pub use secret::Secret;
pub(crate) use service::promote as promote_of;
pub use target::target_name;
pub use template::{Piece, Place, Template};
pub use web::{
    ClientCertificates, HASH_COST_MAX, LoadedWeb, PasswordHash, TlsVersion, Web, WebCipher, WebCurve, WebTls,
    load_web,
};
