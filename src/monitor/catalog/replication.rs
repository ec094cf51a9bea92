//! Of replication, on both of its sides.

use super::make::{facts, field, link, link_is, link_scaled, replica, state};
use super::spec::MetricSpec;

const SLAVE: &[&str] = &["master_host", "master_port", "read_only"];
const SLAVE_FIELDS: &[&str] = &["master_host", "master_port", "slave_read_only"];
const FAILOVER_STATES: &[&str] = &["no-failover", "waiting-for-sync", "failover-in-progress"];

/// Replication.
pub(super) const REPLICATION: &[MetricSpec] = &[
    field("redis_connected_slaves", "Connected replicas", "connected_slaves"),
    replica("redis_connected_slave_offset_bytes", "Offset of a connected replica", "offset"),
    replica("redis_connected_slave_lag_seconds", "Lag of a connected replica", "lag"),
    field(
        "redis_min_slaves_good_slaves",
        "Replicas that are good enough for writes, where so many are asked for",
        "min_slaves_good_slaves",
    ),
    state(
        "redis_master_failover_state",
        "State of a coordinated failover",
        "master_failover_state",
        FAILOVER_STATES,
    ),
    field("redis_master_repl_offset", "The server's own replication offset", "master_repl_offset"),
    field("redis_second_repl_offset", "Offset up to which the former history is valid", "second_repl_offset"),
    field("redis_replication_backlog_bytes", "Size of the backlog", "repl_backlog_size"),
    field("redis_repl_backlog_is_active", "Whether there is a backlog", "repl_backlog_active"),
    field("redis_repl_backlog_first_byte_offset", "Oldest offset kept", "repl_backlog_first_byte_offset"),
    field("redis_repl_backlog_history_bytes", "Bytes kept in the backlog", "repl_backlog_histlen"),
    field("redis_replica_resyncs_full", "Full synchronisations of replicas", "sync_full"),
    field("redis_replica_partial_resync_accepted", "Accepted partial synchronisations", "sync_partial_ok"),
    field("redis_replica_partial_resync_denied", "Denied partial synchronisations", "sync_partial_err"),
    link_is("redis_master_link_up", "Whether the link to the primary is up", "master_link_status", "up"),
    link(
        "redis_master_link_down_since_seconds",
        "Time since the link to the primary broke, while it is down",
        "master_link_down_since_seconds",
    ),
    link(
        "redis_master_last_io_seconds_ago",
        "Time since the primary was last heard",
        "master_last_io_seconds_ago",
    ),
    link("redis_master_sync_in_progress", "Whether a full synchronisation runs", "master_sync_in_progress"),
    link(
        "redis_master_sync_size_bytes",
        "Size of what is synchronised, 0 for not known",
        "master_sync_total_bytes",
    ),
    link("redis_master_sync_read_bytes", "Bytes that were synchronised", "master_sync_read_bytes"),
    link("redis_master_sync_left_bytes", "Bytes that are still to come", "master_sync_left_bytes"),
    link_scaled("redis_master_sync_ratio", "Share that was synchronised", "master_sync_perc", 1e-2),
    link(
        "redis_master_sync_last_io_seconds_ago",
        "Time since the synchronisation last moved",
        "master_sync_last_io_seconds_ago",
    ),
    link("redis_slave_repl_offset", "Offset that the replica has applied", "slave_repl_offset"),
    link("redis_slave_read_repl_offset", "Offset that the replica has read", "slave_read_repl_offset"),
    field("redis_slave_priority", "Priority of the replica for Sentinel", "slave_priority"),
    field("redis_slave_announced", "Whether Sentinel is told of the replica", "replica_announced"),
    field(
        "redis_slave_expires_tracked_keys",
        "Keys that a writable replica expires itself",
        "slave_expires_tracked_keys",
    ),
    facts("redis_slave_info", "The primary that the replica follows", SLAVE, SLAVE_FIELDS),
];
