//! Reads one service: its record, its sites, and what may be done.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::around::ClientErrors;
use super::checked::{Canary, Mode, Promote, Topology};
use super::raw::{Placed, RawRecord, RawService, RawSite};
use super::read::{
    Item, Section, Value, Wrong, boolean, choice, duration, integer, named, socket, text, word,
};
use super::redis::{Login, login};
use super::{hooks, maintenance, policy, provider, route53, target};
use crate::types::{RecordName, RecordType, ServiceName, SiteName};

/// The largest time to live that a record of this program may have: a day (a switch takes at least so long to be seen).
const TTL_SECONDS_MAX: u64 = 86_400;
/// Resolvers that are asked after a switch.
const RESOLVERS_MAX: usize = 8;
/// Longest accepted query, in bytes: it travels in a URL.
const PROMQL_BYTES_MAX: usize = 4096;

/// Reads one service.
pub(super) fn read(item: &Item<'_>) -> Option<RawService> {
    let known = [
        "name",
        "topology",
        "mode",
        "dry_run",
        "record",
        "redis",
        "sites",
        "promote",
        "canary",
        "client_errors",
        "hooks",
        "maintenance",
        "policy",
    ];
    let section = item.section(&known)?;
    let topologies = [
        ("active-active", Topology::ActiveActive),
        ("replica-of", Topology::ReplicaOf),
        ("replication", Topology::Replication),
    ];
    let modes = [("observe", Mode::Observe), ("recommend", Mode::Recommend), ("automatic", Mode::Automatic)];
    let record = section.required_item("record", "record: {provider: …, name: …, type: CNAME, ttl: 5s}");
    let record = record.and_then(|item| read_record(&item));
    let kind = record.as_ref().and_then(|r| r.kind);
    let login = section.item("redis").and_then(|item| login(&item)).unwrap_or_default();
    Some(RawService {
        key: section.key.clone(),
        name: section.required("name", "name: sessions", named(|t| ServiceName::new(t))),
        topology: section.required("topology", "topology: replication", choice(&topologies)),
        mode: section.or("mode", Mode::Recommend, choice(&modes)),
        record,
        sites: sites(&section, kind, &login),
        promote: section.item("promote").and_then(|item| promote(&item)),
        canary: section.item("canary").and_then(|item| canary(&item)),
        client_errors: section.item("client_errors").and_then(|item| client_errors(&item)),
        hooks: hooks::hooks(&section),
        maintenance: maintenance::read(&section),
        dry_run: section.or("dry_run", false, boolean),
        policy: policy::read(&section),
    })
}

fn read_record(item: &Item<'_>) -> Option<RawRecord> {
    let common = ["provider", "name", "type", "ttl", "read_interval", "name_servers", "resolvers"];
    let known: Vec<&str> = common.into_iter().chain(provider::KEYS.map(|(key, _)| key)).collect();
    let section = item.section(&known)?;
    let day = Duration::from_secs(TTL_SECONDS_MAX);
    let ttl = section.required("ttl", "ttl: 5s", |value| {
        let ttl = duration(Duration::ZERO..=day)(value)?;
        match u32::try_from(ttl.as_secs()) {
            Ok(seconds) if ttl.subsec_nanos() == 0 => Ok(seconds),
            Ok(_) | Err(_) => Err(Wrong::new("is not a whole number of seconds", "write it as 5s")),
        }
    });
    let servers = section.item("name_servers").and_then(|item| item.items()).unwrap_or_default();
    let resolvers = section.item("resolvers").and_then(|item| item.items()).unwrap_or_default();
    if resolvers.len() > RESOLVERS_MAX {
        let reason = format!("has {} entries", resolvers.len());
        let hint = format!("write at most {RESOLVERS_MAX}");
        section.sheet.problem(&section.key_of("resolvers"), reason, hint);
    }
    Some(RawRecord {
        name: section.required("name", "name: sessions.example.com", named(|t| RecordName::new(t))),
        kind: section.required("type", "type: CNAME", choice(&route53::KINDS)),
        ttl_seconds: ttl,
        provider: provider::read(&section),
        read_interval: section.or(
            "read_interval",
            Duration::from_secs(30),
            duration(Duration::from_secs(1)..=Duration::from_secs(3600)),
        ),
        name_servers: servers.iter().filter_map(|item| item.read(socket)).collect(),
        resolvers: resolvers.iter().filter_map(|item| item.read(socket)).collect(),
        more_records: route53::more_records(&section),
    })
}

fn sites(section: &Section<'_>, kind: Option<RecordType>, login: &Login) -> Vec<RawSite> {
    let example = "sites: [{datacenter: dc-a, dns_target: …, targets: […]}, …]";
    let items = section.required_item("sites", example).and_then(|item| item.items());
    items.unwrap_or_default().iter().filter_map(|item| read_site(item, kind, login)).collect()
}

fn read_site(item: &Item<'_>, kind: Option<RecordType>, service_login: &Login) -> Option<RawSite> {
    let known = ["datacenter", "dns_target", "alias_zone_id", "targets", "redis", "database"];
    let section = item.section(&known)?;
    let is_alias = section.item("alias_zone_id").is_some();
    let own_login = section.item("redis").map(|item| login(&item).unwrap_or_default());
    let login = own_login.as_ref().unwrap_or(service_login);
    let items = section.required_item("targets", "targets: [\"redis://10.0.0.1:6379\"]");
    let items = items.and_then(|item| item.items());
    if items.as_ref().is_some_and(Vec::is_empty) {
        section.sheet.problem(&section.key_of("targets"), "is empty", "name at least one Redis address");
    }
    let target = |item: &Item<'_>| {
        let value = item.read(|value| target::read(value, login))?;
        Some(Placed { key: item.key.clone(), value })
    };
    Some(RawSite {
        key: section.key.clone(),
        datacenter: section.required("datacenter", "datacenter: dc-a", named(|t| SiteName::new(t))),
        dns_target: section.required("dns_target", "dns_target: redis-a.example.com", |value| {
            dns_target(value, kind, is_alias)
        }),
        alias_zone_id: route53::alias_zone_id(&section),
        targets: items.unwrap_or_default().iter().filter_map(target).collect(),
        database: section.optional("database", database),
    })
}

/// The id of a database at its cluster.
fn database(value: &Value) -> Result<u32, Wrong> {
    let id = integer(1..=u64::from(u32::MAX))(value)?;
    u32::try_from(id).map_err(|error| Wrong::new(error.to_string(), "write a smaller number"))
}

/// What the record is to hold, in the normal form of its type; of an unknown type, as written. An alias of the provider
/// leads to a name, whatever the type.
pub(super) fn dns_target(value: &Value, kind: Option<RecordType>, is_alias: bool) -> Result<String, Wrong> {
    let text = text(value)?;
    let wrong =
        |what: &str| Wrong::new(format!("is not {what}"), format!("write {what}, or change record.type"));
    match kind {
        Some(_) if is_alias && text.parse::<IpAddr>().is_err() => {
            named(|t| RecordName::new(t))(value).map(|name| name.to_string())
        }
        Some(_) if is_alias => Err(wrong("a DNS name, as an alias needs it")),
        None => Ok(text.to_owned()),
        Some(RecordType::A) => {
            text.parse::<Ipv4Addr>().map(|a| a.to_string()).map_err(|_| wrong("an IPv4 address"))
        }
        Some(RecordType::Aaaa) => {
            text.parse::<Ipv6Addr>().map(|a| a.to_string()).map_err(|_| wrong("an IPv6 address"))
        }
        Some(RecordType::Cname) if text.parse::<IpAddr>().is_ok() => Err(wrong("a DNS name")),
        Some(RecordType::Cname) => named(|t| RecordName::new(t))(value).map(|name| name.to_string()),
    }
}

/// Reads how a standby becomes primary.
pub(crate) fn promote(item: &Item<'_>) -> Option<Promote> {
    let known: Vec<&str> = ["kind", "without_fencing"].into_iter().chain(hooks::PROMOTION_KEYS).collect();
    let section = item.section(&known)?;
    let kinds = [
        ("replicaof", Kind::Replicaof),
        ("enterprise", Kind::Enterprise),
        ("exec", Kind::Exec),
        ("webhook", Kind::Webhook),
    ];
    let kind = section.required("kind", "kind: replicaof", choice(&kinds));
    let without_fencing = section.or("without_fencing", false, boolean);
    let kind = kind?;
    let (own, others): (&[&str], &str) = match kind {
        Kind::Replicaof | Kind::Enterprise => (&[], "exec and webhook"),
        Kind::Exec => (&["command", "timeout"], "webhook"),
        Kind::Webhook => (&hooks::PROMOTION_KEYS[1..], "exec"),
    };
    for key in hooks::PROMOTION_KEYS.iter().filter(|key| !own.contains(key)) {
        if let Some(item) = section.item(key) {
            let reason = format!("belongs to promote.kind {others} only");
            section.sheet.problem(&item.key, reason, "remove it, or change kind");
        }
    }
    match kind {
        Kind::Replicaof => Some(Promote::Replicaof { without_fencing }),
        Kind::Enterprise => Some(Promote::Enterprise { without_fencing }),
        Kind::Exec => hooks::exec_promotion(&section).map(|hook| Promote::Hook { hook, without_fencing }),
        Kind::Webhook => {
            hooks::webhook_promotion(&section).map(|hook| Promote::Hook { hook, without_fencing })
        }
    }
}

/// What `promote.kind` may be.
#[derive(Clone, Copy)]
enum Kind {
    Replicaof,
    Enterprise,
    Exec,
    Webhook,
}

fn canary(item: &Item<'_>) -> Option<Canary> {
    let section = item.section(&["enabled", "key_prefix"])?;
    let enabled = section.required("enabled", "enabled: true", boolean)?;
    let key_prefix = section.or("key_prefix", "redrover:canary:".to_owned(), word(128, "-_.:/{}"));
    enabled.then_some(Canary { key_prefix })
}

fn client_errors(item: &Item<'_>) -> Option<ClientErrors> {
    let section = item.section(&["promql"])?;
    let example = "promql: sum(rate(errors_total[1m])) / sum(rate(requests_total[1m]))";
    let promql = section.required("promql", example, |value| {
        let promql = text(value)?;
        let is_short = promql.len() <= PROMQL_BYTES_MAX;
        let hint = format!("write at most {PROMQL_BYTES_MAX} bytes; a recording rule may do the rest");
        if is_short { Ok(promql.to_owned()) } else { Err(Wrong::new("is too long", hint)) }
    })?;
    Some(ClientErrors { promql })
}
