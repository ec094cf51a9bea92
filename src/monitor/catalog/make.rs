//! How the rows of the tables are written down.

use super::source::Source::{
    ConnectedReplica, Database, Facts, Field, Is, Known, LinkField, LinkIs, Row, State,
};
use super::spec::MetricSpec;

const LINK: &[&str] = &["master_host", "master_port"];
const REPLICA: &[&str] = &["slave_ip", "slave_port", "slave_state"];

/// A gauge from a field of INFO.
pub(super) const fn field(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    scaled(name, help, field, 1.0)
}

/// A gauge from a field of INFO, times a factor.
pub(super) const fn scaled(
    name: &'static str,
    help: &'static str,
    field: &'static str,
    scale: f64,
) -> MetricSpec {
    MetricSpec::gauge(name, help, Field(field, scale))
}

/// A gauge from a field of INFO that is negative while there is nothing to tell.
pub(super) const fn known(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    MetricSpec::gauge(name, help, Known(field, 1.0))
}

/// A counter from a field of INFO.
pub(super) const fn count(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    MetricSpec::counter(name, help, Field(field, 1.0))
}

/// A counter from a field of INFO, times a factor.
pub(super) const fn count_scaled(
    name: &'static str,
    help: &'static str,
    field: &'static str,
    scale: f64,
) -> MetricSpec {
    MetricSpec::counter(name, help, Field(field, scale))
}

/// 1 while a field of INFO says `ok`.
pub(super) const fn ok(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    MetricSpec::gauge(name, help, Is(field, "ok"))
}

/// A state set of a field of INFO.
pub(super) const fn state(
    name: &'static str,
    help: &'static str,
    field: &'static str,
    states: &'static [&'static str],
) -> MetricSpec {
    MetricSpec::gauge(name, help, State(field, states)).labels(&["state"])
}

/// 1, with facts as labels.
pub(super) const fn facts(
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    fields: &'static [&'static str],
) -> MetricSpec {
    MetricSpec::gauge(name, help, Facts(fields)).labels(labels)
}

/// A gauge about the link to the primary.
pub(super) const fn link(name: &'static str, help: &'static str, field: &'static str) -> MetricSpec {
    link_scaled(name, help, field, 1.0)
}

/// A gauge about the link to the primary, times a factor.
pub(super) const fn link_scaled(
    name: &'static str,
    help: &'static str,
    field: &'static str,
    scale: f64,
) -> MetricSpec {
    MetricSpec::gauge(name, help, LinkField(field, scale)).labels(LINK)
}

/// 1 while a field about the link to the primary holds a text.
pub(super) const fn link_is(
    name: &'static str,
    help: &'static str,
    field: &'static str,
    text: &'static str,
) -> MetricSpec {
    MetricSpec::gauge(name, help, LinkIs(field, text)).labels(LINK)
}

/// A gauge of each connected replica.
pub(super) const fn replica(name: &'static str, help: &'static str, part: &'static str) -> MetricSpec {
    MetricSpec::gauge(name, help, ConnectedReplica(part)).labels(REPLICA)
}

/// A gauge of each database.
pub(super) const fn database(
    name: &'static str,
    help: &'static str,
    part: &'static str,
    scale: f64,
) -> MetricSpec {
    MetricSpec::gauge(name, help, Database { part, scale }).labels(&["db"])
}

/// A counter of each command.
pub(super) const fn command(
    name: &'static str,
    help: &'static str,
    part: &'static str,
    scale: f64,
) -> MetricSpec {
    let source = Row { section: "Commandstats", prefix: "cmdstat_", part, scale };
    MetricSpec::counter(name, help, source).labels(&["cmd"])
}
