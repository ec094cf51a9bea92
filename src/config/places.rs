//! Reads what stands around the services: vantages, self-checks, datacenters, and Prometheus.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::around::{ClusterUser, Enterprise, HttpLogin, Prometheus, Reach, Vantage};
use super::raw::{Placed, RawDatacenter};
use super::read::{Item, Section, Value, Wrong, duration, http_url, named, readable, secret, text, word};
use super::target::host_port;
use crate::types::{AgentName, RecordName, SiteName};

/// Longest accepted user name, in bytes.
const USERNAME_BYTES_MAX: usize = 128;
/// What a user name may hold beside letters and digits.
const USERNAME_SIGNS: &str = "-_.@+";
/// How often a cluster tells everything of itself: as often as its vendor's own statistics are worth it.
const INVENTORY_INTERVAL: Duration = Duration::from_secs(30);
const INVENTORY_INTERVALS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// Reads the vantages in the agent's section.
pub(super) fn vantages(agent: &Section<'_>) -> Vec<Placed<Vantage>> {
    let items = agent.item("vantages").and_then(|item| item.items()).unwrap_or_default();
    items.iter().filter_map(vantage).collect()
}

fn vantage(item: &Item<'_>) -> Option<Placed<Vantage>> {
    let section = item.section(&["name", "failure_domain", "url", "token_file", "token_env"])?;
    let name = section.required("name", "name: b1", named(|t| AgentName::new(t)));
    let domain = section.required("failure_domain", "failure_domain: dc-b", named(|t| SiteName::new(t)));
    let url = section.required("url", "url: https://redrover.dc-b.example.com:9911", http_url);
    let token = secret(&section, "token");
    let value = Vantage { name: name?, failure_domain: domain?, url: url?, token };
    Some(Placed { key: section.key.clone(), value })
}

/// Reads a list of things to look at, of the kinds that are `known` there.
pub(super) fn reaches(section: &Section<'_>, name: &str, known: &[&str]) -> Vec<Placed<Reach>> {
    let items = section.item(name).and_then(|item| item.items()).unwrap_or_default();
    items.iter().filter_map(|item| reach(item, known)).collect()
}

fn reach(item: &Item<'_>, known: &[&str]) -> Option<Placed<Reach>> {
    let section = item.section(known)?;
    let mut given = known.iter().filter_map(|kind| section.item(kind));
    let (Some(one), None) = (given.next(), given.next()) else {
        let hint = format!("give each check one of {}", known.join(", "));
        section.sheet.problem(&section.key, "does not name one thing to look at", hint);
        return None;
    };
    let value = match one.key.rsplit('.').next() {
        Some("tcp") => one.read(tcp),
        Some("dns") => one.read(named(|t| RecordName::new(t))).map(Reach::Dns),
        Some(_) | None => one.read(http_url).map(Reach::Http),
    }?;
    Some(Placed { key: one.key, value })
}

fn tcp(value: &Value) -> Result<Reach, Wrong> {
    let place = host_port(text(value)?);
    let (host, port) = place.map_err(|wrong| Wrong::new(wrong.reason, "write it as host:port"))?;
    Ok(Reach::Tcp { host, port })
}

/// Reads the datacenters.
pub(super) fn datacenters(file: &Section<'_>) -> Vec<RawDatacenter> {
    let Some(item) = file.required_item("datacenters", "datacenters: [{name: dc-a}, {name: dc-b}]") else {
        return Vec::new();
    };
    item.items().unwrap_or_default().iter().filter_map(datacenter).collect()
}

fn datacenter(item: &Item<'_>) -> Option<RawDatacenter> {
    let section = item.section(&["name", "domain_checks", "enterprise"])?;
    Some(RawDatacenter {
        key: section.key.clone(),
        name: section.required("name", "name: dc-a", named(|t| SiteName::new(t)))?,
        domain_checks: reaches(&section, "domain_checks", &["tcp", "http", "dns"]),
        enterprise: section.item("enterprise").map(|item| enterprise(&item)),
    })
}

fn enterprise(item: &Item<'_>) -> Option<Enterprise> {
    let known = [
        "url",
        "username",
        "password_file",
        "password_env",
        "promotion",
        "ca_file",
        "metrics_url",
        "interval",
    ];
    let section = item.section(&known)?;
    let promotion = section.item("promotion").map(|item| cluster_user(&item));
    let url = section.required("url", "url: https://cluster-a.example.com:9443", http_url);
    let username = username(&section, "username: redrover@example.com");
    let (password, ca_file) = (password(&section), readable(&section, "ca_file"));
    let metrics_url = section.optional("metrics_url", http_url);
    let interval = section.or("interval", INVENTORY_INTERVAL, duration(INVENTORY_INTERVALS));
    let promotion = match promotion {
        None => None,
        Some(user) => Some(user?),
    };
    let (url, username, password) = (url?, username?, password?);
    let enterprise = Enterprise { url, username, password, promotion, ca_file, metrics_url, interval };
    let is_clear = |url: &url::Url| url.scheme() == "http";
    if is_clear(&enterprise.url) || enterprise.metrics_url.as_ref().is_some_and(is_clear) {
        warn_clear_text(&section);
    }
    Some(enterprise)
}

fn cluster_user(item: &Item<'_>) -> Option<ClusterUser> {
    let section = item.section(&["username", "password_file", "password_env"])?;
    let (username, password) =
        (username(&section, "username: redrover-promotes@example.com"), password(&section));
    Some(ClusterUser { username: username?, password: password? })
}

/// Reads where Prometheus is.
pub(super) fn prometheus(file: &Section<'_>) -> Option<Prometheus> {
    let known = ["url", "bearer_token_file", "bearer_token_env", "basic", "ca_file"];
    let section = file.item("prometheus")?.section(&known)?;
    let url = section.required("url", "url: http://127.0.0.1:9090", http_url);
    let (login, ca_file) = (http_login(&section), readable(&section, "ca_file"));
    let prometheus = Prometheus { url: url?, login: login?, ca_file };
    if prometheus.login.is_some() && prometheus.url.scheme() == "http" {
        warn_clear_text(&section);
    }
    Some(prometheus)
}

pub(super) fn warn_clear_text(section: &Section<'_>) {
    let hint = "write https://";
    section.sheet.warning(&section.key_of("url"), "has credentials sent to it in clear text", hint);
}

/// Reads `bearer_token_file`, `bearer_token_env` or `basic`. The outer `None` means wrong, and noted; the inner one,
/// that none is given.
pub(super) fn http_login(section: &Section<'_>) -> Option<Option<HttpLogin>> {
    let has_bearer = section.item("bearer_token_file").or(section.item("bearer_token_env")).is_some();
    let bearer = secret(section, "bearer_token");
    let Some(item) = section.item("basic") else {
        return if has_bearer { Some(Some(HttpLogin::Bearer(bearer?))) } else { Some(None) };
    };
    if has_bearer {
        section.sheet.problem(&item.key, "is given as well as a bearer token", "keep one of the two");
    }
    let basic = item.section(&["username", "password_file", "password_env"])?;
    let username = username(&basic, "username: alertmanager");
    let password = password(&basic);
    Some(Some(HttpLogin::Basic { username: username?, password: password? }))
}

pub(super) fn username(section: &Section<'_>, example: &str) -> Option<String> {
    section.required("username", example, word(USERNAME_BYTES_MAX, USERNAME_SIGNS))
}

fn password(section: &Section<'_>) -> Option<super::Secret> {
    let password = secret(section, "password");
    if section.item("password_file").or(section.item("password_env")).is_none() {
        let hint = "add password_file or password_env";
        section.sheet.problem(&section.key, "has no password", hint);
    }
    password
}
