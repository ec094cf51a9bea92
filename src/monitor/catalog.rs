//! The table of every exported metric of the fleet: the one place where their names stand.

pub mod house;
mod spec;

use self::spec::Source::{
    ConnectedReplica, Database, Facts, Field, Is, LinkField, LinkIs, Row, StartTime, View,
};

pub use self::spec::{MetricKind, MetricSpec, Source, TARGET_LABELS};

const fn spec_of(kind: MetricKind, name: &'static str, help: &'static str, source: Source) -> MetricSpec {
    let labels: &'static [&'static str] = match source {
        LinkField(_) | LinkIs(..) => &["master_host", "master_port"],
        Database { .. } => &["db"],
        ConnectedReplica(_) => &["slave_ip", "slave_port", "slave_state"],
        Field(..) | Is(..) | StartTime | Facts(_) | Row { .. } | View => &[],
    };
    MetricSpec { name, help, kind, labels, source }
}

const fn gauge(name: &'static str, help: &'static str, source: Source) -> MetricSpec {
    spec_of(MetricKind::Gauge, name, help, source)
}

const fn count(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    spec_of(MetricKind::Counter, name, help, Field(field, 1.0))
}

const fn field(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    gauge(name, help, Field(field, 1.0))
}

const fn command(name: &'static str, help: &'static str, part: &'static str, scale: f64) -> MetricSpec {
    let source = Row { section: "Commandstats", prefix: "cmdstat_", part, scale };
    MetricSpec { name, help, kind: MetricKind::Counter, labels: &["cmd"], source }
}

const fn info(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    fields: &'static [&'static str],
) -> MetricSpec {
    MetricSpec { name, help, kind: MetricKind::Gauge, labels, source: Facts(fields) }
}

/// Labels and fields of the instance's facts; the role comes first, for a Sentinel has none and no such series.
const INSTANCE: &[&str] = &[
    "role",
    "redis_version",
    "redis_build_id",
    "redis_mode",
    "os",
    "maxmemory_policy",
    "tcp_port",
    "run_id",
    "process_id",
    "master_replid",
];
const SLAVE: &[&str] = &["master_host", "master_port", "read_only"];
const SLAVE_FIELDS: &[&str] = &["master_host", "master_port", "slave_read_only"];

/// Every metric of the fleet. Names, types and labels of `redis_*` are those of redis_exporter, but for the names that
/// the linter of Prometheus complains of; those are left out.
pub const CATALOG: &[MetricSpec] = &[
    house::UP,
    info("redis_instance_info", "What the instance says of itself", INSTANCE, INSTANCE),
    field("redis_uptime_in_seconds", "Time since the start of the process", "uptime_in_seconds"),
    gauge("redis_start_time_seconds", "Start of the process since the Unix epoch", StartTime),
    field("redis_process_id", "Process id", "process_id"),
    field("redis_hz", "Frequency of the server's timer", "hz"),
    field("redis_configured_hz", "Configured frequency of the server's timer", "configured_hz"),
    field("redis_io_threads_active", "Whether I/O threads are active", "io_threads_active"),
    // Clients.
    field("redis_connected_clients", "Client connections, without replicas", "connected_clients"),
    field("redis_blocked_clients", "Clients that wait in a blocking command", "blocked_clients"),
    field("redis_tracking_clients", "Clients that are tracked", "tracking_clients"),
    field("redis_clients_in_timeout_table", "Clients in the timeout table", "clients_in_timeout_table"),
    field("redis_max_clients", "Limit of client connections", "maxclients"),
    field("redis_cluster_connections", "Sockets of the cluster bus", "cluster_connections"),
    field(
        "redis_client_recent_max_input_buffer_bytes",
        "Largest recent input buffer of a client",
        "client_recent_max_input_buffer",
    ),
    field(
        "redis_client_recent_max_output_buffer_bytes",
        "Largest recent output buffer of a client",
        "client_recent_max_output_buffer",
    ),
    // Memory.
    field("redis_memory_used_bytes", "Memory that the allocator gave out", "used_memory"),
    field("redis_memory_used_rss_bytes", "Resident memory of the process", "used_memory_rss"),
    field("redis_memory_used_peak_bytes", "Largest memory used since the start", "used_memory_peak"),
    field("redis_memory_used_overhead_bytes", "Memory for management", "used_memory_overhead"),
    field("redis_memory_used_startup_bytes", "Memory used at the start", "used_memory_startup"),
    field("redis_memory_used_dataset_bytes", "Memory of the dataset", "used_memory_dataset"),
    field("redis_memory_used_lua_bytes", "Memory of the script engine", "used_memory_lua"),
    field("redis_memory_used_scripts_bytes", "Memory of scripts", "used_memory_scripts"),
    field("redis_memory_used_functions_bytes", "Memory of functions", "used_memory_functions"),
    field("redis_memory_max_bytes", "Limit of memory, 0 for none", "maxmemory"),
    field("redis_total_system_memory_bytes", "Memory of the machine", "total_system_memory"),
    field("redis_allocator_active_bytes", "Active memory of the allocator", "allocator_active"),
    field("redis_allocator_allocated_bytes", "Allocated memory of the allocator", "allocator_allocated"),
    field("redis_allocator_resident_bytes", "Resident memory of the allocator", "allocator_resident"),
    field("redis_mem_fragmentation_ratio", "Resident memory to used memory", "mem_fragmentation_ratio"),
    field("redis_mem_fragmentation_bytes", "Resident memory beyond used memory", "mem_fragmentation_bytes"),
    field("redis_mem_clients_normal", "Memory of normal clients", "mem_clients_normal"),
    field("redis_mem_clients_slaves", "Memory of replica clients", "mem_clients_slaves"),
    field("redis_lazyfree_pending_objects", "Objects that wait for freeing", "lazyfree_pending_objects"),
    field("redis_active_defrag_running", "Whether defragmentation runs", "active_defrag_running"),
    // Persistence.
    field("redis_loading_dump_file", "Whether the dataset is being loaded", "loading"),
    field("redis_async_loading", "Whether the dataset is loaded while old data is served", "async_loading"),
    field("redis_rdb_changes_since_last_save", "Changes since the last save", "rdb_changes_since_last_save"),
    field("redis_rdb_bgsave_in_progress", "Whether a save runs", "rdb_bgsave_in_progress"),
    field("redis_rdb_last_save_timestamp_seconds", "End of the last good save", "rdb_last_save_time"),
    gauge(
        "redis_rdb_last_bgsave_status",
        "Whether the last save was good",
        Is("rdb_last_bgsave_status", "ok"),
    ),
    field("redis_rdb_last_cow_size_bytes", "Copied memory of the last save", "rdb_last_cow_size"),
    field("redis_aof_enabled", "Whether the append-only file is on", "aof_enabled"),
    field("redis_aof_rewrite_in_progress", "Whether a rewrite runs", "aof_rewrite_in_progress"),
    field("redis_aof_rewrite_scheduled", "Whether a rewrite is due", "aof_rewrite_scheduled"),
    gauge(
        "redis_aof_last_bgrewrite_status",
        "Whether the last rewrite was good",
        Is("aof_last_bgrewrite_status", "ok"),
    ),
    gauge(
        "redis_aof_last_write_status",
        "Whether the last write was good",
        Is("aof_last_write_status", "ok"),
    ),
    field("redis_aof_last_cow_size_bytes", "Copied memory of the last rewrite", "aof_last_cow_size"),
    field("redis_aof_current_size_bytes", "Size of the append-only file", "aof_current_size"),
    // Stats.
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
    count("redis_evicted_keys_total", "Keys evicted by the memory limit", "evicted_keys"),
    count("redis_evicted_clients_total", "Clients evicted by the memory limit", "evicted_clients"),
    count("redis_keyspace_hits_total", "Lookups that found a key", "keyspace_hits"),
    count("redis_keyspace_misses_total", "Lookups that found none", "keyspace_misses"),
    field("redis_pubsub_channels", "Channels with subscribers", "pubsub_channels"),
    field("redis_pubsub_patterns", "Patterns with subscribers", "pubsub_patterns"),
    gauge("redis_latest_fork_seconds", "Duration of the latest fork", Field("latest_fork_usec", 1e-6)),
    field("redis_replica_resyncs_full", "Full synchronisations of replicas", "sync_full"),
    field("redis_replica_partial_resync_accepted", "Accepted partial synchronisations", "sync_partial_ok"),
    field("redis_replica_partial_resync_denied", "Denied partial synchronisations", "sync_partial_err"),
    // Replication.
    field("redis_connected_slaves", "Connected replicas", "connected_slaves"),
    gauge("redis_connected_slave_offset_bytes", "Offset of a connected replica", ConnectedReplica("offset")),
    gauge("redis_connected_slave_lag_seconds", "Lag of a connected replica", ConnectedReplica("lag")),
    field("redis_master_repl_offset", "The server's own replication offset", "master_repl_offset"),
    field("redis_second_repl_offset", "Offset up to which the former history is valid", "second_repl_offset"),
    field("redis_replication_backlog_bytes", "Size of the backlog", "repl_backlog_size"),
    field("redis_repl_backlog_is_active", "Whether there is a backlog", "repl_backlog_active"),
    field("redis_repl_backlog_first_byte_offset", "Oldest offset kept", "repl_backlog_first_byte_offset"),
    field("redis_repl_backlog_history_bytes", "Bytes kept in the backlog", "repl_backlog_histlen"),
    gauge(
        "redis_master_link_up",
        "Whether the link to the primary is up",
        LinkIs("master_link_status", "up"),
    ),
    gauge(
        "redis_master_last_io_seconds_ago",
        "Time since the primary was last heard",
        LinkField("master_last_io_seconds_ago"),
    ),
    gauge(
        "redis_master_sync_in_progress",
        "Whether a full synchronisation runs",
        LinkField("master_sync_in_progress"),
    ),
    gauge("redis_slave_repl_offset", "Offset that the replica has applied", LinkField("slave_repl_offset")),
    field("redis_slave_priority", "Priority of the replica for Sentinel", "slave_priority"),
    info("redis_slave_info", "The primary that the replica follows", SLAVE, SLAVE_FIELDS),
    // CPU.
    count("redis_cpu_sys_seconds_total", "System CPU time of the process", "used_cpu_sys"),
    count("redis_cpu_user_seconds_total", "User CPU time of the process", "used_cpu_user"),
    count("redis_cpu_sys_children_seconds_total", "System CPU time of children", "used_cpu_sys_children"),
    count("redis_cpu_user_children_seconds_total", "User CPU time of children", "used_cpu_user_children"),
    count(
        "redis_cpu_sys_main_thread_seconds_total",
        "System CPU of the main thread",
        "used_cpu_sys_main_thread",
    ),
    count(
        "redis_cpu_user_main_thread_seconds_total",
        "User CPU of the main thread",
        "used_cpu_user_main_thread",
    ),
    // Commands, errors, cluster, keyspace.
    command("redis_commands_total", "Calls of a command", "calls", 1.0),
    command("redis_commands_duration_seconds_total", "Time spent in a command", "usec", 1e-6),
    command("redis_commands_rejected_calls_total", "Calls refused before execution", "rejected_calls", 1.0),
    command("redis_commands_failed_calls_total", "Calls that failed", "failed_calls", 1.0),
    MetricSpec {
        name: "redis_errors_total",
        help: "Error answers of a class",
        kind: MetricKind::Counter,
        labels: &["err"],
        source: Row { section: "Errorstats", prefix: "errorstat_", part: "count", scale: 1.0 },
    },
    field("redis_cluster_enabled", "Whether cluster mode is on", "cluster_enabled"),
    gauge("redis_db_keys", "Keys of a database", Database { part: "keys", scale: 1.0 }),
    gauge("redis_db_keys_expiring", "Keys with a time to live", Database { part: "expires", scale: 1.0 }),
    gauge("redis_db_avg_ttl_seconds", "Average time to live", Database { part: "avg_ttl", scale: 1e-3 }),
    // The house's own families, written from the published view.
    house::TARGET_GAP,
    house::SNAPSHOT_AGE,
    house::SIGNAL,
    house::ANOMALY_SCORE,
    house::ANOMALY_THRESHOLD,
    house::ANOMALOUS,
    house::ANOMALY_CONTRIBUTION,
    house::ANOMALY_BASIS,
    house::MODEL_TRAINED,
    house::HEALTH,
    house::FAILOVER_CONFIDENCE,
    house::EVIDENCE,
    house::VETO,
    house::ACTIVE_DATACENTER,
    house::SERVICE_MODE,
    house::HALTED,
    house::FENCE_EPOCH,
    house::RECOMMENDATION_PENDING,
    house::DNS_DRIFT,
    house::WRITABLE_PRIMARIES,
    house::PAUSED,
    house::JOURNAL_DURABLE,
];

/// The metric of that name.
#[must_use]
pub fn spec(name: &str) -> Option<&'static MetricSpec> {
    CATALOG.iter().find(|spec| spec.name == name)
}
