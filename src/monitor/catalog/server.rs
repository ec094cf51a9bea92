//! Of the server and its clients.

use super::make::{count, count_scaled, facts, field};
use super::source::Source::StartTime;
use super::spec::{MetricSpec, Unit};

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

/// The server itself.
pub(super) const SERVER: &[MetricSpec] = &[
    facts("redis_instance_info", "What the instance says of itself", INSTANCE, INSTANCE),
    field("redis_uptime_in_seconds", "Time since the start of the process", "uptime_in_seconds"),
    MetricSpec::gauge("redis_start_time_seconds", "Start of the process since the Unix epoch", StartTime),
    field("redis_process_id", "Process id", "process_id"),
    field("redis_hz", "Frequency of the server's timer", "hz"),
    field("redis_configured_hz", "Configured frequency of the server's timer", "configured_hz"),
    field("redis_io_threads_active", "Whether I/O threads are active", "io_threads_active"),
    count("redis_eventloop_cycles_total", "Turns of the event loop", "eventloop_cycles"),
    count(
        "redis_eventloop_duration_sum_usec_total",
        "Time spent in the event loop, microseconds",
        "eventloop_duration_sum",
    )
    .unit(Unit::Microseconds),
    count(
        "redis_eventloop_duration_cmd_sum_usec_total",
        "Time spent in commands, microseconds",
        "eventloop_duration_cmd_sum",
    )
    .unit(Unit::Microseconds),
];

/// Its clients.
pub(super) const CLIENTS: &[MetricSpec] = &[
    field("redis_connected_clients", "Client connections, without replicas", "connected_clients"),
    field("redis_blocked_clients", "Clients that wait in a blocking command", "blocked_clients"),
    field("redis_tracking_clients", "Clients that are tracked", "tracking_clients"),
    field("redis_pubsub_clients", "Clients in publish and subscribe mode", "pubsub_clients"),
    field("redis_watching_clients", "Clients that watch keys", "watching_clients"),
    field("redis_clients_in_timeout_table", "Clients in the timeout table", "clients_in_timeout_table"),
    field("redis_total_watched_keys", "Watched keys", "total_watched_keys"),
    field("redis_total_blocking_keys", "Keys that clients wait for", "total_blocking_keys"),
    field(
        "redis_total_blocking_keys_on_nokey",
        "Keys that clients wait for until they are gone",
        "total_blocking_keys_on_nokey",
    ),
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
];

/// Processor time.
pub(super) const CPU: &[MetricSpec] = &[
    count("redis_cpu_sys_seconds_total", "System CPU time of the process", "used_cpu_sys"),
    count("redis_cpu_user_seconds_total", "User CPU time of the process", "used_cpu_user"),
    count("redis_cpu_sys_children_seconds_total", "System CPU time of children", "used_cpu_sys_children"),
    count("redis_cpu_user_children_seconds_total", "User CPU time of children", "used_cpu_user_children"),
    count(
        "redis_cpu_sys_main_thread_seconds_total",
        "System CPU time of the main thread",
        "used_cpu_sys_main_thread",
    ),
    count(
        "redis_cpu_user_main_thread_seconds_total",
        "User CPU time of the main thread",
        "used_cpu_user_main_thread",
    ),
    count_scaled(
        "redis_expire_cycle_cpu_seconds_total",
        "CPU time of active expiry",
        "expire_cycle_cpu_milliseconds",
        1e-3,
    ),
    count(
        "redis_expire_cycle_cpu_time_ms_total",
        "CPU time of active expiry, milliseconds",
        "expire_cycle_cpu_milliseconds",
    )
    .unit(Unit::Milliseconds)
    .compat(),
];
