//! What this program counts itself, by name, for those who register it; and the process's own numbers.

use super::source::Source::{Registry, View};
use super::spec::MetricSpec;

const fn counter(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> MetricSpec {
    MetricSpec::counter(name, help, Registry).labels(labels)
}

const fn gauge(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> MetricSpec {
    MetricSpec::gauge(name, help, Registry).labels(labels)
}

const fn histogram(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> MetricSpec {
    MetricSpec::histogram(name, help, Registry).labels(labels)
}

/// Looks at a target, by duration.
pub const PROBE_DURATION: MetricSpec = histogram(
    "redrover_probe_duration_seconds",
    "Duration of a look at one target",
    &["redis_service", "datacenter"],
);
/// Looks that left a gap.
pub const PROBE_GAPS: MetricSpec = counter(
    "redrover_probe_gaps_total",
    "Looks at a target that left a gap",
    &["redis_service", "datacenter", "reason"],
);
/// Looks at what stands around the Redis, by duration.
pub const COLLECTOR_DURATION: MetricSpec =
    histogram("redrover_collector_duration_seconds", "Duration of a look around the Redis", &["collector"]);
/// Things around the Redis that were not seen.
pub const COLLECTOR_GAPS: MetricSpec = counter(
    "redrover_collector_gaps_total",
    "Things around the Redis that were not seen",
    &["collector", "reason"],
);
/// Decisions, by verdict.
pub const DECISIONS: MetricSpec =
    counter("redrover_decisions_total", "Decisions made, by verdict", &["redis_service", "verdict"]);
/// Firing alerts that were not remembered.
pub const ALERTS_DROPPED: MetricSpec = counter(
    "redrover_alerts_dropped_total",
    "Firing alerts that were not remembered, because too many fire already",
    &["redis_service"],
);
/// Switches, by how they ended.
pub const FAILOVERS: MetricSpec = counter(
    "redrover_failovers_total",
    "Switches begun, by how they ended",
    &["redis_service", "from", "to", "trigger", "outcome"],
);
/// The phases of a switch.
pub const FAILOVER_DURATION: MetricSpec = histogram(
    "redrover_failover_duration_seconds",
    "Time each phase of a switch took, in seconds",
    &["phase"],
);
/// Messages to people.
pub const NOTIFICATIONS: MetricSpec = counter(
    "redrover_notifications_total",
    "Messages to people, by what became of them; failed tries are made again",
    &["channel", "result"],
);
/// Messages to people that wait.
pub const NOTIFICATIONS_PENDING: MetricSpec =
    gauge("redrover_notifications_pending", "Messages to people that wait to be delivered", &["channel"]);
/// Notifications, by what came of them.
pub const WEBHOOK_NOTIFICATIONS: MetricSpec = counter(
    "redrover_webhook_notifications_total",
    "Notifications received, by what came of them",
    &["result"],
);
/// Handshakes and requests that were refused.
pub const HTTP_REFUSED: MetricSpec =
    counter("redrover_http_refused_total", "Handshakes and requests that the web rules refused", &["reason"]);
/// Whether the web rules are as their file says.
pub const LAST_WEB_RELOAD: MetricSpec =
    gauge("redrover_web_config_last_reload_successful", "Whether the web rules are as their file says", &[]);
/// Answers of the name server.
pub const DNS_ANSWERS: MetricSpec = counter(
    "redrover_dns_answers_total",
    "Queries answered by the embedded name server, by how they came and the code of the answer",
    &["transport", "code"],
);
/// Answers of the name server that were cut or dropped.
pub const DNS_ANSWERS_LIMITED: MetricSpec = counter(
    "redrover_dns_answers_limited_total",
    "Answers of the embedded name server beyond the limit of a network, by what was done",
    &["action"],
);
/// Whether the last reload took effect.
pub const LAST_RELOAD: MetricSpec =
    gauge("redrover_config_last_reload_successful", "Whether the last reload took effect", &[]);
/// What runs.
pub const BUILD: MetricSpec = gauge("redrover_build_info", "What runs", &["version"]);

const fn process(name: &'static str, help: &'static str) -> MetricSpec {
    MetricSpec::gauge(name, help, View)
}

/// Processor time.
pub const PROCESS_CPU: MetricSpec =
    MetricSpec::counter("process_cpu_seconds_total", "Processor time used, in seconds", View);
/// Virtual memory.
pub const PROCESS_VIRTUAL: MetricSpec = process("process_virtual_memory_bytes", "Virtual memory, in bytes");
/// Resident memory.
pub const PROCESS_RESIDENT: MetricSpec =
    process("process_resident_memory_bytes", "Resident memory, in bytes");
/// Start of the process.
pub const PROCESS_START: MetricSpec =
    process("process_start_time_seconds", "Start of the process, Unix seconds");
/// Open file descriptors.
pub const PROCESS_FDS: MetricSpec = process("process_open_fds", "Open file descriptors");
/// Their limit.
pub const PROCESS_FDS_MAX: MetricSpec = process("process_max_fds", "Most file descriptors that may be open");

/// All of them.
pub(super) const ALL: &[MetricSpec] = &[
    PROBE_DURATION,
    PROBE_GAPS,
    COLLECTOR_DURATION,
    COLLECTOR_GAPS,
    DECISIONS,
    ALERTS_DROPPED,
    FAILOVERS,
    FAILOVER_DURATION,
    NOTIFICATIONS,
    NOTIFICATIONS_PENDING,
    WEBHOOK_NOTIFICATIONS,
    HTTP_REFUSED,
    LAST_RELOAD,
    LAST_WEB_RELOAD,
    DNS_ANSWERS,
    DNS_ANSWERS_LIMITED,
    BUILD,
];

/// The process.
pub(super) const PROCESS: &[MetricSpec] =
    &[PROCESS_CPU, PROCESS_VIRTUAL, PROCESS_RESIDENT, PROCESS_START, PROCESS_FDS, PROCESS_FDS_MAX];
