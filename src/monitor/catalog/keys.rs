//! Keys and streams of a server, where the configuration or the caller of a scrape names them.

use super::source::KeyFact::{
    Complete, GroupKeys, GroupMemory, Groups, GroupsDuration, Matching, Memory, Size, Value,
};
use super::source::Source;
use super::source::Source::{Key, Stream, StreamConsumer, StreamGroup};
use super::spec::{MetricSpec, Unit};

const ONE: &[&str] = &["db", "key"];
const MANY: &[&str] = &["db", "key_group"];

const fn gauge(name: &'static str, help: &'static str, source: Source) -> MetricSpec {
    MetricSpec::gauge(name, help, source)
}

/// Keys.
pub(super) const KEYS: &[MetricSpec] = &[
    gauge(
        "redis_key_size",
        "Length of a key's text, or number of its elements; 0 where a named key is absent",
        Key(Size),
    )
    .labels(ONE),
    gauge("redis_key_value", "Value of a key that is a number", Key(Value)).labels(ONE),
    gauge("redis_key_memory_usage_bytes", "Memory of a key", Key(Memory)).labels(ONE),
    gauge("redis_keys_matching", "Number of keys that match a pattern", Key(Matching)).labels(ONE),
    gauge("redis_keys_count", "Number of keys that match a pattern", Key(Matching)).labels(ONE).compat(),
    gauge("redis_key_group_keys", "Number of keys of a group", Key(GroupKeys)).labels(MANY),
    gauge("redis_key_group_count", "Number of keys of a group", Key(GroupKeys)).labels(MANY).compat(),
    gauge("redis_key_group_memory_usage_bytes", "Memory of a group of keys", Key(GroupMemory)).labels(MANY),
    gauge("redis_number_of_distinct_key_groups", "Number of different groups of keys", Key(Groups))
        .labels(&["db"]),
    gauge(
        "redis_last_key_groups_scrape_duration_seconds",
        "How long this scrape counted groups of keys",
        Key(GroupsDuration(1.0)),
    ),
    gauge(
        "redis_last_key_groups_scrape_duration_milliseconds",
        "How long this scrape counted groups of keys, milliseconds",
        Key(GroupsDuration(1e3)),
    )
    .unit(Unit::Milliseconds)
    .compat(),
    gauge(
        "redrover_scrape_keys_complete",
        "Whether all keys and streams were looked at that were to be, within time and limits",
        Key(Complete),
    ),
];

const STREAM: &[&str] = &["db", "stream"];
const GROUP: &[&str] = &["db", "stream", "group"];
const CONSUMER: &[&str] = &["db", "stream", "group", "consumer"];

const fn stream(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    gauge(name, help, Stream(field)).labels(STREAM)
}

const fn group(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    gauge(name, help, StreamGroup(field)).labels(GROUP)
}

/// Streams. The number of an entry's id is its time.
pub(super) const STREAMS: &[MetricSpec] = &[
    stream("redis_stream_length", "Entries of a stream", "length"),
    stream("redis_stream_groups", "Groups of readers of a stream", "groups"),
    stream("redis_stream_radix_tree_keys", "Keys of the stream's tree", "radix-tree-keys"),
    stream("redis_stream_radix_tree_nodes", "Nodes of the stream's tree", "radix-tree-nodes"),
    stream("redis_stream_first_entry_id", "Time of the first entry, Unix milliseconds", "first-entry")
        .unit(Unit::Milliseconds),
    stream("redis_stream_last_entry_id", "Time of the last entry, Unix milliseconds", "last-entry")
        .unit(Unit::Milliseconds),
    stream(
        "redis_stream_last_generated_id",
        "Time of the entry that was added last, Unix milliseconds",
        "last-generated-id",
    )
    .unit(Unit::Milliseconds),
    stream(
        "redis_stream_max_deleted_entry_id",
        "Time of the last entry that was deleted, Unix milliseconds, 0 for none",
        "max-deleted-entry-id",
    )
    .unit(Unit::Milliseconds),
    group("redis_stream_group_consumers", "Readers of a group", "consumers"),
    group(
        "redis_stream_group_messages_pending",
        "Entries that were delivered and not acknowledged",
        "pending",
    ),
    group(
        "redis_stream_group_last_delivered_id",
        "Time of the entry that was delivered last, Unix milliseconds",
        "last-delivered-id",
    )
    .unit(Unit::Milliseconds),
    group("redis_stream_group_entries_read", "Entries that a group has read", "entries-read"),
    group("redis_stream_group_lag", "Entries that a group has not been given yet", "lag"),
    gauge(
        "redis_stream_group_consumer_messages_pending",
        "Entries that a reader was given and did not acknowledge",
        StreamConsumer("pending", 1.0),
    )
    .labels(CONSUMER),
    gauge(
        "redis_stream_group_consumer_idle_seconds",
        "Time since a reader last asked for entries",
        StreamConsumer("idle", 1e-3),
    )
    .labels(CONSUMER),
];
