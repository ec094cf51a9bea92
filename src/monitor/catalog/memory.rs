//! Of the server's memory.

use super::make::field;
use super::spec::{MetricSpec, Unit};

/// Memory.
pub(super) const MEMORY: &[MetricSpec] = &[
    field("redis_memory_used_bytes", "Memory that the allocator gave out", "used_memory"),
    field("redis_memory_used_rss_bytes", "Resident memory of the process", "used_memory_rss"),
    field("redis_memory_used_peak_bytes", "Largest memory used since the start", "used_memory_peak"),
    field("redis_memory_used_overhead_bytes", "Memory for management", "used_memory_overhead"),
    field("redis_memory_used_startup_bytes", "Memory used at the start", "used_memory_startup"),
    field("redis_memory_used_dataset_bytes", "Memory of the dataset", "used_memory_dataset"),
    field("redis_memory_used_lua_bytes", "Memory of the script engine", "used_memory_lua"),
    field("redis_memory_used_vm_eval_bytes", "Memory of the engine of EVAL", "used_memory_vm_eval"),
    field("redis_memory_used_scripts_eval_bytes", "Memory of EVAL scripts", "used_memory_scripts_eval"),
    field(
        "redis_memory_used_vm_functions_bytes",
        "Memory of the engine of functions",
        "used_memory_vm_functions",
    ),
    field("redis_memory_used_vm_bytes", "Memory of all script engines", "used_memory_vm_total"),
    field("redis_memory_used_vm_total", "Memory of all script engines", "used_memory_vm_total")
        .unit(Unit::Bytes)
        .compat(),
    field("redis_memory_used_functions_bytes", "Memory of functions", "used_memory_functions"),
    field("redis_memory_used_scripts_bytes", "Memory of scripts", "used_memory_scripts"),
    field("redis_number_of_cached_scripts", "Cached EVAL scripts", "number_of_cached_scripts"),
    field("redis_number_of_functions", "Functions", "number_of_functions"),
    field("redis_number_of_libraries", "Libraries of functions", "number_of_libraries"),
    field("redis_memory_max_bytes", "Limit of memory, 0 for none", "maxmemory"),
    field("redis_total_system_memory_bytes", "Memory of the machine", "total_system_memory"),
    field("redis_allocator_active_bytes", "Active memory of the allocator", "allocator_active"),
    field("redis_allocator_allocated_bytes", "Allocated memory of the allocator", "allocator_allocated"),
    field("redis_allocator_resident_bytes", "Resident memory of the allocator", "allocator_resident"),
    field("redis_allocator_muzzy_bytes", "Memory that the allocator may still take back", "allocator_muzzy"),
    field("redis_allocator_frag_ratio", "Active to allocated memory", "allocator_frag_ratio"),
    field("redis_allocator_frag_bytes", "Active beyond allocated memory", "allocator_frag_bytes"),
    field("redis_allocator_rss_ratio", "Resident to active memory", "allocator_rss_ratio"),
    field("redis_allocator_rss_bytes", "Resident beyond active memory", "allocator_rss_bytes"),
    field("redis_mem_fragmentation_ratio", "Resident memory to used memory", "mem_fragmentation_ratio"),
    field("redis_mem_fragmentation_bytes", "Resident memory beyond used memory", "mem_fragmentation_bytes"),
    field("redis_mem_clients_normal", "Memory of normal clients", "mem_clients_normal").unit(Unit::Bytes),
    field("redis_mem_clients_slaves", "Memory of replica clients", "mem_clients_slaves").unit(Unit::Bytes),
    field("redis_mem_cluster_links_bytes", "Memory of the cluster bus", "mem_cluster_links"),
    field("redis_mem_aof_buffer_bytes", "Memory of the append-only file's buffer", "mem_aof_buffer"),
    field("redis_mem_replication_backlog_bytes", "Memory of the backlog", "mem_replication_backlog"),
    field(
        "redis_mem_total_replication_buffers_bytes",
        "Memory of all buffers for replication",
        "mem_total_replication_buffers",
    ),
    field(
        "redis_mem_not_counted_for_eviction_bytes",
        "Memory that eviction does not count",
        "mem_not_counted_for_evict",
    ),
    field(
        "redis_mem_overhead_db_hashtable_rehashing_bytes",
        "Memory of tables that are being rehashed",
        "mem_overhead_db_hashtable_rehashing",
    ),
    field("redis_lazyfree_pending_objects", "Objects that wait for freeing", "lazyfree_pending_objects"),
    field("redis_lazyfreed_objects", "Objects freed in the background", "lazyfreed_objects"),
    field("redis_active_defrag_running", "Whether defragmentation runs", "active_defrag_running"),
    field("redis_defrag_hits", "Reallocations of defragmentation", "active_defrag_hits"),
    field("redis_defrag_misses", "Reallocations that defragmentation gave up", "active_defrag_misses"),
    field("redis_defrag_key_hits", "Keys that were defragmented", "active_defrag_key_hits"),
    field("redis_defrag_key_misses", "Keys that defragmentation skipped", "active_defrag_key_misses"),
];
