//! The checked configuration of the messages to people: the channels, and who hears what.

use std::path::PathBuf;
use std::time::Duration;

use super::Secret;
use super::around::HttpLogin;
use super::template::Template;
use crate::types::ServiceName;

/// How urgent a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For the record.
    Info,
    /// A person should look tomorrow.
    Warning,
    /// A person should look today: something is lost that a failover would need.
    Error,
    /// A person should look now: clients are, or may soon be, without service.
    Critical,
}

impl Level {
    /// All levels, the calmest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The level as a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// The shortest time between two messages of one level about one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Between two infos.
    pub info: Duration,
    /// Between two warnings.
    pub warning: Duration,
    /// Between two errors.
    pub error: Duration,
    /// Between two critical messages.
    pub critical: Duration,
}

impl Default for RateLimits {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self { info: minutes(10), warning: minutes(5), error: minutes(3), critical: minutes(1) }
    }
}

impl RateLimits {
    /// The limit of a level; zero is none.
    #[must_use]
    pub fn of(&self, level: Level) -> Duration {
        match level {
            Level::Info => self.info,
            Level::Warning => self.warning,
            Level::Error => self.error,
            Level::Critical => self.critical,
        }
    }
}

/// One way to reach people.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its name, unique: a metric label, and the address in the outbox.
    pub name: String,
    /// How to reach them.
    pub way: Way,
    /// What is less urgent is not sent.
    pub min_level: Level,
    /// The services that it hears of; empty means all.
    pub services: Vec<ServiceName>,
    /// How often it may be used.
    pub rate_limits: RateLimits,
}

impl Channel {
    /// Whether it hears of a service at a level.
    #[must_use]
    pub fn takes(&self, service: &ServiceName, level: Level) -> bool {
        level >= self.min_level && (self.services.is_empty() || self.services.contains(service))
    }
}

/// How people are reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// Slack's incoming webhook, whose URL is the secret.
    Slack {
        /// The URL.
        url: Secret,
    },
    /// Mail by SMTP.
    Email(Email),
    /// PagerDuty's Events API, version 2.
    PagerDuty {
        /// Where it is.
        url: url::Url,
        /// The integration's key.
        routing_key: Secret,
        /// Certificate authorities to trust instead of the system's, a PEM file.
        ca_file: Option<PathBuf>,
    },
    /// Any server that takes a POST.
    Webhook(MessageWebhook),
    /// Alertmanager's API, version 2.
    Alertmanager {
        /// Its base URL.
        url: url::Url,
        /// How this agent proves itself, where it must.
        login: Option<HttpLogin>,
        /// Certificate authorities to trust instead of the system's, a PEM file.
        ca_file: Option<PathBuf>,
    },
}

impl Way {
    /// The way as the configuration writes it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "slack",
            Self::Email(_) => "email",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }

    /// Whether the other side keeps each incident as an object of its own, which must be ended.
    #[must_use]
    pub fn keeps_incidents(&self) -> bool {
        match self {
            Self::PagerDuty { .. } | Self::Alertmanager { .. } => true,
            Self::Slack { .. } | Self::Email(_) | Self::Webhook(_) => false,
        }
    }
}

/// A generic webhook for messages.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageWebhook {
    /// Where to post.
    pub url: url::Url,
    /// The key of the signature; absent means unsigned.
    pub hmac_key: Option<Secret>,
    /// How this agent proves itself, where it must.
    pub login: Option<HttpLogin>,
    /// The body; absent means the whole message as JSON.
    pub body: Option<Template>,
    /// The body's type.
    pub content_type: String,
    /// Certificate authorities to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
}

/// Mail by SMTP.
#[derive(Debug, Clone, PartialEq)]
pub struct Email {
    /// The server's host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Certificate authorities to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses, at least one.
    pub to: Vec<String>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// `STARTTLS`, and nothing without it.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// Not at all.
    None,
}
