//! Reads the channels for messages.

use std::time::Duration;

use super::notify::{Channel, Email, Level, MessageWebhook, RateLimits, SmtpTls, Way};
use super::places::{http_login, username, warn_clear_text};
use super::raw::Placed;
use super::read::{
    Item, Section, Value, Wrong, choice, duration, http_url, integer, named, readable, secret, text, word,
};
use super::template::{Place, Template};
use super::{HttpLogin, Secret};
use crate::types::ServiceName;

/// Longest name of a channel, bytes: it is a metric label.
const NAME_BYTES_MAX: usize = 63;
/// Longest limit: a message that waits longer is no news.
const RATE_LIMIT_MAX: Duration = Duration::from_secs(24 * 3600);
/// Longest address of a mailbox, bytes (RFC 5321, section 4.5.3.1.3).
const ADDRESS_BYTES_MAX: usize = 254;
/// Most receivers of one mail: a server must take a hundred (RFC 5321, section 4.5.3.1.8).
const RECEIVERS_MAX: usize = 100;
const KINDS: [&str; 5] = ["slack", "email", "pagerduty", "webhook", "alertmanager"];
const LEVELS: [(&str, Level); 4] = [
    ("info", Level::Info),
    ("warning", Level::Warning),
    ("error", Level::Error),
    ("critical", Level::Critical),
];

/// Reads the list of channels.
pub(super) fn channels(file: &Section<'_>) -> Vec<Placed<Channel>> {
    let items = file.item("notify").and_then(|item| item.items()).unwrap_or_default();
    items.iter().filter_map(channel).collect()
}

fn channel(item: &Item<'_>) -> Option<Placed<Channel>> {
    let known: Vec<&str> =
        ["name", "min_level", "services", "rate_limits"].into_iter().chain(KINDS).collect();
    let section = item.section(&known)?;
    let way = way(&section);
    let urgent = way.as_ref().is_some_and(|way| matches!(way, Way::PagerDuty { .. }));
    let min_level = if urgent { Level::Error } else { Level::Info };
    let min_level = section.or("min_level", min_level, choice(&LEVELS));
    let name = section.optional("name", word(NAME_BYTES_MAX, "-_."));
    let is_named = section.item("name").is_none();
    let name = name.or_else(|| way.as_ref().filter(|_| is_named).map(|way| way.as_str().to_owned()));
    let services = section.item("services").and_then(|item| item.items()).unwrap_or_default();
    let services = services.iter().filter_map(|item| item.read(named(|t| ServiceName::new(t)))).collect();
    let rate_limits = rate_limits(&section);
    let value = Channel { name: name?, way: way?, min_level, services, rate_limits };
    Some(Placed { key: section.key.clone(), value })
}

fn way(section: &Section<'_>) -> Option<Way> {
    let mut given = KINDS.iter().filter_map(|kind| Some((*kind, section.item(kind)?)));
    let (Some((kind, item)), None) = (given.next(), given.next()) else {
        let hint = format!("give each channel one of {}", KINDS.join(", "));
        section.sheet.problem(&section.key, "does not name one way to reach people", hint);
        return None;
    };
    match kind {
        "slack" => slack(&item),
        "email" => email(&item).map(Way::Email),
        "pagerduty" => pagerduty(&item),
        "webhook" => webhook(&item).map(Way::Webhook),
        _ => alertmanager(&item),
    }
}

fn rate_limits(section: &Section<'_>) -> RateLimits {
    let default = RateLimits::default();
    let known = LEVELS.map(|(name, _)| name);
    let Some(section) = section.item("rate_limits").and_then(|item| item.section(&known)) else {
        return default;
    };
    let range = || duration(Duration::ZERO..=RATE_LIMIT_MAX);
    RateLimits {
        info: section.or("info", default.info, range()),
        warning: section.or("warning", default.warning, range()),
        error: section.or("error", default.error, range()),
        critical: section.or("critical", default.critical, range()),
    }
}

/// A secret that must be there.
fn needed(section: &Section<'_>, stem: &str) -> Option<Secret> {
    let found = secret(section, stem);
    let (file, env) = (format!("{stem}_file"), format!("{stem}_env"));
    if section.item(&file).or(section.item(&env)).is_none() {
        let reason = format!("has no {stem}");
        section.sheet.problem(&section.key, reason, format!("add {file} or {env}"));
    }
    found
}

fn slack(item: &Item<'_>) -> Option<Way> {
    let section = item.section(&["url_file", "url_env"])?;
    let url = needed(&section, "url")?;
    // The problem repeats nothing of the URL, which is the secret.
    if let Err(wrong) = http_url(&Value::Text(url.expose().to_owned())) {
        let reason = format!("names a secret that {}", wrong.reason);
        section.sheet.problem(&section.key, reason, "copy the URL of Slack's incoming webhook into it");
        return None;
    }
    Some(Way::Slack { url })
}

fn pagerduty(item: &Item<'_>) -> Option<Way> {
    let section = item.section(&["url", "routing_key_file", "routing_key_env", "ca_file"])?;
    let (routing_key, ca_file) = (needed(&section, "routing_key"), readable(&section, "ca_file"));
    let url = match section.item("url") {
        Some(item) => item.read(http_url),
        None => url::Url::parse("https://events.pagerduty.com/v2/enqueue").ok(),
    };
    let (url, routing_key) = (url?, routing_key?);
    if url.scheme() == "http" {
        warn_clear_text(&section);
    }
    Some(Way::PagerDuty { url, routing_key, ca_file })
}

fn webhook(item: &Item<'_>) -> Option<MessageWebhook> {
    let section = item.section(&[
        "url",
        "hmac_key_file",
        "hmac_key_env",
        "bearer_token_file",
        "bearer_token_env",
        "basic",
        "body",
        "content_type",
        "ca_file",
    ])?;
    let url = section.required("url", "url: https://hooks.example.com/redrover", http_url);
    let has_key = section.item("hmac_key_file").or(section.item("hmac_key_env")).is_some();
    let hmac_key = if has_key { Some(secret(&section, "hmac_key")?) } else { None };
    let login = http_login(&section)?;
    let body = section.optional("body", template);
    let content_type = section.or("content_type", "application/json".to_owned(), word(100, "/+-.;= "));
    let ca_file = readable(&section, "ca_file");
    let url = url?;
    warn_of_login(&section, &url, login.as_ref());
    Some(MessageWebhook { url, hmac_key, login, body, content_type, ca_file })
}

fn template(value: &Value) -> Result<Template, Wrong> {
    let known = Place::ALL.map(|(name, _)| name).join(", ");
    let hint = format!("write {{{{place}}}} with one of {known}");
    Template::parse(text(value)?).map_err(|reason| Wrong::new(reason, hint))
}

fn alertmanager(item: &Item<'_>) -> Option<Way> {
    let section = item.section(&["url", "bearer_token_file", "bearer_token_env", "basic", "ca_file"])?;
    let url = section.required("url", "url: http://127.0.0.1:9093", http_url);
    let (login, ca_file) = (http_login(&section), readable(&section, "ca_file"));
    let (url, login) = (url?, login?);
    warn_of_login(&section, &url, login.as_ref());
    Some(Way::Alertmanager { url, login, ca_file })
}

fn warn_of_login(section: &Section<'_>, url: &url::Url, login: Option<&HttpLogin>) {
    if login.is_some() && url.scheme() == "http" {
        warn_clear_text(section);
    }
}

fn email(item: &Item<'_>) -> Option<Email> {
    let known = ["host", "port", "tls", "ca_file", "username", "password_file", "password_env", "from", "to"];
    let section = item.section(&known)?;
    let host = section.required("host", "host: mail.example.com", word(253, "-.:"));
    let ways = [("starttls", SmtpTls::StartTls), ("implicit", SmtpTls::Implicit), ("none", SmtpTls::None)];
    let tls = section.or("tls", SmtpTls::StartTls, choice(&ways));
    let usual = match tls {
        SmtpTls::StartTls => 587,
        SmtpTls::Implicit => 465,
        SmtpTls::None => 25,
    };
    let port = section.or("port", usual, integer(1..=65_535));
    let ca_file = readable(&section, "ca_file");
    let login = match section.item("username") {
        None => {
            let stray = section.item("password_file").or(section.item("password_env"));
            if let Some(stray) = stray {
                section.sheet.problem(&stray.key, "is given without username", "add username");
            }
            None
        }
        Some(_) => {
            let name = username(&section, "username: redrover@example.com");
            let password = needed(&section, "password");
            Some((name?, password?))
        }
    };
    if tls == SmtpTls::None {
        if login.is_some() {
            let hint = "write tls: starttls or tls: implicit";
            section.sheet.problem(&section.key_of("tls"), "is none, with a password to send", hint);
        } else {
            let hint = "write tls: starttls, unless the server is on this machine";
            section.sheet.warning(&section.key_of("tls"), "sends mail in clear text", hint);
        }
    }
    let from = section.required("from", "from: redrover@example.com", address);
    let receivers = section.required_item("to", "to: [oncall@example.com]").and_then(|item| item.items());
    let receivers = receivers.unwrap_or_default();
    let key = section.key_of("to");
    if section.sheet.is_sound(&key) && !(1..=RECEIVERS_MAX).contains(&receivers.len()) {
        let reason = format!("has {} receivers, not 1 to {RECEIVERS_MAX}", receivers.len());
        section.sheet.problem(&key, reason, "name at least one, and a mailing list for many");
    }
    let to = receivers.iter().filter_map(|item| item.read(address)).collect();
    Some(Email { host: host?, port: u16::try_from(port).ok()?, tls, ca_file, login, from: from?, to })
}

/// An address of a mailbox without a display name: what may stand between the angle brackets of SMTP.
fn address(value: &Value) -> Result<String, Wrong> {
    let given = text(value)?;
    let is_good = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"@".contains(c);
    let parts = given.split_once('@').filter(|(local, host)| !local.is_empty() && !host.is_empty());
    match parts {
        Some((local, host))
            if given.len() <= ADDRESS_BYTES_MAX && (local.chars().chain(host.chars())).all(is_good) =>
        {
            Ok(given.to_owned())
        }
        Some(_) | None => Err(Wrong::new("is not an address of a mailbox", "write it as oncall@example.com")),
    }
}
