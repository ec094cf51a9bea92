//! Text to checked values: YAML becomes a tree with line numbers, the tree a raw configuration, and that a
//! [`Config`], with all mistakes reported at once.
//!
//! Absent on purpose: defaults hidden elsewhere, and any way to make a [`Config`] but [`load`].

mod checked;
mod secret;

pub use checked::{
    Address, Agent, Alertmanager, Canary, Config, EmbeddedDns, Flap, Global, Mode, Policy, Promote, Provider,
    Record, Route53, Service, Site, Target, Tls, Topology, Webhook, WebhookAuth, Weights,
};
pub use secret::Secret;
