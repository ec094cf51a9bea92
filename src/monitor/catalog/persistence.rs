//! Of snapshots, the append-only file, and loading.

use super::make::{count, field, known, ok, scaled};
use super::source::Source::Field;
use super::spec::{MetricSpec, Unit};

/// Persistence.
pub(super) const PERSISTENCE: &[MetricSpec] = &[
    field("redis_loading_dump_file", "Whether the dataset is being loaded", "loading"),
    field("redis_async_loading", "Whether the dataset is loaded while old data is served", "async_loading"),
    field("redis_loading_start_timestamp_seconds", "Start of the loading", "loading_start_time"),
    field("redis_loading_file_bytes", "Size of the file that is being loaded", "loading_total_bytes"),
    field("redis_loading_loaded_bytes", "Bytes that were loaded", "loading_loaded_bytes"),
    scaled("redis_loading_loaded_ratio", "Share of the file that was loaded", "loading_loaded_perc", 1e-2),
    field(
        "redis_loading_eta_seconds",
        "Time until everything is loaded, as estimated",
        "loading_eta_seconds",
    ),
    scaled("redis_current_fork_ratio", "Share of the work that a child has done", "current_fork_perc", 1e-2),
    field("redis_current_save_keys_processed", "Keys that a save has written", "current_save_keys_processed"),
    field("redis_current_save_keys", "Keys at the start of a save", "current_save_keys_total"),
    field("redis_current_cow_size_bytes", "Memory copied while a child runs", "current_cow_size"),
    field("redis_current_cow_peak_bytes", "Most memory copied while a child runs", "current_cow_peak"),
    field("redis_rdb_changes_since_last_save", "Changes since the last save", "rdb_changes_since_last_save"),
    field("redis_rdb_bgsave_in_progress", "Whether a save runs", "rdb_bgsave_in_progress"),
    field("redis_rdb_last_save_timestamp_seconds", "End of the last good save", "rdb_last_save_time"),
    ok("redis_rdb_last_bgsave_status", "Whether the last save was good", "rdb_last_bgsave_status"),
    known("redis_rdb_last_bgsave_duration_seconds", "Duration of the last save", "rdb_last_bgsave_time_sec"),
    known(
        "redis_rdb_current_bgsave_duration_seconds",
        "Duration of the save that runs",
        "rdb_current_bgsave_time_sec",
    ),
    field(
        "redis_rdb_last_bgsave_duration_sec",
        "Duration of the last save, -1 for none",
        "rdb_last_bgsave_time_sec",
    )
    .unit(Unit::Seconds)
    .compat(),
    field(
        "redis_rdb_current_bgsave_duration_sec",
        "Duration of the save that runs, -1 for none",
        "rdb_current_bgsave_time_sec",
    )
    .unit(Unit::Seconds)
    .compat(),
    count("redis_rdb_saves_total", "Saves since the start", "rdb_saves"),
    field("redis_rdb_last_cow_size_bytes", "Memory copied by the last save", "rdb_last_cow_size"),
    field(
        "redis_rdb_last_load_expired_keys",
        "Keys that were expired when last loaded",
        "rdb_last_load_keys_expired",
    ),
    field("redis_rdb_last_load_loaded_keys", "Keys that were last loaded", "rdb_last_load_keys_loaded"),
    field("redis_aof_enabled", "Whether the append-only file is on", "aof_enabled"),
    field("redis_aof_rewrite_in_progress", "Whether a rewrite runs", "aof_rewrite_in_progress"),
    field("redis_aof_rewrite_scheduled", "Whether a rewrite is due", "aof_rewrite_scheduled"),
    count("redis_aof_rewrites_total", "Rewrites since the start", "aof_rewrites"),
    field(
        "redis_aof_rewrites_consecutive_failures",
        "Rewrites that failed since the last good one",
        "aof_rewrites_consecutive_failures",
    ),
    ok("redis_aof_last_bgrewrite_status", "Whether the last rewrite was good", "aof_last_bgrewrite_status"),
    ok("redis_aof_last_write_status", "Whether the last write was good", "aof_last_write_status"),
    known(
        "redis_aof_last_rewrite_duration_seconds",
        "Duration of the last rewrite",
        "aof_last_rewrite_time_sec",
    ),
    known(
        "redis_aof_current_rewrite_duration_seconds",
        "Duration of the rewrite that runs",
        "aof_current_rewrite_time_sec",
    ),
    field(
        "redis_aof_last_rewrite_duration_sec",
        "Duration of the last rewrite, -1 for none",
        "aof_last_rewrite_time_sec",
    )
    .unit(Unit::Seconds)
    .compat(),
    field(
        "redis_aof_current_rewrite_duration_sec",
        "Duration of the rewrite that runs, -1 for none",
        "aof_current_rewrite_time_sec",
    )
    .unit(Unit::Seconds)
    .compat(),
    field("redis_aof_last_cow_size_bytes", "Memory copied by the last rewrite", "aof_last_cow_size"),
    field("redis_aof_current_size_bytes", "Size of the append-only file", "aof_current_size"),
    field(
        "redis_aof_base_size_bytes",
        "Size of the append-only file after its last rewrite",
        "aof_base_size",
    ),
    field("redis_aof_pending_rewrite", "Whether a rewrite waits for the save to end", "aof_pending_rewrite"),
    field("redis_aof_buffer_length", "Bytes that wait to be written", "aof_buffer_length").unit(Unit::Bytes),
    field("redis_aof_pending_bio_fsync", "Syncs that wait in the background", "aof_pending_bio_fsync"),
    field("redis_aof_delayed_fsync", "Syncs that were delayed", "aof_delayed_fsync"),
    field("redis_module_fork_in_progress", "Whether a module's child runs", "module_fork_in_progress"),
    field(
        "redis_module_fork_last_cow_size",
        "Memory copied by the last child of a module",
        "module_fork_last_cow_size",
    )
    .unit(Unit::Bytes),
    MetricSpec::gauge(
        "redis_latest_fork_seconds",
        "Duration of the latest fork",
        Field("latest_fork_usec", 1e-6),
    ),
    count("redis_forks_total", "Forks since the start", "total_forks"),
];
