//! Reads the file from the top, and all that is not a service.

use std::path::Path;
use std::time::Duration;

use super::analysis;
use super::around::HttpLogin;
use super::channels;
use super::checked::{Alertmanager, Global, Webhook, WebhookAuth};
use super::embedded;
use super::history;
use super::places::{self, http_login, warn_clear_text};
use super::raw::{RawAgent, RawConfig};
use super::read::{Item, Section, Value, Wrong, duration, http_url, integer, named, path, readable, word};
use super::{exporter, service};
use crate::types::{AgentName, SiteName};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Default of the webhook's largest body: some thousand alerts.
const BODY_BYTES_MAX: u64 = 4 * MIB;

/// Reads the whole file.
pub(super) fn config(root: &Item<'_>) -> Option<RawConfig> {
    let known = [
        "global",
        "agent",
        "self_check",
        "leadership",
        "datacenters",
        "services",
        "exporter",
        "webhook",
        "alertmanager",
        "prometheus",
        "notify",
        "embedded_dns",
        "analysis",
        "history",
    ];
    let file = root.section(&known)?;
    leadership(&file);
    let exporter = exporter::exporter(&file);
    let needs_services = exporter.groups.is_empty();
    Some(RawConfig {
        global: global(&file),
        agent: agent(&file),
        self_checks: places::reaches(&file, "self_check", &["tcp", "dns"]),
        datacenters: if needs_services || file.item("datacenters").is_some() {
            places::datacenters(&file)
        } else {
            Vec::new()
        },
        services: if needs_services || file.item("services").is_some() {
            services(&file)
        } else {
            Vec::new()
        },
        exporter,
        webhook: webhook(&file),
        alertmanager: alertmanager(&file),
        prometheus: places::prometheus(&file),
        notify: channels::channels(&file),
        embedded_dns: embedded::read(&file),
        history: history::read(&file),
        analysis: analysis::read(&file),
    })
}

fn global(file: &Section<'_>) -> Global {
    let default = Global { probe_interval: Duration::from_secs(5), probe_timeout: Duration::from_secs(1) };
    let section = file.item("global").and_then(|item| item.section(&["probe_interval", "probe_timeout"]));
    let Some(section) = section else { return default };
    // Below 10 ms a deadline measures the scheduler; above an hour nothing is watched any more.
    let range = || duration(Duration::from_millis(10)..=Duration::from_secs(3600));
    Global {
        probe_interval: section.or("probe_interval", default.probe_interval, range()),
        probe_timeout: section.or("probe_timeout", default.probe_timeout, range()),
    }
}

fn agent(file: &Section<'_>) -> Option<RawAgent> {
    let item = file.required_item("agent", "agent: {name: a1, failure_domain: dc-a}")?;
    let section = item.section(&["name", "failure_domain", "data_dir", "vantages"])?;
    let data_dir = section.or("data_dir", Path::new("/var/lib/redrover").to_owned(), path);
    Some(RawAgent {
        name: section.required("name", "name: a1", named(|t| AgentName::new(t))),
        failure_domain: section.required(
            "failure_domain",
            "failure_domain: dc-a",
            named(|t| SiteName::new(t)),
        ),
        data_dir: section.sheet.resolve(&data_dir),
        vantages: places::vantages(&section),
    })
}

/// Who leads when there are several agents. There is nothing to choose from yet, so nothing is kept.
fn leadership(file: &Section<'_>) {
    let Some(section) = file.item("leadership").and_then(|item| item.section(&["none"])) else { return };
    let nothing = |value: &Value| match value {
        Value::Map(entries) if entries.is_empty() => Ok(()),
        Value::Map(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_) => Err(Wrong::new("has no settings", "write none: {}")),
    };
    section.required("none", "none: {}", nothing);
}

fn services(file: &Section<'_>) -> Vec<super::raw::RawService> {
    let example = "services: [{name: sessions, …}]";
    let Some(list) = file.required_item("services", example).and_then(|item| item.items()) else {
        return Vec::new();
    };
    if list.is_empty() {
        file.sheet.problem("services", "is empty", "describe at least one service");
    }
    list.iter().filter_map(service::read).collect()
}

fn webhook(file: &Section<'_>) -> Option<Webhook> {
    let default = Webhook {
        service_label: "redis_service".to_owned(),
        auth: WebhookAuth::Open,
        body_bytes_max: usize::try_from(BODY_BYTES_MAX).ok()?,
    };
    let Some(item) = file.item("webhook") else { return Some(default) };
    let known = ["service_label", "body_bytes_max", "bearer_token_file", "bearer_token_env", "basic"];
    let section = item.section(&known)?;
    let service_label = section.or("service_label", default.service_label, word(128, "_"));
    if service_label.starts_with(|c: char| c.is_ascii_digit()) {
        let hint = "begin with a letter or an underscore";
        section.sheet.problem(&section.key_of("service_label"), "is not the name of a label", hint);
    }
    let body_bytes_max = section.or("body_bytes_max", BODY_BYTES_MAX, integer(KIB..=64 * MIB));
    let auth = webhook_auth(&section)?;
    Some(Webhook { service_label, auth, body_bytes_max: usize::try_from(body_bytes_max).ok()? })
}

fn webhook_auth(section: &Section<'_>) -> Option<WebhookAuth> {
    Some(match http_login(section)? {
        None => WebhookAuth::Open,
        Some(HttpLogin::Bearer(token)) => WebhookAuth::Bearer(token),
        Some(HttpLogin::Basic { username, password }) => WebhookAuth::Basic { username, password },
    })
}

fn alertmanager(file: &Section<'_>) -> Option<Alertmanager> {
    let known = ["url", "bearer_token_file", "bearer_token_env", "basic", "ca_file"];
    let section = file.item("alertmanager")?.section(&known)?;
    let url = section.required("url", "url: http://127.0.0.1:9093", http_url);
    let (login, ca_file) = (http_login(&section), readable(&section, "ca_file"));
    let alertmanager = Alertmanager { url: url?, login: login?, ca_file };
    if alertmanager.login.is_some() && alertmanager.url.scheme() == "http" {
        warn_clear_text(&section);
    }
    Some(alertmanager)
}
