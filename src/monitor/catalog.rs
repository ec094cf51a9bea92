//! The table of every exported metric: the one place where a name, its help, type, unit and source stand.
//!
//! Names, types and labels of `redis_*` are those of redis_exporter. What the linter of Prometheus complains of is
//! there on request only; it stands beside a name in base units.

pub mod asked;
pub mod counted;
pub mod enterprise;
pub mod house;
mod keys;
mod make;
mod manual;
mod memory;
mod persistence;
mod replication;
mod server;
mod source;
mod spec;
mod stats;

pub use self::manual::manual;
pub use self::source::{BufferLimit, KeyFact, Source, Watchers};
pub use self::spec::{MetricKind, MetricSpec, Names, TARGET_LABELS, Unit};

/// A part of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// What its metrics are about.
    pub title: &'static str,
    /// Its metrics.
    pub specs: &'static [MetricSpec],
}

const fn section(title: &'static str, specs: &'static [MetricSpec]) -> Section {
    Section { title, specs }
}

/// All parts, in the order of a page.
pub const SECTIONS: &[Section] = &[
    section("Whether a Redis answers", &[house::UP]),
    section("Server", server::SERVER),
    section("Clients", server::CLIENTS),
    section("Memory", memory::MEMORY),
    section("Persistence and loading", persistence::PERSISTENCE),
    section("What the server has done", stats::STATS),
    section("Replication", replication::REPLICATION),
    section("Processor time", server::CPU),
    section("Commands and errors", stats::COMMANDS),
    section("Databases", stats::KEYSPACE),
    section("Latencies and the slow log (`/scrape` only)", asked::LATENCY),
    section("Parameters (`/scrape` only)", asked::CONFIG),
    section("Cluster (`/scrape` only)", asked::CLUSTER),
    section("Connections (`/scrape` only, where asked for)", asked::CLIENTS),
    section("Sentinel (INFO's also on `/metrics`)", asked::SENTINEL),
    section("Keys (`/scrape` only, where asked for)", keys::KEYS),
    section("Streams (`/scrape` only, where asked for)", keys::STREAMS),
    section("The scrape (`/scrape` only)", asked::SCRAPE),
    section("Whether a Redis Enterprise cluster answers", enterprise::LOOKS),
    section("Redis Enterprise clusters", enterprise::WHOLE),
    section("Redis Enterprise databases", enterprise::DATABASES),
    section("Services, sites and decisions", house::ALL),
    section("What redrover counts", counted::ALL),
    section("The process", counted::PROCESS),
];

const COUNT: usize = {
    let (mut count, mut i) = (0, 0);
    while i < SECTIONS.len() {
        count += SECTIONS[i].specs.len();
        i += 1;
    }
    count
};

static ALL: [MetricSpec; COUNT] = {
    let mut all = [house::UP; COUNT];
    let (mut to, mut i) = (0, 0);
    while i < SECTIONS.len() {
        let mut j = 0;
        while j < SECTIONS[i].specs.len() {
            all[to] = SECTIONS[i].specs[j];
            to += 1;
            j += 1;
        }
        i += 1;
    }
    all
};

/// Every metric, in the order of a page.
pub static CATALOG: &[MetricSpec] = &ALL;

/// The metric of that name.
#[must_use]
pub fn spec(name: &str) -> Option<&'static MetricSpec> {
    CATALOG.iter().find(|spec| spec.name == name)
}
