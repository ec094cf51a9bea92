//! What Prometheus is asked about one service.

use std::fmt::Write as _;

use crate::config::{Address, Service, Target};

/// Of every target: what the rebuilt look rests on. These names are redis_exporter's as well.
pub(super) const OF_TARGETS: [&str; 12] = [
    "redis_up",
    "redis_instance_info",
    "redis_loading_dump_file",
    "redis_master_repl_offset",
    "redis_slave_repl_offset",
    "redis_master_link_up",
    "redis_master_sync_in_progress",
    "redis_memory_used_bytes",
    "redis_memory_max_bytes",
    "redis_total_system_memory_bytes",
    "redis_rdb_last_bgsave_status",
    "redis_aof_last_write_status",
];

/// Of every target, from redrover alone.
pub(super) const OF_LOOKS: [&str; 2] = ["redrover_target_gap", "redrover_signal"];

/// Of the service, from redrover alone.
pub(super) const OF_SERVICE: [&str; 7] = [
    "redrover_active_datacenter",
    "redrover_fence_epoch",
    "redrover_paused",
    "redrover_halted",
    "redrover_journal_durable",
    "redrover_recommendation_pending",
    "redrover_decisions_total",
];

/// The name under which the alerts come.
pub(super) const ALERTS: &str = "ALERTS";
/// The name under which the configured query about applications comes.
pub(super) const CLIENT_ERRORS: &str = "client_errors";

/// All questions about a service: what the answer is called, and the query.
pub(super) fn queries(service: &Service, service_label: &str) -> Vec<(&'static str, String)> {
    let name = &service.name;
    let mut queries: Vec<(&'static str, String)> = Vec::new();
    let instances = instances(service);
    for metric in OF_TARGETS {
        let own = format!("{metric}{{redis_service=\"{name}\"}}");
        queries.push((metric, format!("{own} or {metric}{{redis_service=\"\",instance=~\"{instances}\"}}")));
    }
    for metric in OF_LOOKS.into_iter().chain(OF_SERVICE) {
        let more = match metric {
            "redrover_signal" => ",signal=~\"latency|data_path\"",
            "redrover_decisions_total" => ",verdict=\"failover\"",
            _ => "",
        };
        queries.push((metric, format!("{metric}{{redis_service=\"{name}\"{more}}}")));
    }
    // redrover's own conclusions are no evidence: Alertmanager does not send them to it either.
    let firing =
        format!("{ALERTS}{{alertstate=\"firing\",{service_label}=\"{name}\",alertname!~\"Redrover.*\"}}");
    queries.push((ALERTS, firing));
    queries.extend(service.client_errors.as_ref().map(|client| (CLIENT_ERRORS, client.promql.clone())));
    queries
}

/// A pattern for the `instance` of every target, with and without its scheme.
fn instances(service: &Service) -> String {
    let targets = service.sites.iter().flat_map(|site| &site.targets);
    let mut names: Vec<String> = targets.flat_map(names).map(|name| literal(&name)).collect();
    names.sort();
    names.dedup();
    names.join("|")
}

/// What a target may be called: by its name, and by `host:port`.
pub(super) fn names(target: &Target) -> Vec<String> {
    let address = match &target.address {
        Address::Tcp { host, port } if host.contains(':') => Some(format!("[{host}]:{port}")),
        Address::Tcp { host, port } => Some(format!("{host}:{port}")),
        Address::Unix(_) => None,
    };
    std::iter::once(target.name.to_string()).chain(address).collect()
}

/// A text as a pattern that matches nothing else, within the quotes of a query.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        // Writing into a string cannot fail.
        let _ = if c.is_ascii_alphanumeric() { write!(pattern, "{c}") } else { write!(pattern, "[{c}]") };
    }
    pattern.replace("[[]", "\\\\[").replace("[]]", "\\\\]")
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::service;
    use super::*;

    #[test]
    fn the_questions_name_the_service_and_its_targets() {
        let queries = queries(&service(), "redis_service");
        let of = |name: &str| queries.iter().find(|(known, _)| *known == name).map(|(_, q)| q.as_str());
        assert_eq!(
            of("redis_up"),
            Some(
                "redis_up{redis_service=\"sessions\"} or redis_up{redis_service=\"\",instance=~\"\
                 dc[-]a[:]6379|dc[-]b[:]6379|redis[:][/][/]dc[-]a[:]6379|redis[:][/][/]dc[-]b[:]6379\"}"
            )
        );
        assert_eq!(
            of(ALERTS),
            Some("ALERTS{alertstate=\"firing\",redis_service=\"sessions\",alertname!~\"Redrover.*\"}")
        );
        assert_eq!(literal("[::1]:6379"), "\\\\[[:][:]1\\\\][:]6379");
    }
}
