//! What a sandbox is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::records::RecordSpec;

/// The settings of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zone's name.
    pub zone: String,
    /// The zone's id, without `/hostedzone/`.
    pub zone_id: String,
    /// The sets that exist, and are `INSYNC`, from the start.
    pub records: Vec<RecordSpec>,
    /// Private zones beside it, which DNS does not serve and the state file does not keep.
    pub private_zones: Vec<PrivateZone>,
    /// The long-lived access keys that are known; without any, every key is.
    pub access_keys: Vec<String>,
    /// The delegated name servers that GetHostedZone and the NS set name.
    pub name_servers: Vec<String>,
    /// The address of the API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address of DNS, UDP and TCP; port 0 takes a free one.
    pub dns_listen: SocketAddr,
    /// How long a change stays `PENDING`.
    pub sync_delay: Duration,
    /// Whether a change is refused while another one is `PENDING`.
    pub strict_pending: bool,
    /// The request limit, if any.
    pub throttle: Option<ThrottleOptions>,
    /// Where the records survive a restart; if the file exists, its records replace [`Options::records`].
    pub state: Option<PathBuf>,
}

/// A zone that only its own networks see.
#[derive(Debug, Clone)]
pub struct PrivateZone {
    /// The zone's id, without `/hostedzone/`.
    pub id: String,
    /// The zone's name.
    pub name: String,
    /// The sets that exist from the start.
    pub records: Vec<RecordSpec>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThrottleOptions {
    /// How many tokens it holds.
    pub burst: u32,
    /// How many it regains in a second.
    pub per_second: f64,
}

impl Options {
    /// A zone on free loopback ports whose changes take half a second.
    #[must_use]
    pub fn new(zone: impl Into<String>, zone_id: impl Into<String>) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            zone: zone.into(),
            zone_id: zone_id.into(),
            records: Vec::new(),
            private_zones: Vec::new(),
            access_keys: Vec::new(),
            name_servers: vec![
                "ns-1.route53-sandbox.test".to_owned(),
                "ns-2.route53-sandbox.test".to_owned(),
            ],
            listen: loopback,
            dns_listen: loopback,
            sync_delay: Duration::from_millis(500),
            strict_pending: false,
            throttle: None,
            state: None,
        }
    }

    /// The same options with one more set.
    #[must_use]
    pub fn with_record(mut self, record: RecordSpec) -> Self {
        self.records.push(record);
        self
    }

    /// The same options with a private zone.
    #[must_use]
    pub fn with_private_zone(mut self, zone: PrivateZone) -> Self {
        self.private_zones.push(zone);
        self
    }

    /// The same options with another delay.
    #[must_use]
    pub fn with_sync_delay(mut self, delay: Duration) -> Self {
        self.sync_delay = delay;
        self
    }
}
