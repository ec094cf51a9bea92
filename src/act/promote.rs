//! The port to the hands at the Redis itself: pause an old primary, promote a standby.

use std::time::Duration;

use async_trait::async_trait;

use super::cluster::ClusterError;
use super::hook::{HookError, HookPoint};
use crate::decide::Plan;
use crate::decide::saga::Fencing;
use crate::types::{Gap, SiteName, TargetName};

/// What went wrong at a Redis.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// The site is not configured.
    #[error("no site {0} is configured")]
    UnknownSite(SiteName),
    /// An old primary could be neither paused nor proven gone.
    #[error("{target} can be neither paused nor proven gone ({})", gap.reason.as_str())]
    Unfenceable {
        /// The Redis.
        target: TargetName,
        /// What was seen.
        gap: Gap,
    },
    /// The order to become a primary was certainly not carried out.
    #[error("{target} was not promoted ({})", gap.reason.as_str())]
    Promotion {
        /// The Redis.
        target: TargetName,
        /// What was seen.
        gap: Gap,
    },
    /// The order to become a primary was sent, and nothing came back: it may still arrive.
    #[error("{target} did not confirm its promotion, which may still come about ({})", gap.reason.as_str())]
    Doubtful {
        /// The Redis.
        target: TargetName,
        /// What was seen.
        gap: Gap,
    },
    /// The hook has said yes, and the target does not say that it is a primary.
    #[error("{target} does not say that it is a primary, although the hook was content")]
    Unconfirmed {
        /// The Redis.
        target: TargetName,
    },
    /// The hook that was to promote failed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The cluster that was to stop the traffic, or to promote, did not.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A database whose traffic its cluster has stopped still answers.
    #[error("{target} still answers although its cluster was told to stop its traffic")]
    StillServes {
        /// The Redis.
        target: TargetName,
    },
    /// The target answered, and is still no primary.
    #[error("{target} is still no primary after the order")]
    NotPrimary {
        /// The Redis.
        target: TargetName,
    },
}

impl PromoteError {
    /// Whether the promotion may still come about after this failure: what was called may go on by itself.
    #[must_use]
    pub fn may_still_happen(&self) -> bool {
        match self {
            Self::Hook(error) => error.may_still_happen(),
            Self::Cluster(error) => error.may_still_happen(),
            Self::Doubtful { .. } | Self::Unconfirmed { .. } => true,
            Self::UnknownSite(_)
            | Self::StillServes { .. }
            | Self::Unfenceable { .. }
            | Self::Promotion { .. }
            | Self::NotPrimary { .. } => false,
        }
    }

    /// Whether the order may be given again: of what it asks for there can be no more than once.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        matches!(self, Self::Doubtful { .. })
    }
}

/// Hands at the Redis of one service.
#[async_trait]
pub trait Promote: Send + Sync {
    /// Keeps every target of a site from taking writes for `pause`, or proves it gone.
    ///
    /// # Errors
    /// A target could be neither paused nor proven gone.
    async fn fence(&self, site: &SiteName, pause: Duration) -> Result<Vec<Fencing>, PromoteError>;

    /// Lets a site take writes again after [`Promote::fence`]. A target that does not hear it takes writes when its
    /// pause runs out.
    async fn release(&self, site: &SiteName);

    /// Makes every target of the plan's new site a primary, and sees that it says so.
    ///
    /// # Errors
    /// The order failed, or the target does not say so; it may have been promoted all the same.
    async fn promote(&self, plan: &Plan) -> Result<(), PromoteError>;

    /// Calls the configured hooks of a point, one after the other, all within a limit; what came of each, in one line.
    /// After a switch all are called, whatever came of the one before.
    ///
    /// # Errors
    /// One failed that comes before the switch; those behind it were not called.
    async fn hooks(&self, _: HookPoint<'_>, _: &Plan, _: Duration) -> Result<Vec<String>, HookError> {
        Ok(Vec::new())
    }
}
