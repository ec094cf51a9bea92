//! Everything that a Redis Enterprise cluster says of itself: cluster, licence, nodes, databases, shards, links, alerts,
//! statistics, and on request its own metrics.
//!
//! It is collected by a task of its own, at its own pace, and published as a picture: a slow cluster delays no decision
//! and no scrape. Decisions use nothing of it; what they need they look at themselves (`around/enterprise`), with the
//! same client, so that one refused login silences both.
//!
//! Absent on purpose: `/v1/crdbs` and unfiltered databases, which hold passwords; `/v1/cluster/check`, which is work for
//! every node; and zeros in the place of what was not said.

mod databases;
mod keeper;
mod look;
mod nodes;
mod raw;
mod sheet;
mod text;
mod v2;
mod whole;

#[cfg(test)]
mod tests;

pub use keeper::{ClusterPicture, Inventory, Pictures};
