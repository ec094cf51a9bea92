//! What each signal is: the one place where their names, sources and formulas stand.

/// One signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalSpec {
    /// The value of the label `signal`.
    pub name: &'static str,
    /// What it tells.
    pub what: &'static str,
    /// The fields of INFO, or what else it is made of.
    pub source: &'static str,
    /// How it is computed; the result is moved into [0, 1].
    pub formula: &'static str,
}

const fn signal(
    name: &'static str,
    what: &'static str,
    source: &'static str,
    formula: &'static str,
) -> SignalSpec {
    SignalSpec { name, what, source, formula }
}

/// All signals, in the order of the page. The first seven are those of one look alone.
pub const SIGNAL_TABLE: [SignalSpec; 21] = [
    signal(
        "data_path",
        "the target does not serve",
        "PING, the canary",
        "1 when PING or the canary failed, else 0",
    ),
    signal("latency", "the last answer was slow", "round trip of PING", "round trip / `probe_timeout`"),
    signal("loading", "the dataset is being loaded", "`loading`", "the field itself"),
    signal(
        "replication_link",
        "a replica has lost its primary",
        "`master_link_status`, `master_sync_in_progress`",
        "1 while the link is down or a full synchronisation runs; of replicas only",
    ),
    signal(
        "persistence",
        "writing to disk fails",
        "`rdb_last_bgsave_status`, `aof_last_write_status`, `aof_last_bgrewrite_status`",
        "1 when one of them is not `ok`",
    ),
    signal(
        "memory_pressure",
        "memory is running out",
        "`used_memory`, `maxmemory`, `total_system_memory`",
        "`used_memory / maxmemory`, or `/ total_system_memory` where there is no limit",
    ),
    signal(
        "clients_pressure",
        "connections are running out",
        "`connected_clients`, `maxclients`",
        "`connected_clients / maxclients`",
    ),
    signal(
        "ping_median",
        "most answers are slow",
        "round trips of PING",
        "median of the last 60 / `probe_timeout`",
    ),
    signal(
        "ping_tail",
        "some answers are slow",
        "round trips of PING",
        "95th percentile of the last 60 / `probe_timeout`",
    ),
    signal(
        "canary_median",
        "most writes are slow",
        "durations of the canary",
        "median of the last 60 / `(2·probe_timeout)`",
    ),
    signal(
        "canary_tail",
        "some writes are slow",
        "durations of the canary",
        "95th percentile of the last 60 / `(2·probe_timeout)`",
    ),
    signal(
        "hit_ratio_loss",
        "fewer lookups find a key than usual",
        "`keyspace_hits`, `keyspace_misses`",
        "`(u - h) / u`, `h = Δhits / (Δhits + Δmisses)`, `u` usual `h`; from 20 lookups on",
    ),
    signal(
        "rejected_connections",
        "connections are refused at the limit",
        "`rejected_connections`, `total_connections_received`",
        "`Δrejected / (Δrejected + Δreceived)`",
    ),
    signal(
        "evictions",
        "keys are evicted",
        "`evicted_keys`, keys of all databases",
        "evicted a minute / (keys + evicted a minute)",
    ),
    signal(
        "blocked_clients",
        "clients wait in blocking commands",
        "`blocked_clients`, `connected_clients`",
        "`blocked_clients / connected_clients`",
    ),
    signal(
        "cpu",
        "the one thread that runs commands is busy",
        "`used_cpu_user_main_thread`, `used_cpu_sys_main_thread`; before Redis 6 `used_cpu_user`, `used_cpu_sys`",
        "`(Δuser + Δsys) / Δt`",
    ),
    signal(
        "fragmentation",
        "memory is held and not used, or used and not in memory",
        "`allocator_allocated`, `allocator_active`, `used_memory`, `used_memory_rss`",
        "the larger of `1 - allocated / active` and `1 - rss / used`",
    ),
    signal(
        "replication_lag",
        "replicas are behind",
        "of a replica `master_last_io_seconds_ago`, `master_link_status`; of a primary `lag` and `offset` of its replicas, `master_repl_offset`, `repl_backlog_size`",
        "of a replica `(seconds - 10) / 50`, 1 while the link is down; of a primary, for the worst replica, the larger of `lag / 60` and bytes behind / backlog",
    ),
    signal(
        "error_replies",
        "commands fail",
        "`failed_calls`, `rejected_calls` and `calls` of `commandstats`",
        "`Δ(failed + rejected) / Δ(calls + rejected)`; from 20 calls on",
    ),
    signal(
        "command_mix_shift",
        "other commands are run than usual",
        "`calls` of `commandstats`",
        "`½·Σ|p - q|` over all commands, `p` their shares of the calls since the last look and `q` the usual ones; from 20 calls on",
    ),
    signal(
        "keyspace_change",
        "there are far more or fewer keys than usual",
        "`keys` of all databases",
        "`|k - u| / max(k, u)`, `u` the usual number of keys `k`",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_a_label() {
        let mut names: Vec<_> = SIGNAL_TABLE.iter().map(|spec| spec.name).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SIGNAL_TABLE.len());
    }
}
