//! The program, put together.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use prometheus_client::registry::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::audit::{Asked, Audit};
use super::cluster::ClusterHands;
use super::promote::RedisHands;
use super::reload::Services;
use crate::act::cluster::RefusedLogins;
use crate::act::dns::{Dns, DnsError, DnsMetrics, EmbeddedServer, EmbeddedZone, open};
use crate::act::notify::{Channels, Courier, NotifyMetrics};
use crate::act::{self, CurrentService, Hands, Pace, Promote};
use crate::config::{Config, Loaded, Outline, Promote as Rule, Provider, Record, Service, load};
use crate::control::{self, Capacity, Intake, Ledger, Setup, Tidy, View, Wakers, analysis_settings};
use crate::lead::{Election, Solo};
use crate::learn::{Learner, Learning, Lessons};
use crate::monitor::{self, Alone, Collectors, Exporter, ExporterOptions, Inventory, Monitor, Pictures};
use crate::serve::{ListenAddress, Metrics, ReloadRequest, Serve, Server, TelemetryPath, WebKeeper, router};
use crate::store::{Journal, Occasion, SqliteJournal};
use crate::types::{Clock, Moment, SystemClock};

/// Reloads that may wait.
const RELOADS_MAX: usize = 8;

/// What `redrover run` was told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration file.
    pub config_file: PathBuf,
    /// Where to serve HTTP.
    pub listen: Vec<ListenAddress>,
    /// The path of the series.
    pub telemetry: TelemetryPath,
    /// The file of the web rules.
    pub web_config_file: Option<PathBuf>,
    /// How metrics are exported.
    pub exporter: ExporterOptions,
}

/// The present moment, for commands that run once.
#[must_use]
pub fn now() -> Moment {
    SystemClock::new().now()
}

/// How models are made, by a configuration.
#[must_use]
pub fn learning(config: &Config) -> Learning {
    let analysis = &config.analysis;
    Learning {
        settings: analysis_settings(analysis),
        history: analysis.history,
        history_min: analysis.history_min,
        retrain: analysis.retrain,
    }
}

/// Opens a service's record at its provider, for commands that run once.
///
/// # Errors
/// The provider cannot be used as configured.
pub async fn open_dns(config: &Config, service: &Service) -> Result<Arc<dyn Dns>, DnsError> {
    let zone = embedded_zone(config)?;
    open(&service.record, zone.as_ref()).await
}

/// As [`open_dns`], for commands that only read: nothing is created.
///
/// # Errors
/// The provider cannot be used as configured.
pub async fn open_dns_read_only(config: &Config, service: &Service) -> Result<Arc<dyn Dns>, DnsError> {
    let (rules, folder) = (config.embedded_dns.as_ref(), &config.agent.data_dir);
    let zone = rules.map(|rules| EmbeddedZone::open_read_only(rules, folder, embedded_records(config)));
    open(&service.record, zone.transpose()?.as_ref()).await
}

fn embedded_zone(config: &Config) -> Result<Option<Arc<EmbeddedZone>>, DnsError> {
    let Some(rules) = &config.embedded_dns else { return Ok(None) };
    EmbeddedZone::open(rules, &config.agent.data_dir, embedded_records(config)).map(Some)
}

fn agents_zone(config: &Config, now: Moment) -> Result<Option<Arc<EmbeddedZone>>, DnsError> {
    let Some(rules) = &config.embedded_dns else { return Ok(None) };
    let records = embedded_records(config);
    EmbeddedZone::open_for_agent(rules, &config.agent.data_dir, records, now).map(Some)
}

pub(super) fn embedded_records(config: &Config) -> impl Iterator<Item = &Record> {
    config.services.iter().map(|s| &s.record).filter(|r| r.provider == Provider::Embedded)
}

/// The targets that may be scraped.
fn exporter(config: &Config, clock: &Arc<dyn Clock>, options: ExporterOptions) -> anyhow::Result<Exporter> {
    Exporter::new(config, clock, options).context("a target cannot be scraped as configured")
}

/// What all services share.
pub(super) struct Shared {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) election: Arc<dyn Election>,
    pub(super) pace: Pace,
    pub(super) zone: Option<Arc<EmbeddedZone>>,
    pub(super) act: act::Metrics,
    pub(super) monitor: monitor::Metrics,
    /// The logins at clusters that were refused lately.
    pub(super) refused: RefusedLogins,
    pub(super) lessons: Lessons,
    /// Who takes the inventory of the clusters hears here what to look with.
    pub(super) looking: watch::Sender<Option<Arc<Collectors>>>,
}

impl Shared {
    /// What all services look with.
    pub(super) fn collectors(&self, config: &Config) -> anyhow::Result<Arc<Collectors>> {
        Collectors::new(config, self.monitor.clone(), Arc::clone(&self.clock))
            .map(Arc::new)
            .context("what is around the services cannot be looked at")
    }

    /// Everything that the worker of one service needs.
    pub(super) async fn setup(
        &self,
        config: &Config,
        service: &Service,
        collectors: &Arc<Collectors>,
    ) -> anyhow::Result<Setup> {
        let service = Arc::new(service.clone());
        let dns = open(&service.record, self.zone.as_ref())
            .await
            .with_context(|| format!("the record of {} cannot be used", service.name))?;
        let monitor = Monitor::new(&service, Arc::clone(collectors))
            .with_context(|| format!("the targets of {} cannot be used", service.name))?;
        let monitor = Arc::new(monitor);
        let hands = Hands {
            journal: Arc::clone(&self.journal),
            dns,
            promote: self.promote(config, &service, &monitor)?,
            eyes: monitor,
            look_deadline: config.global.probe_timeout,
            election: Arc::clone(&self.election),
            clock: Arc::clone(&self.clock),
            current: CurrentService::new(Arc::clone(&service)),
            metrics: self.act.clone(),
        };
        let setup = Setup::new(config, service, hands, Arc::new(Alone), self.pace.clone());
        Ok(setup.taught(self.lessons.clone()))
    }
}

impl Shared {
    /// The hands at the Redis of a service.
    fn promote(
        &self,
        config: &Config,
        service: &Arc<Service>,
        monitor: &Arc<Monitor>,
    ) -> anyhow::Result<Arc<dyn Promote>> {
        let agent = config.agent.name.clone();
        let redis = RedisHands::new(Arc::clone(monitor), Arc::clone(service), agent);
        if !service.promote.as_ref().is_some_and(Rule::is_by_cluster) {
            return Ok(Arc::new(redis));
        }
        let (refused, clock) = (self.refused.clone(), Arc::clone(&self.clock));
        let hands = ClusterHands::new(config, service, redis, refused, clock)
            .with_context(|| format!("the clusters of {} cannot be told anything", service.name))?;
        Ok(Arc::new(hands))
    }
}

/// The running program.
pub struct App {
    tasks: JoinSet<&'static str>,
    cancelled: CancellationToken,
    services: Services,
    channels: watch::Sender<Channels>,
    reloads: mpsc::Receiver<ReloadRequest>,
    config: Arc<ArcSwap<Config>>,
    metrics: Metrics,
    exporter: Arc<ArcSwap<Exporter>>,
    options: Options,
    web: WebKeeper,
    hangups: Signal,
    audit: Audit,
    clock: Arc<dyn Clock>,
}

impl App {
    /// Opens everything and starts all tasks.
    ///
    /// # Errors
    /// Something cannot be opened or bound; nothing keeps running.
    pub async fn start(loaded: Loaded, options: Options) -> anyhow::Result<Self> {
        let Loaded { config, outline, .. } = loaded;
        let hangups = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let file = SqliteJournal::open_for_agent(&config.agent.data_dir, Arc::clone(&clock))?;
        let journal: Arc<dyn Journal> = Arc::new(file.clone());
        let mut listeners = Vec::new();
        for address in &options.listen {
            let listener = address.bind().await;
            listeners.push(listener.with_context(|| format!("cannot listen on {address}"))?);
        }
        let exporter = exporter(&config, &clock, options.exporter)?;
        let exporter = Arc::new(ArcSwap::from_pointee(exporter));
        let mut registry = Registry::default();
        let zone = agents_zone(&config, clock.now())?;
        let (looking, looks) = watch::channel(None);
        let (learner, lessons) = Learner::new(&config.agent.data_dir, learning(&config), Arc::clone(&clock));
        let shared = Shared {
            lessons,
            journal: Arc::clone(&journal),
            clock: Arc::clone(&clock),
            election: Arc::new(Solo),
            pace: Pace::default(),
            zone: zone.clone(),
            act: act::Metrics::register(&mut registry),
            monitor: monitor::Metrics::register(&mut registry),
            refused: RefusedLogins::default(),
            looking,
        };
        let dns = zone.as_ref().map(|_| DnsMetrics::register(&mut registry));
        let decided = control::Metrics::register(&mut registry);
        let told = NotifyMetrics::register(&mut registry);
        let (channels, heard) = watch::channel(Channels::open(&config)?);
        let metrics = Metrics::register(registry);
        let web = WebKeeper::open(options.web_config_file.clone(), metrics.clone())?;
        let (view, cancelled, mut tasks) = (View::default(), CancellationToken::new(), JoinSet::new());
        let wakers = Wakers::default();
        let (ledger, noted) = Ledger::new(Arc::clone(&journal), Arc::clone(&clock));
        let (intake, handle) = Intake::new(journal, Arc::clone(&clock), wakers.clone());
        if let Some((zone, dns)) = zone.as_ref().zip(dns) {
            let (server, address) = EmbeddedServer::bind(zone, dns).await.context("cannot serve DNS")?;
            tracing::info!(%address, "answering DNS");
            let stop = cancelled.clone().cancelled_owned();
            tasks.spawn(async move {
                server.serve(stop).await;
                "the name server"
            });
        }
        let stop = cancelled.clone();
        tasks.spawn(async move {
            learner.run(stop).await;
            "the learner"
        });
        let mut services = Services::new(shared, view.clone(), decided, wakers, cancelled.clone());
        services.apply(&config, &mut tasks).await?;
        let stop = cancelled.clone();
        tasks.spawn(async move {
            intake.run(stop).await;
            "the intake of notifications"
        });
        let stop = cancelled.clone();
        tasks.spawn(async move {
            ledger.run(stop).await;
            "the ledger"
        });
        let audit = Audit::begin(&file, noted.clone(), outline, &*clock).await;
        let courier = Courier::new(&file, Arc::clone(&clock), told, heard);
        let stop = cancelled.clone();
        tasks.spawn(async move {
            courier.run(stop).await;
            "the courier of messages"
        });
        let pictures = Pictures::default();
        let inventory = Inventory::new(looks, pictures.clone(), Arc::clone(&clock));
        let stop = cancelled.clone();
        tasks.spawn(async move {
            inventory.run(stop).await;
            "the inventory of the clusters"
        });
        let config = Arc::new(ArcSwap::from_pointee(config));
        let tidy = Tidy::new(&file, Arc::clone(&config), Arc::clone(&clock));
        let stop = cancelled.clone();
        tasks.spawn(async move {
            tidy.run(stop).await;
            "the tidying of the journal"
        });
        let folder = config.load().agent.data_dir.clone();
        let capacity = Capacity::new(folder, view.clone(), Arc::clone(&config), Arc::clone(&clock));
        let stop = cancelled.clone();
        tasks.spawn(async move {
            capacity.run(stop).await;
            "the history of measurements"
        });
        let (reload, reloads) = mpsc::channel(RELOADS_MAX);
        let shared_state = Serve {
            control: handle,
            ledger: noted,
            view,
            pictures,
            config: Arc::clone(&config),
            clock: Arc::clone(&clock),
            metrics: metrics.clone(),
            names: options.exporter.names,
            exporter: Arc::clone(&exporter),
            reload,
            web: web.clone(),
            telemetry: options.telemetry.clone(),
        };
        let server = Server::new(router(shared_state), web.clone(), metrics.clone());
        for listener in listeners {
            let (address, scheme) =
                (listener.local_addr()?, if web.is_encrypted() { "https" } else { "http" });
            tracing::info!(%address, scheme, version = env!("CARGO_PKG_VERSION"), "serving HTTP");
            let (server, stop) = (server.clone(), cancelled.clone());
            tasks.spawn(async move {
                server.run(listener, stop).await;
                "the HTTP server"
            });
        }
        let (watched, stop) = (web.clone(), cancelled.clone());
        tasks.spawn(async move {
            watched.watch(stop).await;
            "the keeper of the web rules"
        });
        Ok(Self {
            tasks,
            cancelled,
            services,
            channels,
            reloads,
            config,
            metrics,
            exporter,
            options,
            web,
            hangups,
            audit,
            clock,
        })
    }

    /// Waits for the end: SIGTERM or SIGINT, or a task that ends unasked. A second signal ends at once.
    ///
    /// # Errors
    /// A task ended unasked.
    pub async fn wait(mut self) -> anyhow::Result<()> {
        let mut term = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        let ended = loop {
            tokio::select! {
                _ = term.recv() => break Ok(()),
                _ = interrupt.recv() => break Ok(()),
                Some(ended) = self.tasks.join_next() => match ended {
                    Ok(name) if self.services.is_expected_end(name) => {}
                    Ok(name) => break Err(anyhow::anyhow!("{name} ended unasked")),
                    Err(error) => break Err(anyhow::anyhow!(error).context("a task died")),
                },
                _ = self.hangups.recv() => {
                    // What went wrong is logged, and shown by a metric; nobody waits for an answer to a signal.
                    let _ = self.reload(Asked { occasion: Occasion::Signal, by: None }).await;
                }
                Some(request) = self.reloads.recv() => {
                    let asked = Asked { occasion: Occasion::Request, by: Some(request.by.to_string()) };
                    let done = self.reload(asked).await.map_err(|error| format!("{error:#}"));
                    let _ = request.reply.send(done);
                }
            }
        };
        tracing::info!("stopping");
        self.cancelled.cancel();
        tokio::select! {
            () = async { while self.tasks.join_next().await.is_some() {} } => {}
            _ = term.recv() => bail!("stopped at once by a second signal"),
            _ = interrupt.recv() => bail!("stopped at once by a second signal"),
        }
        ended
    }

    /// Reads the file again: all of it takes effect, or nothing.
    async fn reload(&mut self, asked: Asked) -> anyhow::Result<()> {
        let old = self.config.load_full();
        match self.try_reload().await {
            Ok(outline) => {
                self.metrics.reloaded(true);
                tracing::info!("the configuration was reloaded");
                let new = self.config.load_full();
                self.audit.took_effect(asked, outline, Some((&*old, &*new)), &*self.clock).await;
                Ok(())
            }
            Err(error) => {
                self.metrics.reloaded(false);
                let text = format!("{error:#}");
                tracing::error!(error = text, "the configuration was not reloaded; the old one stays");
                self.audit.was_refused(asked, &text);
                Err(error)
            }
        }
    }

    async fn try_reload(&mut self) -> anyhow::Result<Outline> {
        let loaded = load(&self.options.config_file, &|name| std::env::var(name).ok())?;
        let (old, new) = (self.config.load_full(), loaded.config);
        for (what, is_same) in [
            ("agent.name", old.agent.name == new.agent.name),
            ("agent.data_dir", old.agent.data_dir == new.agent.data_dir),
            ("embedded_dns", old.embedded_dns == new.embedded_dns),
        ] {
            if !is_same {
                bail!("{what} has changed, which needs a restart");
            }
        }
        for warning in &loaded.warnings {
            tracing::warn!(%warning, "configuration");
        }
        let channels = Channels::open(&new)?;
        let web = self.web.prepare().await.context("the web rules are wrong")?;
        let exporter = exporter(&new, &self.clock, self.options.exporter)?;
        self.services.apply(&new, &mut self.tasks).await?;
        self.web.put(web);
        self.channels.send_replace(channels);
        self.exporter.store(Arc::new(exporter));
        self.config.store(Arc::new(new));
        Ok(loaded.outline)
    }
}
