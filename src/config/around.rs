//! The checked configuration of what stands around the services: vantages, what the agent must reach, what else is in
//! a datacenter, control planes, and where applications' errors are counted.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Secret;
use crate::types::{AgentName, RecordName, SiteName};

/// Another agent, asked for what it sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Vantage {
    /// Its name, unique, and not that of this agent.
    pub name: AgentName,
    /// The failure domain it observes from.
    pub failure_domain: SiteName,
    /// Its base URL, `http` or `https`.
    pub url: url::Url,
    /// What this agent shows it.
    pub token: Option<Secret>,
}

/// Something beside the Redis that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Something accepts TCP connections.
    Tcp {
        /// Host name, or IP address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A name resolves.
    Dns(RecordName),
    /// Something answers by HTTP.
    Http(url::Url),
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Dns(name) => fmt::Display::fmt(name, f),
            Self::Http(url) => fmt::Display::fmt(url, f),
        }
    }
}

/// A datacenter, and what is there beside the Redis of the services.
#[derive(Debug, Clone, PartialEq)]
pub struct Datacenter {
    /// Its name.
    pub name: SiteName,
    /// What else there is looked at.
    pub domain_checks: Vec<Reach>,
    /// The Redis Enterprise cluster there.
    pub enterprise: Option<Enterprise>,
}

/// The control plane of a Redis Enterprise cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Enterprise {
    /// Base URL of its REST API, `http` or `https`.
    pub url: url::Url,
    /// The user, who needs no more than the role `db_viewer`.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The user who changes databases, where that is another one; it needs the role `db_member`.
    pub promotion: Option<ClusterUser>,
    /// Certificate authorities to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Where it tells its own metrics (`https://host:8070/v2`), if they are wanted.
    pub metrics_url: Option<url::Url>,
    /// How often everything that it says of itself is collected.
    pub interval: Duration,
}

/// A user of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterUser {
    /// The user.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// The Prometheus that knows what applications see.
#[derive(Debug, Clone, PartialEq)]
pub struct Prometheus {
    /// Base URL, `http` or `https`.
    pub url: url::Url,
    /// How this agent proves itself, where it must.
    pub login: Option<HttpLogin>,
    /// Certificate authorities to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
}

/// How one proves oneself by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpLogin {
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
}

/// What applications see of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientErrors {
    /// A query whose one value is the share of failing requests, 0 to 1.
    pub promql: String,
}

/// A time in which people work on a service, or on one of its sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// The site; `None` is the service as a whole.
    pub site: Option<SiteName>,
    /// Its beginning, milliseconds since the Unix epoch.
    pub from_unix_ms: i64,
    /// Its end, later than the beginning.
    pub until_unix_ms: i64,
}
