//! Every Redis in detail.

use super::board::Board;
use super::panel::Panel;

/// What every series of a target is chosen by.
const T: &str =
    r#"{instance=~"$agent",redis_service=~"$redis_service",datacenter=~"$datacenter",target=~"$target"}"#;
/// How its lines are called.
const TARGET: &str = "{{datacenter}} {{target}}";

/// A series of the chosen targets.
fn of(name: &str) -> String {
    format!("{name}{T}")
}

/// Its growth a second.
fn rate(name: &str) -> String {
    format!("rate({name}{T}[$__rate_interval])")
}

/// Sums over what else a series tells apart.
fn sum(by: &str, expr: &str) -> String {
    format!("sum by (datacenter, target{by}) ({expr})")
}

/// The dashboard.
pub fn board() -> Board {
    Board::new(
        "redrover-redis",
        "redrover / Redis",
        "Every Redis that redrover watches, as one agent sees it.",
        ("Services", "redrover-services"),
    )
    .choice("agent", "Agent", "label_values(redrover_build_info, instance)")
    .choices("redis_service", "Service", "label_values(redis_up{instance=~\"$agent\"}, redis_service)")
    .choices(
        "datacenter",
        "Datacenter",
        "label_values(redis_up{instance=~\"$agent\",redis_service=~\"$redis_service\"}, datacenter)",
    )
    .choices(
        "target",
        "Target",
        "label_values(redis_up{instance=~\"$agent\",redis_service=~\"$redis_service\",datacenter=~\"$datacenter\"}, target)",
    )
    .row("At a glance", glance())
    .row("Commands", commands())
    .row("Memory and keys", memory())
    .row("Clients and network", clients())
    .row("Replication and disk", replication())
    .row("How redrover sees it", seen())
}

fn glance() -> Vec<Panel> {
    let role = r#"redis_instance_info{instance=~"$agent",redis_service=~"$redis_service",datacenter=~"$datacenter",target=~"$target"}"#;
    vec![
        Panel::numbers("Answers", "Whether INFO was answered at the last look.")
            .width(6)
            .base("red")
            .from(1.0, "green")
            .word(0, "down", "red")
            .word(1, "up", "green")
            .query(of("redis_up"), TARGET),
        Panel::numbers("Role", "What each Redis says it is, and its version.")
            .width(6)
            .names()
            .query(role, "{{datacenter}} {{role}} {{redis_version}}"),
        Panel::numbers("Uptime", "Since the start of the process.")
            .unit("s")
            .query(of("redis_uptime_in_seconds"), TARGET),
        Panel::numbers("Clients", "Connections without those of replicas.")
            .query(of("redis_connected_clients"), TARGET),
        Panel::numbers("Memory used", "What the allocator gave out.")
            .unit("bytes")
            .query(of("redis_memory_used_bytes"), TARGET),
    ]
}

fn commands() -> Vec<Panel> {
    let (hits, misses) = (rate("redis_keyspace_hits_total"), rate("redis_keyspace_misses_total"));
    let calls = sum(", cmd", &rate("redis_commands_total"));
    let time = sum(", cmd", &rate("redis_commands_duration_seconds_total"));
    vec![
        Panel::lines("Commands a second", "All commands, redrover's own included.")
            .unit("ops")
            .query(rate("redis_commands_processed_total"), TARGET),
        Panel::lines("Ten most frequent commands", "Calls a second.")
            .unit("ops")
            .query(format!("topk(10, {calls})"), "{{datacenter}} {{cmd}}"),
        Panel::lines("Ten commands that take most time", "Share of the time that a command was executed.")
            .unit("percentunit")
            .query(format!("topk(10, {time})"), "{{datacenter}} {{cmd}}"),
        Panel::lines("Hit ratio", "Lookups that found a key. No line where nothing was looked up.")
            .unit("percentunit")
            .range(0.0, 1.0)
            .query(format!("{hits} / ({hits} + {misses} > 0)"), TARGET),
        Panel::lines("Error replies", "By their class.")
            .unit("ops")
            .query(sum(", err", &rate("redis_errors_total")), "{{datacenter}} {{err}}"),
        Panel::lines("CPU", "Processor time used a second, without children.").unit("percentunit").query(
            format!("{} + {}", rate("redis_cpu_user_seconds_total"), rate("redis_cpu_sys_seconds_total")),
            TARGET,
        ),
    ]
}

fn memory() -> Vec<Panel> {
    vec![
        Panel::lines("Memory", "Used, resident, and the limit; 0 where there is none.")
            .unit("bytes")
            .query(of("redis_memory_used_bytes"), "used {{datacenter}} {{target}}")
            .query(of("redis_memory_used_rss_bytes"), "resident {{datacenter}} {{target}}")
            .query(of("redis_memory_max_bytes"), "limit {{datacenter}} {{target}}"),
        Panel::lines("Fragmentation", "Resident memory to used memory; far below 1 is swapped out.")
            .query(of("redis_mem_fragmentation_ratio"), TARGET),
        Panel::lines("Keys", "Of all databases.").query(sum("", &of("redis_db_keys")), TARGET),
        Panel::lines("Keys with a time to live", "Of all databases.")
            .query(sum("", &of("redis_db_keys_expiring")), TARGET),
        Panel::lines("Keys that went", "Expired, and evicted for want of memory.")
            .unit("ops")
            .query(rate("redis_expired_keys_total"), "expired {{datacenter}} {{target}}")
            .query(rate("redis_evicted_keys_total"), "evicted {{datacenter}} {{target}}"),
        Panel::lines("Memory of clients", "Buffers of normal clients and of replicas.")
            .unit("bytes")
            .query(of("redis_mem_clients_normal"), "clients {{datacenter}} {{target}}")
            .query(of("redis_mem_clients_slaves"), "replicas {{datacenter}} {{target}}"),
    ]
}

fn clients() -> Vec<Panel> {
    vec![
        Panel::lines("Clients", "Connected, and waiting in a blocking command.")
            .query(of("redis_connected_clients"), "connected {{datacenter}} {{target}}")
            .query(of("redis_blocked_clients"), "blocked {{datacenter}} {{target}}"),
        Panel::lines("Connections", "Accepted, and refused at the limit.")
            .unit("ops")
            .query(rate("redis_connections_received_total"), "accepted {{datacenter}} {{target}}")
            .query(rate("redis_rejected_connections_total"), "refused {{datacenter}} {{target}}"),
        Panel::lines("Network", "Bytes read and written.")
            .unit("Bps")
            .query(rate("redis_net_input_bytes_total"), "in {{datacenter}} {{target}}")
            .query(rate("redis_net_output_bytes_total"), "out {{datacenter}} {{target}}"),
    ]
}

fn replication() -> Vec<Panel> {
    let (own, theirs) = (of("redis_master_repl_offset"), of("redis_connected_slave_offset_bytes"));
    vec![
        Panel::lines("Replicas", "Connected to each primary.").query(of("redis_connected_slaves"), TARGET),
        Panel::lines("Replicas behind, bytes", "What each replica of a primary has not confirmed yet.")
            .unit("bytes")
            .query(
                format!("clamp_min({own} - on (instance, redis_service, datacenter, target) group_right () {theirs}, 0)"),
                "{{datacenter}} to {{slave_ip}}:{{slave_port}}",
            ),
        Panel::lines("Since the primary was heard", "By its replicas. No line while the link is down.")
            .unit("s")
            .query(of("redis_master_last_io_seconds_ago"), TARGET),
        Panel::lines("Link to the primary", "1 while it is up; of replicas only.")
            .range(0.0, 1.0)
            .query(of("redis_master_link_up"), TARGET),
        Panel::lines("Changes since the last save", "What a restart without an append-only file would lose.")
            .query(of("redis_rdb_changes_since_last_save"), TARGET),
        Panel::lines("Writing to disk", "0 where the last save or the last write of the append-only file failed.")
            .range(0.0, 1.0)
            .query(of("redis_rdb_last_bgsave_status"), "save {{datacenter}} {{target}}")
            .query(of("redis_aof_last_write_status"), "append {{datacenter}} {{target}}"),
    ]
}

fn seen() -> Vec<Panel> {
    let looks = r#"redrover_probe_duration_seconds_bucket{instance=~"$agent",redis_service=~"$redis_service",datacenter=~"$datacenter"}"#;
    let panels = vec![
        Panel::bars(
            "Signals",
            "0 is good, 1 is bad; the worst of the chosen targets. docs/signals.md says what each is.",
        )
        .range(0.0, 1.0)
        .unit("percentunit")
        .from(0.6, "orange")
        .from(0.9, "red")
        .query(format!("max by (signal) ({})", of("redrover_signal")), "{{signal}}"),
        Panel::lines(
            "How unusual it is",
            "The score, and where unusual begins; 2 is what happens once in a hundred periods, 3 once in a thousand.",
        )
        .query(of("redrover_anomaly_score"), "score {{datacenter}} {{target}}")
        .query(of("redrover_anomaly_threshold"), "threshold {{datacenter}} {{target}}"),
        Panel::lines(
            "How unlike its peers it is",
            "The share of the last 15 periods in which it was outside of their band; nothing with fewer than two peers.",
        )
        .range(0.0, 1.0)
        .unit("percentunit")
        .query(of("redrover_peer_outlier_score"), "{{datacenter}} {{target}}"),
        Panel::lines("Duration of looks", "95 of 100 looks at a target are quicker.").unit("s").query(
            format!("histogram_quantile(0.95, sum by (datacenter, le) (rate({looks}[$__rate_interval])))"),
            "{{datacenter}}",
        ),
    ];
    panels.into_iter().map(Panel::tall).collect()
}
