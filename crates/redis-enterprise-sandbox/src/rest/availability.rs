//! The answers about availability, in the words of each release.

use super::query::value;
use super::reply::{Ask, Reply};
use crate::world::{Form, Place, Verdict, World};

/// Answers for a database, or for its endpoint at the node that is asked.
pub fn availability(world: &World, ask: &Ask, uid: u32, form: Form, query: &[(String, String)]) -> Reply {
    let cluster = &world.clusters[ask.cluster];
    let profile = &cluster.profile;
    let tolerance = match value(query, "extend_check") {
        None => None,
        Some("lag") if profile.lag_check => {
            let text = value(query, "availability_lag_tolerance_ms");
            match text.map_or(Ok(cluster.settings.availability_lag_tolerance_ms), str::parse) {
                Ok(tolerance) => Some(tolerance),
                Err(_) => return Reply::empty(400),
            }
        }
        Some(_) => return Reply::empty(400),
    };
    let is_endpoint = form != Form::Database;
    let elsewhere = |status| {
        let text = format!("Local endpoint of BDB {uid} on node {} is not available", ask.node);
        Reply::described(status, "bdb_endpoint_unavailable", &text)
    };
    match world.availability(Place { cluster: ask.cluster, uid }, form, tolerance) {
        Verdict::Available => Reply::empty(200),
        Verdict::Unknown => Reply::described(404, "db_not_found", "Database does not exist in the cluster"),
        Verdict::NoQuorum => {
            let text = "Master healthcheck failed (no quorum in the cluster)";
            Reply::described(503, "no_quorum", text)
        }
        Verdict::Elsewhere => elsewhere(profile.local_error_status),
        Verdict::Unavailable { .. } if is_endpoint => elsewhere(503),
        Verdict::Unavailable { shard, port } => {
            let reasons = [(shard, "shard_unreachable"), (port, "port_unbound")];
            let reasons: Vec<_> = reasons.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
            if profile.composed_codes && !reasons.is_empty() {
                let text = format!("Endpoint error status: {}", reasons.join(", ").replace('_', " "));
                return Reply::described(503, &format!("bdb_unavailable_{}", reasons.join("_")), &text);
            }
            Reply::described(503, "bdb_unavailable", &format!("BDB {uid} is not available"))
        }
    }
}
