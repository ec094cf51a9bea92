//! The port to the hands at the Redis itself: pause an old primary, promote a standby.

use std::time::Duration;

use async_trait::async_trait;

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
    /// The order to become a primary failed, or its answer was lost.
    #[error("{target} did not confirm its promotion ({})", gap.reason.as_str())]
    Promotion {
        /// The Redis.
        target: TargetName,
        /// What was seen.
        gap: Gap,
    },
    /// The target answered, and is still no primary.
    #[error("{target} is still no primary after the order")]
    NotPrimary {
        /// The Redis.
        target: TargetName,
    },
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

    /// Makes every target of a site a primary, and sees that it says so.
    ///
    /// # Errors
    /// The order failed, or the target does not say so; it may have been promoted all the same.
    async fn promote(&self, site: &SiteName) -> Result<(), PromoteError>;
}
