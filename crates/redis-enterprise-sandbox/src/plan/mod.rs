//! What there is at the start, as JSON: clusters, databases, users, times, and the switches for what nobody documents.

mod check;
mod cluster;
mod profile;
mod timing;
mod variants;

use serde::Deserialize;

pub use check::PlanError;
pub use cluster::{ClusterPlan, DatabasePlan, Policy, Role, Settings, SourcePlan, UserPlan};
pub use profile::Profile;
pub use timing::Timing;
pub use variants::{DataPlane, Ping, Variants};

/// The whole plan.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The clusters, one a datacenter.
    pub(crate) clusters: Vec<ClusterPlan>,
    /// How long things take.
    #[serde(default)]
    pub(crate) timing: Timing,
    /// What nobody documents.
    #[serde(default)]
    pub(crate) variants: Variants,
}
