//! How long things take; the defaults are documented, measured by others, or assumed, as the comments say.

use serde::{Deserialize, Serialize};

use crate::clock::Ms;

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// From the loss of a primary shard to the promotion of its replica; documented as single-digit seconds.
    pub shard_failover_ms: Ms,
    /// From the loss of an endpoint's node until another one serves it; documented as single-digit seconds.
    pub endpoint_rebind_ms: Ms,
    /// From the end of a proxy to its return; measured once.
    pub proxy_restart_ms: Ms,
    /// From the loss of the leading node to the next one; assumed.
    pub election_ms: Ms,
    /// From the loss of the majority until the API says so; assumed.
    pub quorum_notice_ms: Ms,
    /// From pausing the synchronisation until the lag check fails; measured.
    pub pause_notice_ms: Ms,
    /// From resuming or healing until a member has caught up; measured.
    pub catch_up_ms: Ms,
    /// How long nobody notices that a link between members is cut; measured.
    pub link_blind_ms: Ms,
    /// How long nobody notices that the link of a copy is cut; assumed.
    pub copy_blind_ms: Ms,
    /// How long a full copy takes; assumed.
    pub full_sync_ms: Ms,
    /// How long a change of a database takes; assumed.
    pub change_ms: Ms,
    /// From the beginning of a node's maintenance until it is empty; assumed.
    pub maintenance_ms: Ms,
    /// How far a healthy copy is behind; assumed.
    pub link_delay_ms: Ms,
    /// Failed logins that lock a user; documented.
    pub lockout_threshold: u32,
    /// After which time a failed login is forgotten; documented.
    pub lockout_window_ms: Ms,
    /// How long a user is locked; documented.
    pub lockout_ms: Ms,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            shard_failover_ms: 2000,
            endpoint_rebind_ms: 5000,
            proxy_restart_ms: 8000,
            election_ms: 5000,
            quorum_notice_ms: 3000,
            pause_notice_ms: 2000,
            catch_up_ms: 5000,
            link_blind_ms: 60_000,
            copy_blind_ms: 1000,
            full_sync_ms: 3000,
            change_ms: 500,
            maintenance_ms: 20_000,
            link_delay_ms: 6,
            lockout_threshold: 5,
            lockout_window_ms: 900_000,
            lockout_ms: 1_800_000,
        }
    }
}
