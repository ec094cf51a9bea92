//! The cluster's own metrics of the second generation: the few that the REST API does not tell, in base units.

use super::sheet::Sheet;
use super::text::{Line, lines};
use crate::monitor::catalog::{MetricSpec, enterprise as to};
use crate::types::{Gap, GapReason};

/// Reads a page; a line that is none is told as a gap.
pub(super) fn read(sheet: &mut Sheet, page: &str) {
    for line in lines(page) {
        let Ok(line) = line else {
            sheet.note("metrics", &Gap::new(GapReason::Protocol, ""));
            continue;
        };
        let Some((spec, labels, unit)) = translated(&line) else { continue };
        let value = match line.name {
            // 1 is up and 2 is down; 3 is that there is none, and 99 that nobody knows.
            "redis_server_master_link_status" => match line.value {
                1.0 => Some(1.0),
                2.0 => Some(0.0),
                _ => None,
            },
            _ => Some(line.value).filter(|value| value.is_finite()),
        };
        let labels: Vec<_> = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        sheet.number(spec, &labels, value, unit);
    }
}

type Translated = (&'static MetricSpec, Vec<(&'static str, String)>, f64);

/// The metric, its labels, and the size of its unit in the base unit.
fn translated(line: &Line<'_>) -> Option<Translated> {
    let label = |name: &str| line.label(name).unwrap_or_default().to_owned();
    let node = || ("node", label("node"));
    let endpoint = || vec![("database", label("db")), node()];
    let kinded = |kind: &str| vec![("database", label("db")), node(), ("kind", kind.to_owned())];
    Some(match line.name {
        "has_quorum" => (&to::NODE_QUORUM, vec![node()], 1.0),
        "node_metrics_up" => (&to::NODE_METRICS_UP, vec![node()], 1.0),
        "endpoint_client_connections" => (&to::ENDPOINT_CONNECTIONS, endpoint(), 1.0),
        "endpoint_read_requests" => (&to::ENDPOINT_REQUESTS, kinded("read"), 1.0),
        "endpoint_write_requests" => (&to::ENDPOINT_REQUESTS, kinded("write"), 1.0),
        "endpoint_other_requests" => (&to::ENDPOINT_REQUESTS, kinded("other"), 1.0),
        "endpoint_read_requests_latency_histogram_sum" => (&to::ENDPOINT_SECONDS, kinded("read"), 1e-6),
        "endpoint_write_requests_latency_histogram_sum" => (&to::ENDPOINT_SECONDS, kinded("write"), 1e-6),
        "endpoint_other_requests_latency_histogram_sum" => (&to::ENDPOINT_SECONDS, kinded("other"), 1e-6),
        "database_syncer_lag_ms" => {
            let labels = vec![
                ("database", label("target_db_id")),
                ("kind", label("syncer_type")),
                ("source", label("source_id")),
            ];
            (&to::SYNCER_LAG, labels, 1e-3)
        }
        "redis_server_master_link_status" => {
            (&to::SHARD_LINK_UP, vec![("shard", label("redis")), ("database", label("db"))], 1.0)
        }
        _ => return None,
    })
}
