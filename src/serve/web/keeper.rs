//! Keeps the rules in force as their file says, and the old ones where it is wrong.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::refusal::WebError;
use super::rules::WebRules;
use crate::config::{Problem, load_web};
use crate::serve::Metrics;

/// The file, and those that it names, are read so often.
const READ_INTERVAL: Duration = Duration::from_secs(2);

/// The web rules, replaced as a whole while the program runs.
#[derive(Clone)]
pub struct WebKeeper {
    file: Option<PathBuf>,
    rules: Arc<ArcSwap<WebRules>>,
    metrics: Metrics,
    /// What was last said to be wrong; it is said once.
    told: Arc<Mutex<Option<String>>>,
}

impl WebKeeper {
    /// Lets everybody in, in clear text.
    #[must_use]
    pub fn open_to_all(metrics: Metrics) -> Self {
        Self { file: None, rules: Arc::default(), metrics, told: Arc::default() }
    }

    /// Reads the file; without one everybody is let in.
    ///
    /// # Errors
    /// The file, or one that it names, is wrong.
    pub fn open(file: Option<PathBuf>, metrics: Metrics) -> Result<Self, WebError> {
        let mut keeper = Self::open_to_all(metrics);
        keeper.file = file;
        let rules = keeper.read()?;
        keeper.put(rules);
        Ok(keeper)
    }

    /// The rules in force.
    pub(in crate::serve) fn rules(&self) -> Arc<WebRules> {
        self.rules.load_full()
    }

    /// What is doubtful in the file.
    #[must_use]
    pub fn warnings(&self) -> Vec<Problem> {
        self.rules().warnings.clone()
    }

    /// How many users there are.
    #[must_use]
    pub fn users_count(&self) -> usize {
        self.rules().users_count()
    }

    /// Whether connections are encrypted at this moment.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.rules().acceptor.is_some()
    }

    /// Reads the file again; the rules that it asks for, if they are others than those in force.
    ///
    /// # Errors
    /// The file, or one that it names, is wrong, or asks for less protection than there is.
    pub async fn prepare(&self) -> Result<Option<Arc<WebRules>>, WebError> {
        let keeper = self.clone();
        let read = tokio::task::spawn_blocking(move || keeper.read());
        let read = read.await.map_err(|source| WebError::Reader { source }).flatten();
        self.tell(read.as_ref().err());
        read
    }

    /// Puts prepared rules in force.
    pub fn put(&self, rules: Option<Arc<WebRules>>) {
        if let Some(rules) = rules {
            for warning in &rules.warnings {
                tracing::warn!(%warning, "web rules");
            }
            let (has_tls, users) = (rules.acceptor.is_some(), rules.users_count());
            tracing::info!(has_tls, users, "the web rules are as their file says");
            self.rules.store(rules);
        }
    }

    /// Keeps the rules as the file says, and those that it names.
    pub async fn watch(self, cancelled: CancellationToken) {
        let mut ticks = tokio::time::interval(READ_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancelled.cancelled() => return,
                _ = ticks.tick(), if self.file.is_some() => {
                    // What is wrong was told; the old rules stay.
                    if let Ok(rules) = self.prepare().await {
                        self.put(rules);
                    }
                }
            }
        }
    }

    fn read(&self) -> Result<Option<Arc<WebRules>>, WebError> {
        let Some(file) = &self.file else { return Ok(None) };
        let loaded = load_web(file)?;
        let old = self.rules();
        if old.are_of(&loaded.web) {
            return Ok(None);
        }
        if let Some(what) = old.lost_in(&loaded.web) {
            return Err(WebError::Weaker(what));
        }
        WebRules::new(loaded).map(|rules| Some(Arc::new(rules)))
    }

    /// Says what is wrong, once.
    fn tell(&self, error: Option<&WebError>) {
        self.metrics.web_reloaded(error.is_none());
        let text = error.map(sentence);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match &text {
            Some(text) if told.as_ref() != Some(text) => {
                tracing::error!(error = text, "the web rules are wrong; the old ones stay");
            }
            None if told.is_some() => tracing::info!("the file of the web rules is right again"),
            Some(_) | None => {}
        }
        *told = text;
    }
}

/// An error with its causes.
fn sentence(error: &WebError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}
