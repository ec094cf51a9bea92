//! What a sandbox is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::plan::Plan;

/// The settings of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The clusters.
    pub plan: Plan,
    /// The address of the control endpoint; port 0 takes a free one.
    pub control: SocketAddr,
    /// The address of DNS, UDP and TCP; port 0 takes a free one.
    pub dns: SocketAddr,
    /// The folder for the clusters' certificates; without one they are only in [`crate::Running::hello`].
    pub folder: Option<PathBuf>,
}

impl Options {
    /// These clusters on free loopback ports.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { plan, control: loopback, dns: loopback, folder: None }
    }
}
