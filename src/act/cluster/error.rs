//! What can go wrong with an order to a cluster, and whether it may have been carried out all the same.

use std::time::Duration;

use crate::monitor::TlsError;
use crate::types::SiteName;

/// Why an order to a cluster was not seen to be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The certificates cannot be used.
    #[error("the cluster of {site} cannot be asked")]
    Tls {
        /// The site.
        site: SiteName,
        /// Why.
        source: TlsError,
    },
    /// The credentials were refused a short while ago, and rest.
    #[error("the cluster of {site} has refused the credentials; so as not to lock the user, they rest")]
    Resting {
        /// The site.
        site: SiteName,
    },
    /// No connection came about: nothing was sent.
    #[error("the cluster of {site} cannot be reached")]
    Unreached {
        /// The site.
        site: SiteName,
        /// Why.
        source: reqwest::Error,
    },
    /// The cluster has refused.
    #[error("the cluster of {site} refused to {what} (HTTP {status}{code})")]
    Refused {
        /// The site.
        site: SiteName,
        /// What was asked for.
        what: &'static str,
        /// The status.
        status: u16,
        /// Its own code after a comma, or nothing.
        code: String,
    },
    /// The database was busy with another change all the time.
    #[error("the cluster of {site} was busy with another change of database {database} and did not {what}")]
    Busy {
        /// The site.
        site: SiteName,
        /// The database.
        database: u32,
        /// What was asked for.
        what: &'static str,
    },
    /// The copy was made to be read only.
    #[error("database {database} of {site} was made read only (replica_read_only) and can never be promoted")]
    ReadOnly {
        /// The site.
        site: SiteName,
        /// The database.
        database: u32,
    },
    /// What the cluster says of the database before anything is changed cannot be read.
    #[error("the cluster of {site} does not say what database {database} is (HTTP {status})")]
    Unknown {
        /// The site.
        site: SiteName,
        /// The database.
        database: u32,
        /// The status.
        status: u16,
    },
    /// The order was sent, and was not seen to be carried out: it may have been, and it may still be.
    #[error("the cluster of {site} was told to {what}, and within {} s it was not seen to be done", within.as_secs())]
    InDoubt {
        /// The site.
        site: SiteName,
        /// What was asked for.
        what: &'static str,
        /// How long was looked.
        within: Duration,
    },
}

impl ClusterError {
    /// Whether the order may have been carried out, or may still be.
    #[must_use]
    pub fn may_still_happen(&self) -> bool {
        match self {
            Self::InDoubt { .. } => true,
            Self::Tls { .. }
            | Self::Resting { .. }
            | Self::Unreached { .. }
            | Self::Refused { .. }
            | Self::Busy { .. }
            | Self::ReadOnly { .. }
            | Self::Unknown { .. } => false,
        }
    }
}
