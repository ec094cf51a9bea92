//! The channels of a configuration, ready to be used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use rustls::ClientConfig;

use super::{DeliveryError, OpenError, alertmanager, email, http, pagerduty, slack, smtp, webhook};
use crate::act::http::client;
use crate::act::notify::{Message, Phase};
use crate::config::{Channel, Config, SmtpTls, Tls, Way};
use crate::monitor::{SilenceClient, TlsError, TlsProfiles};
use crate::types::{AgentName, Silence};

/// Longest delivery of one message.
const DEADLINE: Duration = Duration::from_secs(15);
/// Longest question for silences: a message waits no longer for it.
const SILENCES_DEADLINE: Duration = Duration::from_secs(2);

/// All channels, in the order of the configuration.
#[derive(Debug, Clone)]
pub struct Channels {
    /// Their rules.
    pub rules: Arc<[Channel]>,
    ready: BTreeMap<String, Arc<OpenChannel>>,
}

/// One channel, ready to be used.
#[derive(Debug)]
pub struct OpenChannel {
    agent: AgentName,
    way: Way,
    client: Client,
    /// For a mail server that speaks TLS.
    tls: Option<Arc<ClientConfig>>,
    silences: Option<Arc<SilenceClient>>,
}

/// What became of a delivery that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The other side has taken the message.
    Done,
    /// A person has asked for quiet.
    Silenced(Silence),
}

impl Channels {
    /// Reads certificates and makes the clients.
    ///
    /// # Errors
    /// A channel cannot be used as configured.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let tls = TlsProfiles::new();
        let silences = config.alertmanager.as_ref().map(|a| SilenceClient::new(a, SILENCES_DEADLINE));
        let silences =
            silences.transpose().map_err(|source| OpenError { channel: "alertmanager".to_owned(), source });
        let silences = silences?.map(Arc::new);
        let mut ready = BTreeMap::new();
        for channel in &config.notify {
            let name = channel.name.clone();
            let open = open(&channel.way, &config.agent.name, &tls);
            let open = open.map_err(|source| OpenError { channel: name.clone(), source })?;
            let open = OpenChannel { silences: silences.clone(), ..open };
            ready.insert(name, Arc::new(open));
        }
        Ok(Self { rules: config.notify.clone().into(), ready })
    }

    /// The channel of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<OpenChannel>> {
        self.ready.get(name)
    }
}

fn open(way: &Way, agent: &AgentName, profiles: &TlsProfiles) -> Result<OpenChannel, TlsError> {
    let (is_clear, ca_file) = match way {
        Way::Slack { url } => (url.expose().starts_with("http:"), None),
        Way::PagerDuty { url, ca_file, .. } | Way::Alertmanager { url, ca_file, .. } => {
            (url.scheme() == "http", ca_file.as_deref())
        }
        Way::Webhook(webhook) => (webhook.url.scheme() == "http", webhook.ca_file.as_deref()),
        // Its client speaks to nobody.
        Way::Email(_) => (true, None),
    };
    let tls = match way {
        Way::Email(email) if email.tls != SmtpTls::None => {
            let profile = Tls { ca_file: email.ca_file.clone(), ..Tls::default() };
            Some(profiles.config(&profile)?)
        }
        Way::Email(_)
        | Way::Slack { .. }
        | Way::PagerDuty { .. }
        | Way::Webhook(_)
        | Way::Alertmanager { .. } => None,
    };
    let client = client(is_clear, ca_file, profiles)?;
    Ok(OpenChannel { agent: agent.clone(), way: way.clone(), client, tls, silences: None })
}

impl OpenChannel {
    /// Delivers the message of a letter, within the deadline, unless a person has asked for quiet.
    ///
    /// # Errors
    /// It was perhaps not delivered.
    pub async fn deliver(
        &self,
        id: u64,
        message: &Message,
        now_unix_ms: i64,
    ) -> Result<Delivery, DeliveryError> {
        if let Some(silence) = self.silence(message).await {
            return Ok(Delivery::Silenced(silence));
        }
        let late = |_| DeliveryError::Timeout { deadline: DEADLINE };
        let sent = tokio::time::timeout(DEADLINE, self.send(id, message, now_unix_ms));
        sent.await.map_err(late)?.map(|()| Delivery::Done)
    }

    /// The silence that mutes a message. A failover is always told, what keeps incidents must hear of their end, and
    /// Alertmanager mutes by itself. Where it does not answer, nothing is muted.
    async fn silence(&self, message: &Message) -> Option<Silence> {
        let must_hear = self.way.keeps_incidents() && message.phase == Phase::Over;
        let silences = self.silences.as_ref()?;
        if must_hear || self.forgets() || message.kind.is_failover() {
            return None;
        }
        let labels = [alertmanager::labels(message, message.level)];
        match silences.of(&labels, SILENCES_DEADLINE).await {
            Ok(found) => found.into_iter().flatten().next(),
            Err(gap) => {
                tracing::warn!(
                    reason = gap.reason.as_str(),
                    detail = gap.detail,
                    "Alertmanager could not be asked for silences; the message is sent"
                );
                None
            }
        }
    }

    /// The agent that speaks.
    #[must_use]
    pub fn agent(&self) -> &AgentName {
        &self.agent
    }

    /// Whether the other side forgets what nobody repeats.
    #[must_use]
    pub fn forgets(&self) -> bool {
        matches!(self.way, Way::Alertmanager { .. })
    }

    /// Says once more what lasts; only Alertmanager wants that.
    ///
    /// # Errors
    /// It was perhaps not taken.
    pub async fn repeat(&self, messages: &[Message], now_unix_ms: i64) -> Result<(), DeliveryError> {
        let Way::Alertmanager { url, login, .. } = &self.way else {
            return Ok(());
        };
        // What the alert was before is over since long.
        let messages: Vec<Message> =
            messages.iter().map(|m| Message { level_before: None, ..m.clone() }).collect();
        let request = alertmanager::request(url, messages.iter(), now_unix_ms);
        let late = |_| DeliveryError::Timeout { deadline: DEADLINE };
        let posted = http::post(&self.client, request, login.as_ref());
        tokio::time::timeout(DEADLINE, posted).await.map_err(late)?
    }

    async fn send(&self, id: u64, message: &Message, now_unix_ms: i64) -> Result<(), DeliveryError> {
        let (post, login) = match &self.way {
            Way::Email(rules) => {
                let mail = email::mail(rules, id, message);
                for receiver in smtp::send(rules, self.tls.as_ref(), &mail).await? {
                    tracing::warn!(receiver, "a mail server took a message, but not for this receiver");
                }
                return Ok(());
            }
            Way::Slack { url } => (slack::request(url, message), None),
            Way::PagerDuty { url, routing_key, .. } => {
                (pagerduty::request(url, routing_key, &self.agent, message), None)
            }
            Way::Webhook(rules) => {
                (webhook::request(rules, &self.agent, message, now_unix_ms), rules.login.as_ref())
            }
            Way::Alertmanager { url, login, .. } => {
                (alertmanager::request(url, std::iter::once(message), now_unix_ms), login.as_ref())
            }
        };
        http::post(&self.client, post, login).await
    }
}
