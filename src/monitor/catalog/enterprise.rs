//! What Redis Enterprise clusters say of themselves. Every series also has the label `datacenter`.

use super::source::Source;
use super::spec::MetricSpec;

const fn gauge(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> MetricSpec {
    MetricSpec::gauge(name, help, Source::View).labels(labels)
}

const fn counter(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> MetricSpec {
    MetricSpec::counter(name, help, Source::View).labels(labels)
}

const CLUSTER: &[&str] = &["datacenter"];
const NODE: &[&str] = &["datacenter", "node"];
const DATABASE: &[&str] = &["datacenter", "database", "name"];
const LINK: &[&str] = &["datacenter", "database", "name", "kind", "source"];
const SHARD: &[&str] = &["datacenter", "shard", "database", "node"];
const SHARD_ONLY: &[&str] = &["datacenter", "shard"];
const ENDPOINT: &[&str] = &["datacenter", "database", "node"];
const KINDED: &[&str] = &["datacenter", "database", "node", "kind"];

/// Whether the last look was answered at all.
pub const UP: MetricSpec =
    gauge("redis_enterprise_up", "Whether the cluster's API answered the last look", CLUSTER);
/// How old the last look is.
pub const AGE: MetricSpec =
    gauge("redis_enterprise_look_age_seconds", "Age of the last look at the cluster", CLUSTER);
/// 1 for each question without an answer.
pub const GAP: MetricSpec = gauge(
    "redis_enterprise_gap",
    "A question that the cluster did not answer in the last look, and why",
    &["datacenter", "question", "reason"],
);

macro_rules! families {
    ($list:ident: $($name:ident = $spec:expr;)*) => {
        $(
            #[doc = concat!("The family `", stringify!($name), "`; its help says what it is.")]
            pub const $name: MetricSpec = $spec;
        )*
        /// All of these.
        pub const $list: &[MetricSpec] = &[$($name),*];
    };
}

families! { WHOLE:
    CLUSTER_INFO = gauge("redis_enterprise_cluster_info", "The cluster's name", &["datacenter", "cluster"]);
    MASTER_REACHED = gauge("redis_enterprise_master_reached", "Whether the node that was asked reaches the one that leads", CLUSTER);
    LAG_TOLERANCE = gauge("redis_enterprise_availability_lag_tolerance_seconds", "The cluster's own limit for the lag of a member", CLUSTER);
    UPGRADING = gauge("redis_enterprise_upgrade_in_progress", "Whether the cluster is being upgraded", CLUSTER);
    LICENSE_EXPIRED = gauge("redis_enterprise_license_expired", "Whether the licence has ended; nothing can be changed then", CLUSTER);
    LICENSE_EXPIRY = gauge("redis_enterprise_license_expiry_timestamp_seconds", "When the licence ends", CLUSTER);
    LICENSE_SHARDS_LIMIT = gauge("redis_enterprise_license_shards_limit", "Shards that the licence allows", CLUSTER);
    LICENSE_SHARDS_USED = gauge("redis_enterprise_license_shards_used", "Shards in memory that count for the licence", CLUSTER);
    CERTIFICATE_EXPIRY = gauge("redis_enterprise_certificate_expiry_timestamp_seconds", "When a certificate of the cluster ends (8.0.16 and later)", &["datacenter", "type"]);
    ALERT = gauge("redis_enterprise_alert", "Whether an alert that is switched on is raised", &["datacenter", "kind", "id", "alert", "severity"]);
    NODE_UP = gauge("redis_enterprise_node_up", "Whether the cluster holds the node for active", NODE);
    NODE_INFO = gauge("redis_enterprise_node_info", "The software version of a node", &["datacenter", "node", "version"]);
    NODE_MASTER = gauge("redis_enterprise_node_leads", "Whether the node leads the cluster's management", NODE);
    NODE_MAINTENANCE = gauge("redis_enterprise_node_maintenance", "Whether the node is in maintenance", NODE);
    NODE_MEMORY = gauge("redis_enterprise_node_memory_bytes", "Memory of the node", NODE);
    NODE_MEMORY_FREE = gauge("redis_enterprise_node_memory_free_bytes", "Free memory of the node", NODE);
    NODE_MEMORY_PROVISIONAL = gauge("redis_enterprise_node_memory_provisional_bytes", "Memory of the node that new shards may be given", NODE);
    NODE_CPU = gauge("redis_enterprise_node_cpu_ratio", "Share of the node's processors by what it was spent on", &["datacenter", "node", "mode"]);
    NODE_STORAGE = gauge("redis_enterprise_node_storage_available_bytes", "Storage that is available on the node", &["datacenter", "node", "storage"]);
    NODE_NETWORK = gauge("redis_enterprise_node_network_bytes_per_second", "Traffic of the node's databases", &["datacenter", "node", "direction"]);
    NODE_CONNECTIONS = gauge("redis_enterprise_node_connections", "Clients that are connected through the node", NODE);
    NODE_REQUESTS = gauge("redis_enterprise_node_requests_per_second", "Requests through the node", NODE);
    NODE_LATENCY = gauge("redis_enterprise_node_latency_seconds", "Average latency at the node; absent without traffic", NODE);
    NODE_QUORUM = gauge("redis_enterprise_node_quorum", "Whether the node sees a majority (from the cluster's own metrics)", NODE);
    NODE_METRICS_UP = gauge("redis_enterprise_node_metrics_up", "Whether the node's own metrics are reached (from the cluster's own metrics)", NODE);
}

families! { DATABASES:
    DATABASE_STATUS = gauge("redis_enterprise_database_status", "The present state of a database", &["datacenter", "database", "name", "status"]);
    DATABASE_AVAILABLE = gauge("redis_enterprise_database_available", "Whether the cluster calls the database available; absent when it does not say", DATABASE);
    DATABASE_FRESH = gauge("redis_enterprise_database_fresh", "Whether a member of an Active-Active database is at most 5 s behind, as its cluster says", DATABASE);
    DATABASE_TRAFFIC_STOPPED = gauge("redis_enterprise_database_traffic_stopped", "Whether somebody has stopped the database's traffic (8.0.20 and later)", DATABASE);
    DATABASE_REPLICATED = gauge("redis_enterprise_database_replicated", "Whether the database's shards have replicas", DATABASE);
    DATABASE_SHARDS = gauge("redis_enterprise_database_primary_shards", "Primary shards of the database", DATABASE);
    DATABASE_MEMORY_LIMIT = gauge("redis_enterprise_database_memory_limit_bytes", "The database's limit, replicas included", DATABASE);
    DATABASE_MEMORY = gauge("redis_enterprise_database_memory_used_bytes", "Memory that the database uses", DATABASE);
    DATABASE_FRAGMENTATION = gauge("redis_enterprise_database_memory_fragmentation_ratio", "Resident memory over used memory", DATABASE);
    DATABASE_KEYS = gauge("redis_enterprise_database_keys", "Keys of the database", DATABASE);
    DATABASE_KEYS_EXPIRING = gauge("redis_enterprise_database_keys_expiring", "Keys with a time to live", DATABASE);
    DATABASE_CONNECTIONS = gauge("redis_enterprise_database_connections", "Clients that are connected", DATABASE);
    DATABASE_CONNECTED = gauge("redis_enterprise_database_connections_received_per_second", "New connections", DATABASE);
    DATABASE_REQUESTS = gauge("redis_enterprise_database_requests_per_second", "Requests by kind", &["datacenter", "database", "name", "kind"]);
    DATABASE_LATENCY = gauge("redis_enterprise_database_latency_seconds", "Average latency by kind of request; absent without traffic", &["datacenter", "database", "name", "kind"]);
    DATABASE_NETWORK = gauge("redis_enterprise_database_network_bytes_per_second", "Traffic of the database", &["datacenter", "database", "name", "direction"]);
    DATABASE_LOOKUPS = gauge("redis_enterprise_database_lookups_per_second", "Lookups of keys that found one, and that found none", &["datacenter", "database", "name", "operation", "result"]);
    DATABASE_EVICTED = gauge("redis_enterprise_database_evicted_keys_per_second", "Keys evicted by the memory limit", DATABASE);
    DATABASE_EXPIRED = gauge("redis_enterprise_database_expired_keys_per_second", "Keys that expired", DATABASE);
    DATABASE_CPU = gauge("redis_enterprise_database_cpu_cores", "Processor cores that the database's processes use, by part", &["datacenter", "database", "name", "part"]);
    SYNC_ENABLED = gauge("redis_enterprise_sync_enabled", "Whether the database is to receive the writes of others", &["datacenter", "database", "name", "kind"]);
    LINK_IN_SYNC = gauge("redis_enterprise_link_in_sync", "Whether a link by which the database receives the writes of another is in sync", LINK);
    LINK_SYNCING = gauge("redis_enterprise_link_syncing", "Whether the link copies everything anew", LINK);
    LINK_LAG = gauge("redis_enterprise_link_lag_seconds", "How far a link that is in sync is behind", LINK);
    LINK_UPDATED = gauge("redis_enterprise_link_updated_timestamp_seconds", "When the link last brought something", LINK);
    SYNCER_LAG = gauge("redis_enterprise_syncer_lag_seconds", "How far a syncer is behind (from the cluster's own metrics)", &["datacenter", "database", "kind", "source"]);
    ENDPOINT_CONNECTIONS = counter("redis_enterprise_endpoint_connections_total", "Connections that an endpoint accepted (from the cluster's own metrics)", ENDPOINT);
    ENDPOINT_REQUESTS = counter("redis_enterprise_endpoint_requests_total", "Requests through an endpoint by kind (from the cluster's own metrics)", KINDED);
    ENDPOINT_SECONDS = counter("redis_enterprise_endpoint_latency_seconds_total", "Time that requests through an endpoint took, by kind (from the cluster's own metrics)", KINDED);
    SHARD_UP = gauge("redis_enterprise_shard_up", "Whether the shard serves", SHARD);
    SHARD_PRIMARY = gauge("redis_enterprise_shard_primary", "Whether the shard accepts writes", SHARD);
    SHARD_MEMORY = gauge("redis_enterprise_shard_memory_used_bytes", "Memory that the shard uses", SHARD_ONLY);
    SHARD_KEYS = gauge("redis_enterprise_shard_keys", "Keys of the shard", SHARD_ONLY);
    SHARD_REQUESTS = gauge("redis_enterprise_shard_requests_per_second", "Requests to the shard", SHARD_ONLY);
    SHARD_BLOCKED = gauge("redis_enterprise_shard_blocked_clients", "Clients that wait in a blocking command", SHARD_ONLY);
    SHARD_LINK_UP = gauge("redis_enterprise_shard_link_up", "Whether a replica shard's link to its primary is up (from the cluster's own metrics)", &["datacenter", "shard", "database"]);
}

/// What is told of the looks themselves.
pub const LOOKS: &[MetricSpec] = &[UP, AGE, GAP];

/// The families that come from a cluster, in the order of a page.
pub fn told() -> impl Iterator<Item = &'static MetricSpec> {
    WHOLE.iter().chain(DATABASES)
}
