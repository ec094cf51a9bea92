//! The life of an incident: one id from the first suspicion to the settled end.

use std::collections::BTreeSet;
use std::time::Duration;

use super::evidence::Evidence;
use super::terms::{ANOMALY_SOURCE, CLIENT_SOURCE, alert_source, alerts_about};
use crate::types::{Moment, Ratio, SiteName};

/// From this strength on the client query and the anomaly score speak of trouble.
const SPEAKS_FROM: f64 = 0.5;

/// What came out of an incident that is over.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Closing {
    /// Its id.
    pub incident: String,
    /// A majority saw the active site down for the whole window.
    pub confirmed: bool,
    /// The sources that spoke of trouble, beside the vantages: `alert:<name>`, `client`, `anomaly`.
    pub sources: BTreeSet<String>,
}

/// What is remembered of the present incident.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct IncidentState {
    id: Option<String>,
    is_confirmed: bool,
    sources: BTreeSet<String>,
    quiet_since: Option<Moment>,
}

/// What one decision means for the incident.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signs {
    /// There is trouble, or something is still under way.
    pub(super) is_trouble: bool,
    /// The active site is down by majority for the whole window.
    pub(super) is_confirmed: bool,
    /// An incident is over when nothing is wrong for so long.
    pub(super) settle: Duration,
}

impl IncidentState {
    pub(super) fn resumed(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }

    pub(super) fn id(&self) -> Option<&String> {
        self.id.as_ref()
    }

    /// Opens, continues or closes the incident.
    pub(super) fn note(
        &mut self,
        signs: Signs,
        decision: &str,
        active: Option<&SiteName>,
        evidence: &Evidence,
        now: Moment,
    ) -> Option<Closing> {
        if signs.is_trouble {
            self.quiet_since = None;
            self.id.get_or_insert_with(|| decision.to_owned());
            self.is_confirmed |= signs.is_confirmed;
            self.sources.extend(speaking(active, evidence));
            return None;
        }
        let since = *self.quiet_since.get_or_insert(now);
        if self.id.is_none() || now.since(since) < signs.settle {
            return None;
        }
        let over = std::mem::take(self);
        over.id.map(|incident| Closing { incident, confirmed: over.is_confirmed, sources: over.sources })
    }
}

fn speaking(active: Option<&SiteName>, evidence: &Evidence) -> impl Iterator<Item = String> {
    let speaks = |strength: Option<Ratio>| strength.is_some_and(|s| s.get() >= SPEAKS_FROM);
    let errors = evidence.surroundings.client_errors.as_ref().and_then(|e| e.as_ref().ok()).copied();
    let client = speaks(errors).then(|| CLIENT_SOURCE.to_owned());
    let anomaly = speaks(evidence.anomaly(active)).then(|| ANOMALY_SOURCE.to_owned());
    let alerts = alerts_about(active, evidence).map(|a| alert_source(&a.name));
    alerts.chain(client).chain(anomaly)
}
