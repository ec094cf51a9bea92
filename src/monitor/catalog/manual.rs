//! The catalog as a page for people: `docs/metrics.md`.

use std::fmt::Write as _;

use super::source::{KeyFact, Source, Watchers};
use super::spec::{MetricSpec, Unit};
use super::{SECTIONS, Section};

const HEAD: &str = "\
# Metrics

Every metric that redrover exports, generated from its catalog (`src/monitor/catalog`): write it anew with
`REDROVER_UPDATE=1 cargo test --lib monitor::tests::manual`. A counter is named as in the classic text form; in OpenMetrics
its family lacks `_total`. Labels of a target (`redis_service`, `datacenter`, `target`) are not listed: they stand first on
every `redis_*` series of `/metrics`, and on none of `/scrape`. Names, types and labels of `redis_*` are those of redis_exporter.
Metrics marked with * come only with `--compat.redis-exporter`, because `promtool check metrics` complains of them.
";

/// The page.
#[must_use]
pub fn manual() -> String {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        write_section(&mut page, section);
    }
    page
}

fn write_section(page: &mut String, section: &Section) {
    // Writing into a string cannot fail.
    let _ = write!(
        page,
        "\n## {}\n\n| name | type | labels | unit | what | from |\n|---|---|---|---|---|---|\n",
        section.title
    );
    for spec in section.specs {
        write_row(page, spec);
    }
}

fn write_row(page: &mut String, spec: &MetricSpec) {
    let labels: Vec<String> = spec.labels.iter().map(|label| format!("`{label}`")).collect();
    let mark = if spec.is_compat { " *" } else { "" };
    let unit = match spec.unit {
        Unit::None => "-",
        known @ (Unit::Seconds
        | Unit::Bytes
        | Unit::Ratio
        | Unit::Milliseconds
        | Unit::Microseconds
        | Unit::Percent) => known.as_str(),
    };
    let labels = if labels.is_empty() { "-".to_owned() } else { labels.join(", ") };
    let _ = writeln!(
        page,
        "| `{}`{mark} | {} | {labels} | {unit} | {} | {} |",
        spec.name,
        spec.kind.as_str(),
        spec.help,
        origin(spec.source)
    );
}

/// Where a value comes from, in words.
fn origin(source: Source) -> String {
    match source {
        Source::Field(field, scale) | Source::Known(field, scale) | Source::LinkField(field, scale) => {
            format!("INFO `{field}`{}", factor(scale))
        }
        Source::Is(field, text) | Source::LinkIs(field, text) => format!("INFO `{field}` is `{text}`"),
        Source::State(field, _) => format!("INFO `{field}`"),
        Source::StartTime => "INFO `server_time_usec`, `uptime_in_seconds`".to_owned(),
        Source::Facts(_) => "INFO".to_owned(),
        Source::Row { section, prefix, part, scale } => {
            format!("INFO {section}, `{prefix}…` `{part}`{}", factor(scale))
        }
        Source::Database { part, scale } => format!("INFO Keyspace, `{part}`{}", factor(scale)),
        Source::ConnectedReplica(part) => format!("INFO `slave…` `{part}`"),
        Source::Percentiles => "INFO Latencystats, Commandstats".to_owned(),
        Source::LatencyHistogram => "LATENCY HISTOGRAM, INFO Commandstats".to_owned(),
        Source::LatencyEvent(..) => "LATENCY LATEST".to_owned(),
        Source::SlowlogLength => "SLOWLOG LEN".to_owned(),
        Source::SlowlogEntry(..) => "SLOWLOG GET 1".to_owned(),
        Source::Parameter(name) => format!("CONFIG GET {name}"),
        Source::BufferLimit(_) => "CONFIG GET client-output-buffer-limit".to_owned(),
        Source::Parameters | Source::ParameterTexts => "CONFIG GET *".to_owned(),
        Source::Cluster(field) => format!("CLUSTER INFO `{field}`"),
        Source::ClusterState => "CLUSTER INFO `cluster_state`".to_owned(),
        Source::Client(part) | Source::ClientSince(part) => format!("CLIENT LIST `{part}`"),
        Source::ClientFacts(_) => "CLIENT LIST".to_owned(),
        Source::Watched(part) => format!("INFO Sentinel, `{part}`"),
        Source::WatchedStatus => "INFO Sentinel, `status`".to_owned(),
        Source::WatchedField(field, scale) => format!("SENTINEL MASTERS `{field}`{}", factor(scale)),
        Source::InOrder(Watchers::Replicas) => "SENTINEL REPLICAS".to_owned(),
        Source::InOrder(Watchers::Sentinels) => "SENTINEL SENTINELS".to_owned(),
        Source::Quorum => "SENTINEL CKQUORUM".to_owned(),
        Source::Key(KeyFact::Size) => "STRLEN, LLEN, SCARD, ZCARD, HLEN, XLEN, PFCOUNT".to_owned(),
        Source::Key(KeyFact::Value) => "GETRANGE".to_owned(),
        Source::Key(KeyFact::Memory) => "MEMORY USAGE".to_owned(),
        Source::Key(KeyFact::Matching | KeyFact::GroupKeys | KeyFact::Groups) => "SCAN".to_owned(),
        Source::Key(KeyFact::GroupMemory) => "SCAN, MEMORY USAGE".to_owned(),
        Source::Stream(field) => format!("XINFO STREAM `{field}`"),
        Source::StreamGroup(field) => format!("XINFO GROUPS `{field}`"),
        Source::StreamConsumer(field, scale) => format!("XINFO CONSUMERS `{field}`{}", factor(scale)),
        Source::Key(KeyFact::GroupsDuration(_) | KeyFact::Complete) | Source::Registry | Source::View => {
            "redrover".to_owned()
        }
    }
}

fn factor(scale: f64) -> String {
    if (scale - 1.0).abs() < f64::EPSILON { String::new() } else { format!(" × {scale}") }
}
