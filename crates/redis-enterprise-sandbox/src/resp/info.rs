//! INFO through the proxy: fewer fields than open-source Redis has. It says that a copy is a master, too.

use crate::world::{Database, World};

/// The sections that are asked for; all of them without a name.
pub fn info(world: &World, database: &Database, version: &str, wanted: &[String]) -> String {
    let counts = &database.counts;
    let (seconds, keys) = (world.now / 1000 + 86_400, database.keys.len());
    let expiring = database.keys.ending();
    let bytes = 1_434_144 + database.keys.bytes();
    let processed = counts.reads + counts.writes + counts.others;
    let misses = counts.reads.saturating_sub(counts.hits);
    let keyspace =
        if keys == 0 { String::new() } else { format!("db0:keys={keys},expires={expiring},avg_ttl=0\n") };
    let has_limit = world.variants.info_has_memory_limit;
    let limit = if has_limit { format!("maxmemory:{}\n", database.memory_size) } else { String::new() };
    let sections = [
        (
            "Server",
            format!(
                "redis_version:7.4.2\nrlec_version:{version}\nredis_mode:standalone\nos:Linux\narch_bits:64\n\
                 tcp_port:{}\nuptime_in_seconds:{seconds}\nuptime_in_days:{}\n",
                database.port,
                seconds / 86_400
            ),
        ),
        ("Clients", format!("connected_clients:{}\nblocked_clients:0\n", counts.open)),
        ("Memory", format!("used_memory:{bytes}\n{limit}")),
        ("Persistence", format!("loading:0\nrdb_changes_since_last_save:{}\n", counts.writes)),
        (
            "Stats",
            format!(
                "total_connections_received:{}\ntotal_commands_processed:{processed}\ninstantaneous_ops_per_sec:1\n\
                 expired_keys:0\nevicted_keys:0\nkeyspace_hits:{}\nkeyspace_misses:{misses}\n",
                counts.connections, counts.hits
            ),
        ),
        ("Replication", "role:master\n".to_owned()),
        (
            "Commandstats",
            format!(
                "cmdstat_get:calls={},usec={},usec_per_call=2.00,rejected_calls=0,failed_calls=0\n",
                counts.reads,
                counts.reads * 2
            ),
        ),
        ("Keyspace", keyspace),
    ];
    let is_wanted = |name: &str| {
        wanted.iter().all(|word| matches!(word.as_str(), "all" | "everything" | "default"))
            || wanted.iter().any(|word| word.eq_ignore_ascii_case(name))
    };
    let shown = sections.iter().filter(|(name, _)| is_wanted(name));
    let text: Vec<_> = shown.map(|(name, lines)| format!("# {name}\n{lines}")).collect();
    text.join("\n").replace('\n', "\r\n")
}
