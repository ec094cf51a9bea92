//! What signals need of one look, picked from its samples by the catalog's names.

use std::collections::BTreeMap;

use crate::types::{Sample, TargetSnapshot};

/// Commands that are told apart; Redis has about 240, and modules bring their own. The others count as one.
const COMMANDS_MAX: usize = 400;
/// The one name of those others.
const OTHERS: &str = "";

/// The numbers of one look; what the target did not say is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Reading {
    /// The identity of the process, which a restart changes.
    pub(super) run: String,
    pub(super) counters: Counters,
    pub(super) levels: Levels,
    /// Calls of each command since the start; empty where the target does not say.
    pub(super) commands: BTreeMap<String, f64>,
}

/// Numbers that only grow, until the process starts anew or its statistics are reset.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Counters {
    pub(super) hits: Option<f64>,
    pub(super) misses: Option<f64>,
    pub(super) received: Option<f64>,
    pub(super) rejected: Option<f64>,
    pub(super) evicted: Option<f64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) calls: Option<f64>,
    pub(super) failed: Option<f64>,
}

/// Numbers as they are at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Levels {
    pub(super) keys: f64,
    pub(super) clients: Option<f64>,
    pub(super) blocked: Option<f64>,
    pub(super) used: Option<f64>,
    pub(super) resident: Option<f64>,
    pub(super) allocated: Option<f64>,
    pub(super) active: Option<f64>,
    /// Since a replica heard its primary.
    pub(super) heard_seconds: Option<f64>,
    /// 0 while a replica's link is down.
    pub(super) link: Option<f64>,
    /// Of the primary's worst replica.
    pub(super) lag_seconds: Option<f64>,
    /// Of the primary's replica that is farthest behind.
    pub(super) offset_least: Option<f64>,
    pub(super) offset: Option<f64>,
    pub(super) backlog: Option<f64>,
}

impl Reading {
    /// What the samples of a look say; `None` when INFO was a gap.
    pub(super) fn of(look: &TargetSnapshot) -> Option<Self> {
        if look.facts.is_err() || look.samples.is_empty() {
            return None;
        }
        let mut reading = Self::default();
        let (mut cpu, mut whole_cpu, mut refused) = (None, None, None);
        for sample in &look.samples {
            let value = sample.value;
            let (counters, levels) = (&mut reading.counters, &mut reading.levels);
            match sample.metric {
                "redis_instance_info" => reading.run = label(sample, "run_id").to_owned(),
                "redis_keyspace_hits_total" => counters.hits = Some(value),
                "redis_keyspace_misses_total" => counters.misses = Some(value),
                "redis_connections_received_total" => counters.received = Some(value),
                "redis_rejected_connections_total" => counters.rejected = Some(value),
                "redis_evicted_keys_total" => counters.evicted = Some(value),
                "redis_cpu_user_main_thread_seconds_total" | "redis_cpu_sys_main_thread_seconds_total" => {
                    add(&mut cpu, value);
                }
                "redis_cpu_user_seconds_total" | "redis_cpu_sys_seconds_total" => add(&mut whole_cpu, value),
                "redis_commands_total" => {
                    add(&mut counters.calls, value);
                    count(&mut reading.commands, label(sample, "cmd"), value);
                }
                "redis_commands_failed_calls_total" => add(&mut counters.failed, value),
                "redis_commands_rejected_calls_total" => add(&mut refused, value),
                "redis_db_keys" => levels.keys += value,
                "redis_connected_clients" => levels.clients = Some(value),
                "redis_blocked_clients" => levels.blocked = Some(value),
                "redis_memory_used_bytes" => levels.used = Some(value),
                "redis_memory_used_rss_bytes" => levels.resident = Some(value),
                "redis_allocator_allocated_bytes" => levels.allocated = Some(value),
                "redis_allocator_active_bytes" => levels.active = Some(value),
                "redis_master_last_io_seconds_ago" => levels.heard_seconds = Some(value),
                "redis_master_link_up" => levels.link = Some(value),
                "redis_connected_slave_lag_seconds" => {
                    levels.lag_seconds = levels.lag_seconds.into_iter().chain([value]).reduce(f64::max);
                }
                "redis_connected_slave_offset_bytes" => {
                    levels.offset_least = levels.offset_least.into_iter().chain([value]).reduce(f64::min);
                }
                "redis_master_repl_offset" => levels.offset = Some(value),
                "redis_replication_backlog_bytes" => levels.backlog = Some(value),
                _ => {}
            }
        }
        let counters = &mut reading.counters;
        counters.cpu_seconds = cpu.or(whole_cpu);
        // A call that is refused before it runs is in none of the other two.
        if let Some(refused) = refused {
            add(&mut counters.calls, refused);
            add(&mut counters.failed, refused);
        }
        Some(reading)
    }
}

fn label<'a>(sample: &'a Sample, name: &str) -> &'a str {
    sample.labels.iter().find(|(found, _)| *found == name).map_or("", |(_, text)| text.as_str())
}

fn add(sum: &mut Option<f64>, value: f64) {
    *sum = Some(sum.unwrap_or(0.0) + value);
}

fn count(commands: &mut BTreeMap<String, f64>, command: &str, calls: f64) {
    let is_known = commands.contains_key(command);
    let name = if is_known || commands.len() < COMMANDS_MAX { command } else { OTHERS };
    *commands.entry(name.to_owned()).or_insert(0.0) += calls;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_in_the_catalog() {
        let code = include_str!("reading.rs").split("#[cfg(test)]").next().unwrap();
        let names: Vec<&str> = code.split('"').filter(|text| text.starts_with("redis_")).collect();
        assert!(names.len() > 20, "{names:?}");
        for name in names {
            assert!(crate::monitor::spec(name).is_some(), "{name}");
        }
    }

    #[test]
    fn commands_beyond_the_limit_count_as_one() {
        let mut commands = BTreeMap::new();
        for number in 0..COMMANDS_MAX + 7 {
            count(&mut commands, &format!("c{number}"), 2.0);
        }
        assert_eq!((commands.len(), commands[OTHERS]), (COMMANDS_MAX + 1, 14.0));
    }
}
