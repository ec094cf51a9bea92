//! The house's own families, by name, for those who write them from the published view.

use super::source::Source;
use super::spec::MetricSpec;

const fn view(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> MetricSpec {
    MetricSpec::gauge(name, help, Source::View).labels(labels)
}

const SERVICE: &[&str] = &["redis_service"];

/// 1 when INFO was answered; its labels beside the target's own are none, as in redis_exporter.
pub const UP: MetricSpec = view("redis_up", "Whether INFO was answered", &[]);
/// 1 for the present gap of a target.
pub const TARGET_GAP: MetricSpec = view(
    "redrover_target_gap",
    "Why the target was not seen, or not completely",
    &["redis_service", "datacenter", "target", "reason"],
);
/// The age of the snapshot that the page is written from.
pub const SNAPSHOT_AGE: MetricSpec = view(
    "redrover_snapshot_age_seconds",
    "Age of the last look at the site",
    &["redis_service", "datacenter"],
);
/// The signals of a target.
pub const SIGNAL: MetricSpec = view(
    "redrover_signal",
    "Normalised signal, 0 is good and 1 is bad",
    &["redis_service", "datacenter", "target", "signal"],
);
/// How unusual a target is; absent while nothing can be said.
pub const ANOMALY_SCORE: MetricSpec = view(
    "redrover_anomaly_score",
    "How unusual the target is: 2 is once in a hundred periods, 3 once in a thousand",
    &["redis_service", "datacenter", "target"],
);
/// The score above which a target is called anomalous.
pub const ANOMALY_THRESHOLD: MetricSpec = view(
    "redrover_anomaly_threshold",
    "Score above which the target is called anomalous",
    &["redis_service", "datacenter", "target"],
);
/// 1 while the score is above its threshold.
pub const ANOMALOUS: MetricSpec = view(
    "redrover_anomalous",
    "Whether the target's score is above its threshold",
    &["redis_service", "datacenter", "target"],
);
/// How much each signal that was seen deviates.
pub const ANOMALY_CONTRIBUTION: MetricSpec = view(
    "redrover_anomaly_contribution",
    "How much the signal deviates from what is usual",
    &["redis_service", "datacenter", "target", "signal"],
);
/// What each signal adds to the forest's part of the score.
pub const ANOMALY_FOREST_GAIN: MetricSpec = view(
    "redrover_anomaly_forest_gain",
    "What the signal adds to log2(score of the isolation forest / 0.5)",
    &["redis_service", "datacenter", "target", "signal"],
);
/// A state set: what the score rests on.
pub const ANOMALY_BASIS: MetricSpec = view(
    "redrover_anomaly_basis",
    "What the score rests on: limits, young_model or model",
    &["redis_service", "datacenter", "target", "basis"],
);
/// How unlike its peers a target is; absent where it has fewer than two.
pub const PEER_OUTLIER_SCORE: MetricSpec = view(
    "redrover_peer_outlier_score",
    "Share of the last 15 periods in which the target was outside of its peers' band, 0 to 1",
    &["redis_service", "datacenter", "target"],
);
/// When the model in use was trained.
pub const MODEL_TRAINED: MetricSpec = view(
    "redrover_model_trained_timestamp_seconds",
    "Youngest row that the model in use was trained on, since the Unix epoch",
    &["redis_service", "datacenter", "target"],
);
/// How far the last day lies from what the model in use was trained on.
pub const MODEL_DRIFT: MetricSpec = view(
    "redrover_model_drift",
    "Usual deviations from what the model expects to the middle of the last day, of the furthest signal",
    &["redis_service", "datacenter", "target"],
);
/// A state set: 1 for the present state of a site, 0 for the others.
pub const HEALTH: MetricSpec =
    view("redrover_health", "State of the site's health", &["redis_service", "datacenter", "state"]);
/// The confidence of a failover.
pub const FAILOVER_CONFIDENCE: MetricSpec = view(
    "redrover_failover_confidence",
    "Confidence that a failover is right, 0 to 1",
    &["redis_service", "from", "to"],
);
/// The strength of each evidence group.
pub const EVIDENCE: MetricSpec =
    view("redrover_evidence", "Strength of an evidence group, 0 to 1", &["redis_service", "group"]);
/// 1 for each veto in force.
pub const VETO: MetricSpec =
    view("redrover_veto", "Whether the veto is in force", &["redis_service", "veto"]);
/// 1 for the datacenter that the record points to, 0 for the others.
pub const ACTIVE_DATACENTER: MetricSpec = view(
    "redrover_active_datacenter",
    "Whether the record points to the datacenter",
    &["redis_service", "datacenter"],
);
/// A state set: 1 for the present mode.
pub const SERVICE_MODE: MetricSpec =
    view("redrover_service_mode", "Mode of the service", &["redis_service", "mode"]);
/// 1 while the service is halted.
pub const HALTED: MetricSpec = view("redrover_halted", "Whether the service is halted", SERVICE);
/// The fence's epoch.
pub const FENCE_EPOCH: MetricSpec = view("redrover_fence_epoch", "Epoch of the fence in DNS", SERVICE);
/// 1 while a recommendation waits for a person.
pub const RECOMMENDATION_PENDING: MetricSpec =
    view("redrover_recommendation_pending", "Whether a recommendation waits for a person", SERVICE);
/// 1 while the record is not what the fence says.
pub const DNS_DRIFT: MetricSpec =
    view("redrover_dns_drift", "Whether the record differs from what the fence says", SERVICE);
/// How many sites say that they accept writes.
pub const WRITABLE_PRIMARIES: MetricSpec =
    view("redrover_writable_primaries", "Sites that accept writes", SERVICE);
/// 1 while a person has paused the service.
pub const PAUSED: MetricSpec = view("redrover_paused", "Whether a person has paused the service", SERVICE);
/// 1 while the journal takes entries.
pub const JOURNAL_DURABLE: MetricSpec =
    view("redrover_journal_durable", "Whether the journal took the last entry", SERVICE);

/// All of them.
pub(super) const ALL: &[MetricSpec] = &[
    TARGET_GAP,
    SNAPSHOT_AGE,
    SIGNAL,
    ANOMALY_SCORE,
    ANOMALY_THRESHOLD,
    ANOMALOUS,
    ANOMALY_CONTRIBUTION,
    ANOMALY_FOREST_GAIN,
    ANOMALY_BASIS,
    PEER_OUTLIER_SCORE,
    MODEL_TRAINED,
    MODEL_DRIFT,
    HEALTH,
    FAILOVER_CONFIDENCE,
    EVIDENCE,
    VETO,
    ACTIVE_DATACENTER,
    SERVICE_MODE,
    HALTED,
    FENCE_EPOCH,
    RECOMMENDATION_PENDING,
    DNS_DRIFT,
    WRITABLE_PRIMARIES,
    PAUSED,
    JOURNAL_DURABLE,
];
