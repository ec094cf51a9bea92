//! Writes down which configuration the agent works with, and what is different from the one before.

use crate::config::{Config, Outline};
use crate::control::LedgerHandle;
use crate::store::{Body, Configured, Journal as _, NewEntry, Occasion, SqliteJournal};
use crate::types::{Clock, ServiceName};

/// Longest refusal that is written down, in bytes; the log has all of it.
const REFUSAL_BYTES_MAX: usize = 2_000;

/// Who asked for a configuration to be read.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) occasion: Occasion,
    pub(super) by: Option<String>,
}

/// The configuration as it was written down last.
pub(super) struct Audit {
    journal: SqliteJournal,
    ledger: LedgerHandle,
    outline: Outline,
}

impl Audit {
    /// Writes down the configuration that the agent starts with.
    pub(super) async fn begin(
        journal: &SqliteJournal,
        ledger: LedgerHandle,
        outline: Outline,
        clock: &dyn Clock,
    ) -> Self {
        let former = journal.outline().await.ok().flatten();
        // Without one this is the first start, and everything would be new.
        let former =
            former.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| outline.clone());
        let mut audit = Self { journal: journal.clone(), ledger, outline: former };
        let asked = Asked { occasion: Occasion::Start, by: None };
        audit.took_effect(asked, outline, None, clock).await;
        audit
    }

    /// Writes down a configuration that took effect. `configs` are the one before and this one.
    pub(super) async fn took_effect(
        &mut self,
        asked: Asked,
        outline: Outline,
        configs: Option<(&Config, &Config)>,
        clock: &dyn Clock,
    ) {
        let changes = self.outline.changes_to(&outline);
        let is_secret_changed = changes.is_empty() && configs.is_some_and(|(old, new)| old != new);
        let configured =
            Configured { is_secret_changed, ..Configured::new(asked.occasion, asked.by, changes) };
        let body = Body::Configured { configured: Box::new(configured) };
        let at_unix_ms = clock.now().unix_ms();
        let entry =
            NewEntry { at_unix_ms, service: ServiceName::agent(), incident: None, body: body.clone() };
        let text = serde_json::to_string(&outline).unwrap_or_default();
        let written = match self.journal.append(vec![entry]).await {
            Ok(_) => self.journal.keep_outline(text).await,
            Err(error) => {
                self.ledger.note(body);
                Err(error)
            }
        };
        if let Err(error) = written {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the configuration could not be written down yet");
        }
        self.outline = outline;
    }

    /// Writes down that a configuration did not take effect.
    pub(super) fn was_refused(&self, asked: Asked, why: &str) {
        let why = &why[..why.floor_char_boundary(REFUSAL_BYTES_MAX)];
        let configured = Configured {
            refused: Some(why.to_owned()),
            ..Configured::new(asked.occasion, asked.by, Vec::new())
        };
        self.ledger.note(Body::Configured { configured: Box::new(configured) });
    }
}
