//! Looking at what stands around the Redis: what this agent must reach itself, what else answers in a datacenter,
//! what applications report to Prometheus, what a Redis Enterprise cluster says of its databases, and where people have
//! asked Alertmanager for quiet.
//!
//! Absent on purpose: redirects, proxies and retries. What is looked at is looked at directly and once, and what
//! gives no clear answer is a gap.

mod client;
mod collectors;
mod enterprise;
mod http;
mod lookout;
mod metrics;
mod range;
mod reach;
mod silences;
#[cfg(test)]
mod tests;

pub use collectors::Collectors;
pub(super) use enterprise::{Availability, EnterpriseClient, Freshness, malformed, refused};
pub(super) use metrics::CollectorMetrics;
pub use range::{RANGE_POINTS_MAX, RangeClient, RangeError, RangeSeries};
pub use silences::{AlertLabels, SilenceClient, incident_labels};
