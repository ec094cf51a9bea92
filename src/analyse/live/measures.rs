//! What is measured of a target, and what counts as a deviation of it.

use super::window::{Window, input};
use super::words::Unit;
use crate::analyse::model::{Direction, Rule};
use crate::analyse::peers::Compared;

/// One measure.
pub(super) struct Measure {
    /// The value of the label `signal`.
    pub(super) name: &'static str,
    /// How a person calls it.
    pub(super) words: &'static str,
    pub(super) unit: Unit,
    pub(super) rule: Rule,
    /// Above it, it is unusual for any target; judged by while there is no model.
    pub(super) limit: Option<f64>,
    /// Alike in all sites, whichever is active and wherever the agent stands: of data and its replication.
    is_alike_everywhere: bool,
    pub(super) read: fn(&Window) -> f64,
}

const fn measure(
    name: &'static str,
    words: &'static str,
    unit: Unit,
    rule: Rule,
    read: fn(&Window) -> f64,
) -> Measure {
    Measure { name, words, unit, rule, limit: None, is_alike_everywhere: false, read }
}

const fn limited(limit: f64, measure: Measure) -> Measure {
    Measure { limit: Some(limit), ..measure }
}

const fn alike(measure: Measure) -> Measure {
    Measure { is_alike_everywhere: true, ..measure }
}

/// Only more counts, from this much on.
const fn high(deviation_min: f64, deviation_min_share: f64) -> Rule {
    Rule { direction: Direction::High, deviation_min, deviation_min_share }
}

/// Only less counts, from this much on.
const fn low(deviation_min: f64, deviation_min_share: f64) -> Rule {
    Rule { direction: Direction::Low, deviation_min, deviation_min_share }
}

/// More and less count, from this much on.
const fn both(deviation_min: f64, deviation_min_share: f64) -> Rule {
    Rule { direction: Direction::Both, deviation_min, deviation_min_share }
}

const MIB: f64 = 1_048_576.0;
/// Of fewer commands a second those of redrover itself are a good part, and what is usual of a command says nothing.
const COMMANDS_MIN: f64 = 20.0;

/// Of a command, what comes so often a second; unknown where there are hardly any.
fn of_a_command(a_second: f64, commands: f64) -> f64 {
    if commands < COMMANDS_MIN { f64::NAN } else { a_second / commands }
}

/// Every measure, sorted by name.
pub(super) const MEASURES: &[Measure] = &[
    limited(
        100.0,
        measure("blocked_clients", "blocked clients", Unit::Count, high(3.0, 0.2), |w| {
            w.gauge(input!("redis_blocked_clients"))
        }),
    ),
    limited(
        100.0 * MIB,
        measure(
            "client_output_bytes",
            "largest output buffer of a client",
            Unit::Bytes,
            high(MIB, 0.5),
            |w| w.gauge(input!("redis_client_recent_max_output_buffer_bytes")),
        ),
    ),
    limited(
        0.01,
        measure("command_seconds", "time in a command", Unit::Seconds, high(2e-5, 0.3), |w| {
            of_a_command(
                w.rate(input!("redis_commands_duration_seconds_total")),
                w.rate(input!("redis_commands_total")),
            )
        }),
    ),
    measure("commands_per_second", "commands", Unit::PerSecond, both(20.0, 0.2), |w| {
        w.rate(input!("redis_commands_processed_total"))
    }),
    measure("connected_clients", "connected clients", Unit::Count, both(10.0, 0.2), |w| {
        w.gauge(input!("redis_connected_clients"))
    }),
    alike(measure("connected_replicas", "connected replicas", Unit::Count, low(0.5, 0.0), |w| {
        w.gauge(input!("redis_connected_slaves"))
    })),
    measure("connections_per_second", "new connections", Unit::PerSecond, high(5.0, 0.5), |w| {
        w.rate(input!("redis_connections_received_total"))
    }),
    limited(
        0.9,
        measure("connections_share", "connections in use", Unit::Share, high(0.05, 0.2), |w| {
            w.gauge(input!("redis_connected_clients")) / w.gauge(input!("redis_max_clients"))
        }),
    ),
    limited(
        0.95,
        measure("cpu_share", "processor in use", Unit::Share, high(0.05, 0.2), |w| {
            w.rate(input!("redis_cpu_user_seconds_total")) + w.rate(input!("redis_cpu_sys_seconds_total"))
        }),
    ),
    limited(
        100.0,
        measure("errors_per_second", "error answers", Unit::PerSecond, high(1.0, 0.5), |w| {
            w.rate(input!("redis_errors_total"))
        }),
    ),
    limited(
        1000.0,
        alike(measure("evictions_per_second", "evicted keys", Unit::PerSecond, high(5.0, 0.5), |w| {
            w.rate(input!("redis_evicted_keys_total"))
        })),
    ),
    measure("expired_per_second", "expired keys", Unit::PerSecond, both(20.0, 0.5), |w| {
        w.rate(input!("redis_expired_keys_total"))
    }),
    limited(
        1.0,
        measure("fork_seconds", "latest fork", Unit::Seconds, high(0.02, 0.5), |w| {
            w.gauge(input!("redis_latest_fork_seconds"))
        }),
    ),
    alike(measure("fragmentation", "memory fragmentation", Unit::Ratio, high(0.2, 0.1), |w| {
        // Below some memory it says nothing.
        if w.gauge(input!("redis_memory_used_bytes")) < 64.0 * MIB {
            1.0
        } else {
            w.gauge(input!("redis_mem_fragmentation_ratio"))
        }
    })),
    measure("hit_share", "lookups that find a key", Unit::Share, low(0.05, 0.05), |w| {
        let (hits, misses) =
            (w.rate(input!("redis_keyspace_hits_total")), w.rate(input!("redis_keyspace_misses_total")));
        hits / (hits + misses)
    }),
    alike(measure("keys", "keys", Unit::Count, both(100.0, 0.1), |w| w.gauge(input!("redis_db_keys")))),
    measure("lazy_free", "objects that wait for freeing", Unit::Count, high(100.0, 0.5), |w| {
        w.gauge(input!("redis_lazyfree_pending_objects"))
    }),
    limited(
        0.9,
        alike(measure("memory_share", "memory in use", Unit::Share, high(0.02, 0.05), |w| {
            let max = w.gauge(input!("redis_memory_max_bytes"));
            let whole = if max > 0.0 { max } else { w.gauge(input!("redis_total_system_memory_bytes")) };
            w.gauge(input!("redis_memory_used_bytes")) / whole
        })),
    ),
    alike(measure("memory_used_bytes", "memory used", Unit::Bytes, both(2.0 * MIB, 0.05), |w| {
        w.gauge(input!("redis_memory_used_bytes"))
    })),
    measure("net_input", "bytes received", Unit::BytesPerSecond, both(20_000.0, 0.3), |w| {
        w.rate(input!("redis_net_input_bytes_total"))
    }),
    measure("net_output", "bytes sent", Unit::BytesPerSecond, both(50_000.0, 0.3), |w| {
        w.rate(input!("redis_net_output_bytes_total"))
    }),
    measure("output_bytes_per_command", "bytes sent for a command", Unit::Bytes, high(100.0, 0.3), |w| {
        of_a_command(
            w.rate(input!("redis_net_output_bytes_total")),
            w.rate(input!("redis_commands_processed_total")),
        )
    }),
    limited(
        0.1,
        measure("ping_seconds", "round trip of PING", Unit::Seconds, high(0.002, 0.5), |w| {
            w.gauge(input!("ping"))
        }),
    ),
    limited(
        1.0,
        measure("rejected_per_second", "refused connections", Unit::PerSecond, high(0.1, 0.5), |w| {
            w.rate(input!("redis_rejected_connections_total"))
        }),
    ),
    limited(
        30.0,
        alike(measure(
            "replica_lag_seconds",
            "time since a replica was heard",
            Unit::Seconds,
            high(3.0, 0.5),
            |w| w.gauge(input!("redis_connected_slave_lag_seconds")),
        )),
    ),
    limited(
        100.0 * MIB,
        alike(measure(
            "replication_lag_bytes",
            "bytes that a replica is behind",
            Unit::Bytes,
            high(MIB, 0.5),
            |w| {
                (w.gauge(input!("redis_master_repl_offset"))
                    - w.gauge(input!("redis_connected_slave_offset_bytes")))
                .max(0.0)
            },
        )),
    ),
    limited(
        30.0,
        alike(measure(
            "upstream_seconds",
            "time since the primary was heard",
            Unit::Seconds,
            high(3.0, 0.5),
            |w| w.gauge(input!("redis_master_last_io_seconds_ago")),
        )),
    ),
    limited(
        0.1,
        measure("write_seconds", "write canary", Unit::Seconds, high(0.002, 0.5), |w| {
            w.gauge(input!("canary"))
        }),
    ),
];

/// The names of all measures, sorted: the columns of every row.
pub fn measure_names() -> impl Iterator<Item = &'static str> {
    MEASURES.iter().map(|measure| measure.name)
}

/// What counts as a deviation of each measure, unless configured otherwise.
pub(in crate::analyse) fn default_rules() -> impl Iterator<Item = (String, Rule)> {
    MEASURES.iter().map(|measure| (measure.name.to_owned(), measure.rule))
}

/// How each measure is compared with that of other targets, with the rules that are configured.
pub(super) fn compared(rules: &[(String, Rule)]) -> Vec<Compared> {
    let rule = |measure: &Measure| {
        let configured = rules.iter().find(|(name, _)| name == measure.name);
        configured.map_or(measure.rule, |(_, rule)| *rule)
    };
    let compared = |m: &Measure| Compared { rule: rule(m), is_alike_everywhere: m.is_alike_everywhere };
    MEASURES.iter().map(compared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_sorted_as_the_columns_of_a_table_are() {
        let names: Vec<_> = measure_names().collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        assert_eq!(names, crate::types::MEASURES, "they are those that can be configured");
    }

    #[test]
    fn what_is_measured_of_a_command_needs_commands() {
        assert!(of_a_command(1000.0, 19.0).is_nan() && of_a_command(0.0, 0.0).is_nan());
        assert!(of_a_command(1000.0, f64::NAN).is_nan());
        assert_eq!(of_a_command(1000.0, 20.0), 50.0);
    }

    #[test]
    fn the_manual_has_the_table_of_measures() {
        let wanted = measures_table();
        let manual = include_str!("../../../docs/anomaly.md");
        assert!(manual.contains(&wanted), "docs/anomaly.md must have:\n{wanted}");
    }

    /// The measures as a table, for people who configure them.
    fn measures_table() -> String {
        let head =
            "| signal | what | unusual is | from | fixed limit | across sites |\n|---|---|---|---|---|---|\n";
        let line = |measure: &Measure| {
            let Measure { name, words, unit, rule, limit, .. } = measure;
            let side = match rule.direction {
                Direction::Both => "more or less",
                Direction::High => "more",
                Direction::Low => "less",
            };
            let share = match rule.deviation_min_share {
                share if share > 0.0 => format!(", {} %", (share * 100.0).round()),
                _ => String::new(),
            };
            let limit = limit.map(|limit| unit.words(limit)).unwrap_or_default();
            let everywhere = if measure.is_alike_everywhere { "yes" } else { "" };
            let least = unit.words(rule.deviation_min);
            format!("| `{name}` | {words} | {side} | {least}{share} | {limit} | {everywhere} |\n")
        };
        MEASURES.iter().map(line).fold(head.to_owned(), |table, line| table + &line)
    }
}
