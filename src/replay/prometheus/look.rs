//! What one look at one target must have brought, and what fired meanwhile.

use std::time::Duration;

use super::chunk::{Chunk, Eye, Place, Track};
use super::query::ALERTS;
use crate::decide::FiringAlert;
use crate::types::{AlertKey, Facts, Gap, GapReason, Link, Role, SiteName};

/// Why a target was not seen, or not completely, where redrover said so.
pub(super) fn gap(chunk: &Chunk, eye: &Eye, place: &Place, step: usize) -> Option<Gap> {
    let label = chunk.info(eye, place, "redrover_target_gap", step)?.labels.get("reason")?;
    // The label and the serialised form are one word.
    let reason: GapReason = serde_json::from_value(label.as_str().into()).ok()?;
    Some(Gap::new(reason, "as redrover told Prometheus"))
}

/// What INFO must have said.
pub(super) fn facts(chunk: &Chunk, eye: &Eye, place: &Place, step: usize) -> Facts {
    let value = |name| chunk.of_target(eye, place, name, step);
    let count = |name| value(name).filter(|v| *v >= 0.0).map(|v| v as u64);
    let flag = |name| value(name).map(|v| v > 0.0);
    let info = chunk.info(eye, place, "redis_instance_info", step);
    let label = |name: &str| info.and_then(|track| track.labels.get(name)).filter(|text| !text.is_empty());
    let role = label("role").map(|role| match role.as_str() {
        "master" => Role::Primary,
        "slave" => Role::Replica,
        _ => Role::Other,
    });
    let persistence = [flag("redis_rdb_last_bgsave_status"), flag("redis_aof_last_write_status")];
    let offset = match role {
        Some(Role::Replica) => count("redis_slave_repl_offset"),
        Some(Role::Primary) => count("redis_master_repl_offset"),
        Some(Role::Other) | None => None,
    };
    Facts {
        role,
        link: chunk.track_of_target(eye, place, "redis_master_link_up", step).map(|track| Link {
            up: track.at(step).is_some_and(|up| up > 0.0),
            source: source(track),
            // Unknown never clears a target.
            syncing: flag("redis_master_sync_in_progress").unwrap_or(true),
        }),
        loading: flag("redis_loading_dump_file"),
        offset_bytes: offset,
        replication_id: label("master_replid").cloned(),
        memory_used_bytes: count("redis_memory_used_bytes"),
        memory_max_bytes: count("redis_memory_max_bytes"),
        memory_system_bytes: count("redis_total_system_memory_bytes"),
        persistence_ok: persistence.into_iter().flatten().reduce(|all, one| all && one),
        ..Facts::default()
    }
}

fn source(track: &Track) -> String {
    let label = |name: &str| track.labels.get(name).map_or("", String::as_str);
    format!("{}:{}", label("master_host"), label("master_port"))
}

/// What fired. Alertmanager repeats an alert as long as it fires, so it is fresh.
pub(super) fn alerts(chunk: &Chunk, step: usize) -> Vec<FiringAlert> {
    let firing = chunk.others(ALERTS, step).filter(|(_, value)| *value > 0.0);
    firing
        .map(|(track, _)| {
            let labels = track.labels.iter().map(|(name, value)| format!("{name}={value:?}"));
            FiringAlert {
                key: AlertKey { fingerprint: labels.collect::<Vec<_>>().join(","), starts_at: String::new() },
                name: track.labels.get("alertname").cloned().unwrap_or_default(),
                site: track.labels.get("datacenter").and_then(|name| SiteName::new(name.as_str()).ok()),
                age: Duration::ZERO,
            }
        })
        .collect()
}
