//! All targets that may be scraped: those of the configuration, those that a configured one makes known where it may,
//! and no others, for a scrape sends them a password.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, timeout_at};

use super::prober::{Connections, Order, Prober};
use crate::config::{self, Config, Discover, Group, KeyCheck, Target};
use crate::monitor::catalog::Names;
use crate::monitor::exposition::Page;
use crate::monitor::format::Format;
use crate::monitor::tls::{TlsError, TlsProfiles};
use crate::types::{Clock, Moment, TargetName};

/// What seeds made known is taken for so long; they are not asked anew before.
pub(super) const RENEWAL: Duration = Duration::from_secs(10);
/// A server that is not made known any more may be scraped for so long.
const MEMORY: Duration = Duration::from_secs(600);
/// Most servers that are made known, of all groups together.
const FOUND_MAX: usize = 10_000;

/// How everybody is scraped.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExporterOptions {
    /// Which names the pages have.
    pub names: Names,
    /// Whether connections are kept.
    pub connections: Connections,
}

/// The labels of where a target belongs.
pub type Place = Vec<(&'static str, String)>;

/// One target, and where it belongs.
struct Listed {
    prober: Prober,
    place: Place,
}

/// The targets that were made known, and when.
type Found = BTreeMap<TargetName, (Arc<Listed>, Moment)>;

/// All targets.
pub struct Exporter {
    listed: BTreeMap<TargetName, Arc<Listed>>,
    found: Mutex<Found>,
    /// When was asked for them last; who holds it asks.
    asked: AsyncMutex<Option<Moment>>,
    settings: config::Exporter,
    profiles: Arc<TlsProfiles>,
    clock: Arc<dyn Clock>,
    options: ExporterOptions,
}

impl Exporter {
    /// An exporter without targets.
    #[must_use]
    pub fn empty(clock: Arc<dyn Clock>) -> Self {
        Self {
            listed: BTreeMap::new(),
            found: Mutex::default(),
            asked: AsyncMutex::default(),
            settings: config::Exporter::default(),
            profiles: Arc::new(TlsProfiles::new()),
            clock,
            options: ExporterOptions::default(),
        }
    }

    /// The targets of a configuration. It connects when they are scraped.
    ///
    /// # Errors
    /// A target's TLS files cannot be used.
    pub fn new(config: &Config, clock: &Arc<dyn Clock>, options: ExporterOptions) -> Result<Self, TlsError> {
        let empty = Self::empty(Arc::clone(clock));
        let mut exporter = Self { settings: config.exporter.clone(), options, ..empty };
        for service in &config.services {
            for site in &service.sites {
                let place =
                    [("redis_service", service.name.to_string()), ("datacenter", site.name.to_string())];
                site.targets.iter().try_for_each(|target| exporter.list(target, &place))?;
            }
        }
        // A target that stands in a group as well is scraped with the group's login.
        for group in &config.exporter.groups {
            group.targets.iter().try_for_each(|target| exporter.list(target, &place_of(group)))?;
        }
        Ok(exporter)
    }

    /// The page of a target, which is named as in the configuration, written before the deadline; `None` for one that
    /// nobody knows. The keys of `checks` are looked at beside those of the configuration.
    pub async fn scrape(
        &self,
        target: &str,
        checks: &[KeyCheck],
        deadline: Duration,
        format: Format,
    ) -> Option<Vec<u8>> {
        let began = self.clock.now();
        let name = config::target_name(target)?;
        let listed = match self.find(&name) {
            Some(listed) => listed,
            // After a start nobody has asked yet, while Prometheus goes on with what it knows.
            None => {
                self.renew(deadline / 2).await;
                self.find(&name)?
            }
        };
        let left = deadline.saturating_sub(self.clock.now().since(began));
        let mut page = Page::new(format);
        let order = Order { wants: &self.settings, checks, names: self.options.names };
        listed.prober.scrape(&order, left, &mut page).await;
        Some(page.finish())
    }

    /// All targets and where they belong, those included that seeds have made known within the last [`RENEWAL`].
    pub async fn discover(&self, deadline: Duration) -> Vec<(TargetName, Place)> {
        self.renew(deadline).await;
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let others = found.iter().filter(|(name, _)| !self.listed.contains_key(name));
        let others = others.map(|(name, (listed, _))| (name.clone(), listed.place.clone()));
        let own = self.listed.iter().map(|(name, listed)| (name.clone(), listed.place.clone()));
        own.chain(others).collect()
    }

    fn list(&mut self, target: &Target, place: &[(&'static str, String)]) -> Result<(), TlsError> {
        let listed = self.prober(target.clone(), place.to_vec())?;
        self.listed.insert(target.name.clone(), listed);
        Ok(())
    }

    fn prober(&self, target: Target, place: Place) -> Result<Arc<Listed>, TlsError> {
        let prober = Prober::new(target, &self.profiles, Arc::clone(&self.clock), self.options.connections)?;
        Ok(Arc::new(Listed { prober, place }))
    }

    fn find(&self, name: &TargetName) -> Option<Arc<Listed>> {
        if let Some(listed) = self.listed.get(name) {
            return Some(Arc::clone(listed));
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (listed, since) = found.get(name)?;
        (self.clock.now().since(*since) < MEMORY).then(|| Arc::clone(listed))
    }

    /// Asks for other servers, unless somebody has just done so. One caller asks at a time; those that come meanwhile take
    /// what it learns.
    async fn renew(&self, deadline: Duration) {
        let end = Instant::now() + deadline;
        let Ok(mut asked) = timeout_at(end, self.asked.lock()).await else { return };
        if asked.is_none_or(|asked| self.clock.now().since(asked) >= RENEWAL) {
            self.ask_for_others(end.saturating_duration_since(Instant::now())).await;
            *asked = Some(self.clock.now());
        }
    }

    /// Asks every target of the groups that may make others known; one that does not answer costs its own deadline.
    async fn ask_for_others(&self, deadline: Duration) {
        let groups = self.settings.groups.iter().filter(|group| group.discover != Discover::Nothing);
        let asks = groups.flat_map(|group| group.targets.iter().map(move |target| (group, target)));
        let asks = asks.filter_map(|(group, target)| Some((group, target, self.listed.get(&target.name)?)));
        let answers = join_all(asks.map(|(group, target, seed)| async move {
            (group, target, seed.prober.known_servers(group.discover, deadline).await)
        }));
        let answers = answers.await;
        let now = self.clock.now();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|_, (_, since)| now.since(*since) < MEMORY);
        for (group, seed, answer) in answers {
            match answer {
                Ok(places) => {
                    for (host, port) in places {
                        let target = group.target_at(seed, host, port);
                        if let Some(target) = target.filter(|target| !self.listed.contains_key(&target.name))
                        {
                            self.note(&mut found, group, target, now);
                        }
                    }
                }
                Err(error) => {
                    let detail = error.gap().detail;
                    tracing::debug!(target_name = %seed.name, detail, "no other servers were learned of");
                }
            }
        }
    }

    fn note(&self, found: &mut Found, group: &Group, target: Target, now: Moment) {
        if let Some((_, since)) = found.get_mut(&target.name) {
            *since = now;
        } else if found.len() < FOUND_MAX {
            let name = target.name.clone();
            match self.prober(target, place_of(group)) {
                Ok(listed) => {
                    found.insert(name, (listed, now));
                }
                Err(error) => {
                    tracing::warn!(target_name = %name, %error, "a server that was found cannot be scraped")
                }
            }
        }
    }
}

fn place_of(group: &Group) -> Place {
    vec![("redis_group", group.name.to_string())]
}
