//! Of what the server has done.

use super::make::{command, count, count_scaled, database, field, scaled};
use super::source::Source::Row;
use super::spec::{MetricSpec, Unit};

/// Counters of the whole server.
pub(super) const STATS: &[MetricSpec] = &[
    count("redis_connections_received_total", "Accepted connections", "total_connections_received"),
    count("redis_commands_processed_total", "Processed commands", "total_commands_processed"),
    count("redis_net_input_bytes_total", "Bytes read from the network", "total_net_input_bytes"),
    count("redis_net_output_bytes_total", "Bytes written to the network", "total_net_output_bytes"),
    count("redis_net_repl_input_bytes_total", "Bytes read for replication", "total_net_repl_input_bytes"),
    count(
        "redis_net_repl_output_bytes_total",
        "Bytes written for replication",
        "total_net_repl_output_bytes",
    ),
    count("redis_rejected_connections_total", "Connections beyond the limit", "rejected_connections"),
    count("redis_expired_keys_total", "Keys that expired", "expired_keys"),
    count("redis_expired_subkeys_total", "Fields of hashes that expired", "expired_subkeys"),
    field(
        "redis_expired_stale_percentage",
        "Share of expired keys among those that expire",
        "expired_stale_perc",
    )
    .unit(Unit::Percent),
    count(
        "redis_expired_time_cap_reached_total",
        "Expiry cycles that ran out of time",
        "expired_time_cap_reached_count",
    ),
    count("redis_evicted_keys_total", "Keys evicted by the memory limit", "evicted_keys"),
    count("redis_evicted_clients_total", "Clients evicted by the memory limit", "evicted_clients"),
    count("redis_evicted_scripts_total", "Scripts evicted from the cache", "evicted_scripts"),
    count_scaled(
        "redis_eviction_exceeded_seconds_total",
        "Time spent above the memory limit",
        "total_eviction_exceeded_time",
        1e-3,
    ),
    scaled(
        "redis_current_eviction_exceeded_seconds",
        "Time above the memory limit at present",
        "current_eviction_exceeded_time",
        1e-3,
    ),
    count(
        "redis_eviction_exceeded_time_ms_total",
        "Time spent above the memory limit, milliseconds",
        "total_eviction_exceeded_time",
    )
    .unit(Unit::Milliseconds)
    .compat(),
    field(
        "redis_current_eviction_exceeded_time_ms",
        "Time above the memory limit at present, milliseconds",
        "current_eviction_exceeded_time",
    )
    .unit(Unit::Milliseconds)
    .compat(),
    count("redis_keyspace_hits_total", "Lookups that found a key", "keyspace_hits"),
    count("redis_keyspace_misses_total", "Lookups that found none", "keyspace_misses"),
    field("redis_pubsub_channels", "Channels with subscribers", "pubsub_channels"),
    field("redis_pubsub_patterns", "Patterns with subscribers", "pubsub_patterns"),
    field("redis_pubsubshard_channels", "Channels of shards with subscribers", "pubsubshard_channels"),
    field("redis_migrate_cached_sockets", "Sockets kept open for MIGRATE", "migrate_cached_sockets"),
    field("redis_migrate_cached_sockets_total", "Sockets kept open for MIGRATE", "migrate_cached_sockets")
        .compat(),
    field("redis_tracking_total_keys", "Keys that are tracked for clients", "tracking_total_keys"),
    field("redis_tracking_total_items", "Clients tracked for each key, summed up", "tracking_total_items"),
    field("redis_tracking_total_prefixes", "Prefixes that are tracked", "tracking_total_prefixes"),
    count("redis_error_replies_total", "Error answers", "total_error_replies"),
    count("redis_total_error_replies", "Error answers", "total_error_replies").compat(),
    count(
        "redis_error_replies_unexpected_total",
        "Errors from the link to a primary or from loading",
        "unexpected_error_replies",
    ),
    count(
        "redis_unexpected_error_replies",
        "Errors from the link to a primary or from loading",
        "unexpected_error_replies",
    )
    .compat(),
    count(
        "redis_dump_payloads_sanitized_total",
        "Payloads that were checked deeply",
        "dump_payload_sanitizations",
    ),
    count(
        "redis_dump_payload_sanitizations",
        "Payloads that were checked deeply",
        "dump_payload_sanitizations",
    )
    .compat(),
    count("redis_reads_processed_total", "Reads from clients", "total_reads_processed"),
    count("redis_total_reads_processed", "Reads from clients", "total_reads_processed").compat(),
    count("redis_writes_processed_total", "Writes to clients", "total_writes_processed"),
    count("redis_total_writes_processed", "Writes to clients", "total_writes_processed").compat(),
    count("redis_io_threads_reads_total", "Reads of I/O threads", "io_threaded_reads_processed"),
    count("redis_io_threaded_reads_processed", "Reads of I/O threads", "io_threaded_reads_processed")
        .compat(),
    count("redis_io_threads_writes_total", "Writes of I/O threads", "io_threaded_writes_processed"),
    count("redis_io_threaded_writes_processed", "Writes of I/O threads", "io_threaded_writes_processed")
        .compat(),
    count("redis_reply_buffer_shrinks_total", "Output buffers made smaller", "reply_buffer_shrinks"),
    count("redis_reply_buffer_expands_total", "Output buffers made larger", "reply_buffer_expands"),
    count(
        "redis_client_query_buffer_limit_disconnections_total",
        "Clients cut off for the size of their input",
        "client_query_buffer_limit_disconnections",
    ),
    count(
        "redis_client_output_buffer_limit_disconnections_total",
        "Clients cut off for the size of their output",
        "client_output_buffer_limit_disconnections",
    ),
    count("redis_acl_access_denied_auth_total", "Logins that were refused", "acl_access_denied_auth"),
    count("redis_acl_access_denied_cmd_total", "Commands that users may not run", "acl_access_denied_cmd"),
    count("redis_acl_access_denied_key_total", "Keys that users may not touch", "acl_access_denied_key"),
    count(
        "redis_acl_access_denied_channel_total",
        "Channels that users may not touch",
        "acl_access_denied_channel",
    ),
];

/// Counters of each command, and of each class of errors.
pub(super) const COMMANDS: &[MetricSpec] = &[
    command("redis_commands_total", "Calls of a command", "calls", 1.0),
    command("redis_commands_duration_seconds_total", "Time spent in a command", "usec", 1e-6),
    command("redis_commands_rejected_calls_total", "Calls refused before execution", "rejected_calls", 1.0),
    command("redis_commands_failed_calls_total", "Calls that failed", "failed_calls", 1.0),
    MetricSpec::counter(
        "redis_errors_total",
        "Error answers of a class",
        Row { section: "Errorstats", prefix: "errorstat_", part: "count", scale: 1.0 },
    )
    .labels(&["err"]),
];

/// Databases.
pub(super) const KEYSPACE: &[MetricSpec] = &[
    field("redis_cluster_enabled", "Whether cluster mode is on", "cluster_enabled"),
    database("redis_db_keys", "Keys of a database", "keys", 1.0),
    database("redis_db_keys_expiring", "Keys with a time to live", "expires", 1.0),
    database("redis_db_avg_ttl_seconds", "Average time to live", "avg_ttl", 1e-3),
];
