//! What the zone's name servers answer, said in the lines of the record: an answer holds no weights and no aliases.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use tokio::time::timeout;

use super::sets::{Member, Places};
use crate::act::dns::Answer;
use crate::act::dns::wire::Kind;
use crate::act::verify::{self, ANSWER_TIMEOUT, DISCOVERY_TIMEOUT, VerifyError};
use crate::config::Record;
use crate::types::{RecordName, RecordType, ResourceSet};

/// What each name server answers. Where all its answers are what follows from the record as it was last read or
/// written, it is said to answer that record; else its answers are told as they are.
pub(super) async fn answers(
    record: &Record,
    zone_id: &str,
    places: &Places,
    held: Option<&ResourceSet>,
) -> Vec<Answer> {
    let servers = verify::name_servers(record, DISCOVERY_TIMEOUT).await.unwrap_or_default();
    let members = held.map(|held| places.members(held)).unwrap_or_default();
    let asked = servers.into_iter().map(|server| {
        let asked = Asked { server, zone_id, places, members: &members };
        async move {
            let result = asked.answered(held).await.map_err(|error| error.to_string());
            Answer { server: server.to_string(), result }
        }
    });
    join_all(asked).await
}

/// One name server.
struct Asked<'a> {
    server: SocketAddr,
    zone_id: &'a str,
    places: &'a Places,
    members: &'a [Vec<Member>],
}

impl Asked<'_> {
    async fn answered(&self, held: Option<&ResourceSet>) -> Result<ResourceSet, VerifyError> {
        let mut lines = BTreeSet::new();
        let mut ttl_seconds = 0;
        let mut is_as_held = true;
        for (position, place) in self.places.records.iter().enumerate() {
            let Kind::Record(kind) = place.kind else { continue };
            let set = verify::answer(self.server, &place.name, kind, ANSWER_TIMEOUT).await?;
            is_as_held = is_as_held && self.follows(position, kind, &set.values).await;
            ttl_seconds = ttl_seconds.max(set.ttl_seconds);
            lines.extend(set.values.into_iter().map(|value| self.places.line(position, value).to_string()));
        }
        let held = held.filter(|_| is_as_held).map(|held| held.values.clone());
        Ok(ResourceSet { ttl_seconds, values: held.unwrap_or(lines) })
    }

    /// Whether an answer follows from what the zone holds: a set as a whole, or some of the addresses behind an alias.
    async fn follows(&self, position: usize, kind: RecordType, answered: &BTreeSet<String>) -> bool {
        let Some(members) = self.members.get(position) else { return false };
        for member in members {
            let is_it = match &member.alias {
                None => member.values == *answered,
                Some(zone_id) => {
                    let addresses = self.addresses(zone_id, &member.values, kind).await;
                    !answered.is_empty() && answered.is_subset(&addresses)
                }
            };
            if is_it {
                return true;
            }
        }
        false
    }

    /// The addresses of an alias's target: asked of the same server for a name of the same zone, else as everybody asks.
    async fn addresses(&self, zone_id: &str, names: &BTreeSet<String>, kind: RecordType) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for name in names.iter().filter_map(|name| RecordName::new(name.as_str()).ok()) {
            if zone_id == self.zone_id {
                let set = verify::answer(self.server, &name, kind, ANSWER_TIMEOUT).await;
                found.extend(set.map(|set| set.values).unwrap_or_default());
            } else {
                found.extend(resolved(&name, kind).await);
            }
        }
        found
    }
}

async fn resolved(name: &RecordName, kind: RecordType) -> Vec<String> {
    let looked = async {
        let resolver = TokioResolver::builder_tokio().ok()?.build().ok()?;
        resolver.lookup_ip(format!("{name}.")).await.ok()
    };
    let found = timeout(DISCOVERY_TIMEOUT, looked).await.ok().flatten();
    let is_of_kind = |address: &IpAddr| match kind {
        RecordType::A => address.is_ipv4(),
        RecordType::Aaaa => address.is_ipv6(),
        RecordType::Cname => false,
    };
    let found = found.iter().flat_map(|found| found.iter()).filter(is_of_kind);
    found.map(|address| address.to_string()).collect()
}
