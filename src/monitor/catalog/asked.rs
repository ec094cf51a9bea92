//! What only a scrape of one target (`/scrape`) asks for, beside INFO.

use super::make::field;
use super::source::BufferLimit::{Bytes, Seconds};
use super::source::Source;
use super::source::Source::{
    BufferLimit, Client, ClientFacts, ClientSince, Cluster, ClusterState, LatencyEvent, LatencyHistogram,
    Parameter, ParameterTexts, Parameters, Percentiles, SlowlogEntry, SlowlogLength, View,
};
use super::spec::{MetricSpec, Unit};

const fn gauge(name: &'static str, help: &'static str, source: Source) -> MetricSpec {
    MetricSpec::gauge(name, help, source)
}

/// Latencies.
pub(super) const LATENCY: &[MetricSpec] = &[
    MetricSpec::summary("redis_latency_percentiles_usec", "Latency of a command, microseconds", Percentiles)
        .labels(&["cmd"])
        .unit(Unit::Microseconds),
    MetricSpec::histogram(
        "redis_commands_latencies_usec",
        "Latencies of a command, microseconds",
        LatencyHistogram,
    )
    .labels(&["cmd"])
    .unit(Unit::Microseconds),
    gauge(
        "redis_latency_spike_last",
        "When the latest spike of a kind was, Unix seconds",
        LatencyEvent(1, 1.0),
    )
    .labels(&["event_name"])
    .unit(Unit::Seconds),
    gauge(
        "redis_latency_spike_duration_seconds",
        "Duration of the latest spike of a kind",
        LatencyEvent(2, 1e-3),
    )
    .labels(&["event_name"]),
    gauge("redis_slowlog_length", "Entries of the slow log", SlowlogLength),
    gauge("redis_slowlog_last_id", "Number of the latest entry of the slow log", SlowlogEntry(0, 1.0)),
    gauge(
        "redis_last_slow_execution_duration_seconds",
        "Duration of the command in the latest entry of the slow log",
        SlowlogEntry(2, 1e-6),
    ),
];

/// Parameters.
pub(super) const CONFIG: &[MetricSpec] = &[
    gauge("redis_config_maxclients", "Parameter maxclients", Parameter("maxclients")),
    gauge("redis_config_maxmemory", "Parameter maxmemory", Parameter("maxmemory")).unit(Unit::Bytes),
    gauge("redis_config_io_threads", "Parameter io-threads", Parameter("io-threads")),
    gauge("redis_config_repl_backlog_size", "Parameter repl-backlog-size", Parameter("repl-backlog-size"))
        .unit(Unit::Bytes),
    gauge(
        "redis_config_client_output_buffer_limit_bytes",
        "Limits of the output buffers of a class of clients",
        BufferLimit(Bytes),
    )
    .labels(&["class", "limit"]),
    gauge(
        "redis_config_client_output_buffer_limit_overcome_seconds",
        "How long a class of clients may be above its soft limit",
        BufferLimit(Seconds),
    )
    .labels(&["class", "limit"]),
    gauge("redis_config_value", "Every numeric parameter, where asked for", Parameters).labels(&["key"]),
    gauge("redis_config_key_value", "Every parameter with its text, where asked for", ParameterTexts)
        .labels(&["key", "value"]),
];

/// The cluster.
pub(super) const CLUSTER: &[MetricSpec] = &[
    gauge("redis_cluster_state", "Whether the cluster is fine, as this node sees it", ClusterState),
    gauge("redis_cluster_slots_assigned", "Slots that some node has", Cluster("cluster_slots_assigned")),
    gauge("redis_cluster_slots_ok", "Slots whose node is fine", Cluster("cluster_slots_ok")),
    gauge(
        "redis_cluster_slots_pfail",
        "Slots whose node this one cannot reach",
        Cluster("cluster_slots_pfail"),
    ),
    gauge("redis_cluster_slots_fail", "Slots whose node has failed", Cluster("cluster_slots_fail")),
    gauge("redis_cluster_known_nodes", "Known nodes", Cluster("cluster_known_nodes")),
    gauge("redis_cluster_size", "Primaries with slots", Cluster("cluster_size")),
    gauge("redis_cluster_current_epoch", "Epoch of the cluster", Cluster("cluster_current_epoch")),
    gauge("redis_cluster_my_epoch", "Epoch of this node", Cluster("cluster_my_epoch")),
    MetricSpec::counter(
        "redis_cluster_messages_sent_total",
        "Messages sent over the cluster bus",
        Cluster("cluster_stats_messages_sent"),
    ),
    MetricSpec::counter(
        "redis_cluster_messages_received_total",
        "Messages received over the cluster bus",
        Cluster("cluster_stats_messages_received"),
    ),
];

const CLIENT: &[&str] = &["id", "name"];
const FACTS: &[&str] = &["id", "name", "user", "flags", "db", "host", "resp"];
const FACT_PARTS: &[&str] = &["id", "name", "user", "flags", "db", "addr", "resp"];

const fn client(name: &'static str, help: &'static str, part: &'static str) -> MetricSpec {
    gauge(name, help, Client(part)).labels(CLIENT)
}

/// Connections, where asked for.
pub(super) const CLIENTS: &[MetricSpec] = &[
    gauge("redis_connected_client_info", "What is known of a connection", ClientFacts(FACT_PARTS))
        .labels(FACTS),
    gauge(
        "redis_connected_client_created_at_timestamp",
        "Start of a connection, Unix seconds",
        ClientSince("age"),
    )
    .labels(CLIENT)
    .unit(Unit::Seconds),
    gauge(
        "redis_connected_client_idle_since_timestamp",
        "When a connection was last used, Unix seconds",
        ClientSince("idle"),
    )
    .labels(CLIENT)
    .unit(Unit::Seconds),
    client("redis_connected_client_channel_subscriptions", "Channels of a connection", "sub"),
    client("redis_connected_client_channel_subscriptions_count", "Channels of a connection", "sub").compat(),
    client("redis_connected_client_pattern_matching_subscriptions", "Patterns of a connection", "psub"),
    client("redis_connected_client_pattern_matching_subscriptions_count", "Patterns of a connection", "psub")
        .compat(),
    client(
        "redis_connected_client_shard_channel_subscriptions",
        "Channels of shards of a connection",
        "ssub",
    ),
    client(
        "redis_connected_client_shard_channel_subscriptions_count",
        "Channels of shards of a connection",
        "ssub",
    )
    .compat(),
    client("redis_connected_client_query_buffer_length_bytes", "Input that waits", "qbuf"),
    client(
        "redis_connected_client_query_buffer_free_space_bytes",
        "Free space of the input buffer",
        "qbuf-free",
    ),
    client("redis_connected_client_output_buffer_length_bytes", "Output that waits", "obl"),
    client("redis_connected_client_output_list_length", "Answers that wait", "oll"),
    client("redis_connected_client_output_buffer_memory_usage_bytes", "Memory of the output", "omem"),
    client("redis_connected_client_total_memory_consumed_bytes", "Memory of a connection", "tot-mem"),
];

const WATCHED: &[&str] = &["master_name", "master_address"];

const fn watched(name: &'static str, help: &'static str, source: Source) -> MetricSpec {
    gauge(name, help, source).labels(WATCHED)
}

/// What a Sentinel says of the primaries that it watches.
pub(super) const SENTINEL: &[MetricSpec] = &[
    field("redis_sentinel_masters", "Primaries that the Sentinel watches", "sentinel_masters"),
    field("redis_sentinel_tilt", "Whether the Sentinel mistrusts its own clock", "sentinel_tilt"),
    field("redis_sentinel_running_scripts", "Scripts that run", "sentinel_running_scripts"),
    field("redis_sentinel_scripts_queue_length", "Scripts that wait", "sentinel_scripts_queue_length"),
    field(
        "redis_sentinel_simulate_failure_flags",
        "Failures that the Sentinel plays",
        "sentinel_simulate_failure_flags",
    ),
    gauge(
        "redis_sentinel_master_status",
        "State of a primary, as the Sentinel sees it",
        Source::WatchedStatus,
    )
    .labels(&["master_name", "master_address", "master_status"]),
    watched("redis_sentinel_master_slaves", "Known replicas of a primary", Source::Watched("slaves")),
    watched(
        "redis_sentinel_master_sentinels",
        "Sentinels that watch a primary",
        Source::Watched("sentinels"),
    ),
    watched(
        "redis_sentinel_master_ok_slaves",
        "Replicas of a primary that are in order",
        Source::InOrder(super::source::Watchers::Replicas),
    ),
    watched(
        "redis_sentinel_master_ok_sentinels",
        "Sentinels of a primary that are in order, this one included",
        Source::InOrder(super::source::Watchers::Sentinels),
    ),
    gauge(
        "redis_sentinel_master_ckquorum_status",
        "Whether enough Sentinels are there for a failover; the message is the answer's first word",
        Source::Quorum,
    )
    .labels(&["master_name", "message"]),
    watched(
        "redis_sentinel_master_config_epoch",
        "Epoch of a primary's configuration",
        Source::WatchedField("config-epoch", 1.0),
    ),
    watched(
        "redis_sentinel_master_last_ok_ping_reply_seconds",
        "Time since a primary last answered PING",
        Source::WatchedField("last-ok-ping-reply", 1e-3),
    ),
    watched(
        "redis_sentinel_master_setting_ckquorum",
        "Sentinels that must agree on a primary's failure",
        Source::WatchedField("quorum", 1.0),
    ),
    watched(
        "redis_sentinel_master_setting_down_after_seconds",
        "Silence after which a primary is down",
        Source::WatchedField("down-after-milliseconds", 1e-3),
    ),
    watched(
        "redis_sentinel_master_setting_down_after_milliseconds",
        "Silence after which a primary is down, milliseconds",
        Source::WatchedField("down-after-milliseconds", 1.0),
    )
    .unit(Unit::Milliseconds)
    .compat(),
    watched(
        "redis_sentinel_master_setting_failover_timeout",
        "Longest failover, milliseconds",
        Source::WatchedField("failover-timeout", 1.0),
    )
    .unit(Unit::Milliseconds),
    watched(
        "redis_sentinel_master_setting_parallel_syncs",
        "Replicas that are moved to a new primary at a time",
        Source::WatchedField("parallel-syncs", 1.0),
    ),
];

/// Why the scrape saw nothing; empty and 0 when it did.
pub const LAST_SCRAPE_ERROR: MetricSpec =
    gauge("redis_exporter_last_scrape_error", "Whether this scrape saw nothing, and why", View)
        .labels(&["err"]);
/// How long the scrape took.
pub const LAST_SCRAPE_DURATION: MetricSpec =
    gauge("redis_exporter_last_scrape_duration_seconds", "Duration of this scrape", View);
/// How long connecting took.
pub const LAST_SCRAPE_CONNECT: MetricSpec = gauge(
    "redis_exporter_last_scrape_connect_time_seconds",
    "Time this scrape needed to connect, 0 over a kept connection",
    View,
);
/// Commands that are not asked any more.
pub const BLOCKED: MetricSpec =
    gauge("redrover_scrape_blocked", "Whether the server does not let a command run, and why", View)
        .labels(&["command", "reason"]);

/// The scrape itself.
pub(super) const SCRAPE: &[MetricSpec] =
    &[LAST_SCRAPE_ERROR, LAST_SCRAPE_DURATION, LAST_SCRAPE_CONNECT, BLOCKED];
