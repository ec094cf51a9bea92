//! The program, put together.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::promote::RedisHands;
use super::reload::Services;
use crate::act::dns::{Dns, DnsError, EmbeddedServer, EmbeddedZone, open};
use crate::act::notify::{Channels, Courier, NotifyMetrics};
use crate::act::{self, CurrentService, Hands};
use crate::config::{Config, Provider, Record, Service, load};
use crate::control::{self, Intake, SWITCHES_MAX, Setup, View, Wakers, analysis_settings};
use crate::lead::{Election, Solo};
use crate::learn::{Learner, Learning, Lessons};
use crate::monitor::{self, Alone, Collectors, Monitor};
use crate::serve::{Metrics, ReloadRequest, Serve, router, serve};
use crate::store::{Journal, SqliteJournal};
use crate::types::{Clock, Moment, SystemClock};

/// Reloads that may wait.
const RELOADS_MAX: usize = 8;

/// What `redrover run` was told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration file.
    pub config_file: PathBuf,
    /// Where to serve HTTP.
    pub listen: SocketAddr,
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

pub(super) fn embedded_records(config: &Config) -> impl Iterator<Item = &Record> {
    config.services.iter().map(|s| &s.record).filter(|r| r.provider == Provider::Embedded)
}

/// Two agents on one journal would each take the other's switch for one that was interrupted.
fn lock(data_dir: &Path) -> anyhow::Result<File> {
    std::fs::create_dir_all(data_dir).with_context(|| format!("cannot create {}", data_dir.display()))?;
    let path = data_dir.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.try_lock().with_context(|| format!("another agent runs on {}", data_dir.display()))?;
    Ok(file)
}

/// What all services share.
pub(super) struct Shared {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) election: Arc<dyn Election>,
    pub(super) pace: Arc<Semaphore>,
    pub(super) zone: Option<Arc<EmbeddedZone>>,
    pub(super) act: act::Metrics,
    pub(super) monitor: monitor::Metrics,
    pub(super) lessons: Lessons,
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
            promote: Arc::new(RedisHands::new(Arc::clone(&monitor))),
            eyes: monitor,
            look_deadline: config.global.probe_timeout,
            election: Arc::clone(&self.election),
            clock: Arc::clone(&self.clock),
            current: CurrentService::new(Arc::clone(&service)),
            metrics: self.act.clone(),
        };
        let setup = Setup::new(config, service, hands, Arc::new(Alone), Arc::clone(&self.pace));
        Ok(setup.taught(self.lessons.clone()))
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
    options: Options,
    hangups: Signal,
    /// Held until the end.
    _lock: File,
}

impl App {
    /// Opens everything and starts all tasks.
    ///
    /// # Errors
    /// Something cannot be opened or bound; nothing keeps running.
    pub async fn start(config: Config, options: Options) -> anyhow::Result<Self> {
        let hangups = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let lock = lock(&config.agent.data_dir)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let file = SqliteJournal::open_or_begin_anew(&config.agent.data_dir, clock.now())?;
        let journal: Arc<dyn Journal> = Arc::new(file.clone());
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let mut registry = Registry::default();
        let zone = embedded_zone(&config)?;
        let (learner, lessons) = Learner::new(&config.agent.data_dir, learning(&config), Arc::clone(&clock));
        let shared = Shared {
            lessons,
            journal: Arc::clone(&journal),
            clock: Arc::clone(&clock),
            election: Arc::new(Solo),
            pace: Arc::new(Semaphore::new(SWITCHES_MAX)),
            zone: zone.clone(),
            act: act::Metrics::register(&mut registry),
            monitor: monitor::Metrics::register(&mut registry),
        };
        let decided = control::Metrics::register(&mut registry);
        let told = NotifyMetrics::register(&mut registry);
        let (channels, heard) = watch::channel(Channels::open(&config)?);
        let metrics = Metrics::register(registry);
        let (view, cancelled, mut tasks) = (View::default(), CancellationToken::new(), JoinSet::new());
        let wakers = Wakers::default();
        let (intake, handle) = Intake::new(journal, Arc::clone(&clock), wakers.clone());
        if let Some(zone) = &zone {
            let (server, address) = EmbeddedServer::bind(zone).await.context("cannot serve DNS")?;
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
        let courier = Courier::new(&file, Arc::clone(&clock), told, heard);
        let stop = cancelled.clone();
        tasks.spawn(async move {
            courier.run(stop).await;
            "the courier of messages"
        });
        let config = Arc::new(ArcSwap::from_pointee(config));
        let (reload, reloads) = mpsc::channel(RELOADS_MAX);
        let shared_state = Serve {
            control: handle,
            view,
            config: Arc::clone(&config),
            clock,
            metrics: metrics.clone(),
            reload,
        };
        tracing::info!(address = %listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "serving HTTP");
        let stop = cancelled.clone();
        tasks.spawn(async move {
            serve(listener, router(shared_state), stop).await;
            "the HTTP server"
        });
        Ok(Self {
            tasks,
            cancelled,
            services,
            channels,
            reloads,
            config,
            metrics,
            options,
            hangups,
            _lock: lock,
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
                    let _ = self.reload().await;
                }
                Some(reply) = self.reloads.recv() => {
                    let done = self.reload().await.map_err(|error| format!("{error:#}"));
                    let _ = reply.send(done);
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
    async fn reload(&mut self) -> anyhow::Result<()> {
        let done = self.try_reload().await;
        self.metrics.reloaded(done.is_ok());
        match &done {
            Ok(()) => tracing::info!("the configuration was reloaded"),
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the configuration was not reloaded; the old one stays"
            ),
        }
        done
    }

    async fn try_reload(&mut self) -> anyhow::Result<()> {
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
        self.services.apply(&new, &mut self.tasks).await?;
        self.channels.send_replace(channels);
        self.config.store(Arc::new(new));
        Ok(())
    }
}
