//! What Alertmanager posts: a notification, and the alerts in it.

use super::{ServiceName, SiteName};

/// Whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
}

/// The identity of one alert: the same fingerprint with another start is another alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct AlertKey {
    /// Alertmanager's fingerprint of the label set, hexadecimal.
    pub fingerprint: String,
    /// `startsAt` as sent (RFC 3339).
    pub starts_at: String,
}

/// One element of a notification that names a configured service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Alert {
    /// The identity.
    pub key: AlertKey,
    /// Firing or resolved.
    pub state: AlertState,
    /// The service, found by the configured label.
    pub service: ServiceName,
    /// The datacenter it speaks of, by its `datacenter` label; `None` when it names none.
    pub site: Option<SiteName>,
    /// The `alertname` label.
    pub name: String,
}

/// One accepted webhook: its alerts about configured services.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// The alerts about configured services, in the order sent.
    pub alerts: Vec<Alert>,
    /// How many alerts named no configured service.
    pub unmatched: usize,
}
