//! The workers of all services, and how a new configuration reaches them: all or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::parts::{Shared, embedded_records};
use crate::act::CurrentService;
use crate::config::{Config, Service};
use crate::control::{Metrics, Setup, View, Wakers, Worker};
use crate::types::ServiceName;

/// The name of a worker's task.
const WORKER: &str = "the worker of a service";

struct Running {
    setups: watch::Sender<Setup>,
    /// Tells a switch under way at once what has changed, also while its worker is busy.
    current: CurrentService,
    cancelled: CancellationToken,
    /// Cancelled once the worker is gone.
    ended: CancellationToken,
}

/// A service that left.
struct Left {
    /// Cancelled once its last worker is gone.
    ended: CancellationToken,
    /// What a switch under way is told should it come back.
    current: CurrentService,
}

/// All workers.
pub(super) struct Services {
    shared: Shared,
    view: View,
    metrics: Metrics,
    wakers: Wakers,
    cancelled: CancellationToken,
    running: BTreeMap<ServiceName, Running>,
    /// Workers that were told to end because their service left the configuration, and are still counted as running.
    leaving: usize,
    /// The services that left, whose last worker may not be gone yet.
    left: BTreeMap<ServiceName, Left>,
}

impl Services {
    pub(super) fn new(
        shared: Shared,
        view: View,
        metrics: Metrics,
        wakers: Wakers,
        cancelled: CancellationToken,
    ) -> Self {
        Self {
            shared,
            view,
            metrics,
            wakers,
            cancelled,
            running: BTreeMap::new(),
            leaving: 0,
            left: BTreeMap::new(),
        }
    }

    /// Brings the workers to a configuration: first everything that can fail, then everything that takes effect.
    pub(super) async fn apply(
        &mut self,
        config: &Config,
        tasks: &mut JoinSet<&'static str>,
    ) -> anyhow::Result<()> {
        if let Some(zone) = &self.shared.zone {
            let checked = zone.check(embedded_records(config)).await;
            checked.context("the embedded zone cannot hold the records")?;
        }
        let collectors = self.shared.collectors(config)?;
        let mut setups = Vec::new();
        let mut workers = Vec::new();
        for service in &config.services {
            let mut setup = self.shared.setup(config, service, &collectors).await?;
            let former = self.running.get(&service.name).map(|running| &running.current);
            let left = || self.left.get(&service.name).map(|left| &left.current);
            if let Some(current) = former.or_else(left) {
                setup.hands.current = current.for_one_who_has(Arc::clone(&setup.service));
            }
            if self.running.contains_key(&service.name) {
                setups.push(setup);
            } else {
                workers.push(self.prepare(setup).await);
            }
        }
        if let Some(zone) = &self.shared.zone
            && let Err(error) = zone.hold(embedded_records(config)).await
        {
            tracing::warn!(%error, "the embedded zone answers for its new records once its file can be read");
        }
        for setup in setups {
            if let Some(running) = self.running.get(&setup.service.name) {
                running.current.replace(Arc::clone(&setup.service));
                running.setups.send_replace(setup);
            }
        }
        for (name, running, worker) in workers {
            let service = Arc::clone(&running.setups.borrow().service);
            introduce(&service);
            running.current.replace(service);
            tasks.spawn(work(worker, &running, self.left.remove(&name).map(|left| left.ended)));
            self.running.insert(name, running);
        }
        self.left.retain(|_, left| !left.ended.is_cancelled());
        let stays = |name: &ServiceName| config.services.iter().any(|s| s.name == *name);
        let left: Vec<ServiceName> = self.running.keys().filter(|name| !stays(name)).cloned().collect();
        for name in left {
            if let Some(running) = self.running.remove(&name) {
                running.current.withdraw();
                running.cancelled.cancel();
                self.left.insert(name, Left { ended: running.ended, current: running.current });
                self.leaving += 1;
            }
        }
        self.shared.looking.send_replace(Some(collectors));
        Ok(())
    }

    async fn prepare(&self, setup: Setup) -> (ServiceName, Running, Worker) {
        let (name, current) = (setup.service.name.clone(), setup.hands.current.clone());
        let (sender, receiver) = watch::channel(setup);
        let (cancelled, ended) = (self.cancelled.child_token(), CancellationToken::new());
        let running = Running { setups: sender, current, cancelled, ended };
        let (view, metrics) = (self.view.clone(), self.metrics.clone());
        let worker = Worker::load(receiver, &self.wakers, view, metrics).await;
        (name, running, worker)
    }

    /// Whether a task that ended had been told to.
    pub(super) fn is_expected_end(&mut self, name: &str) -> bool {
        let is_expected = name == WORKER && self.leaving > 0;
        if is_expected {
            self.leaving -= 1;
        }
        is_expected
    }
}

/// Says in one line what is watched from here on.
fn introduce(service: &Service) {
    let names = service.sites.iter().map(|site| site.name.as_str()).collect::<Vec<_>>().join(", ");
    let record = &service.record;
    tracing::info!(
        service = %service.name,
        mode = service.mode.as_str(),
        topology = service.topology.as_str(),
        sites = names,
        record = format!("{} {} at {}", record.name, record.kind.as_str(), record.provider.as_str()),
        canary = if service.canary.is_some() { "on" } else { "off" },
        "watching"
    );
}

/// The life of a worker, which begins when the former worker of the service is gone: that one may still be in the
/// middle of a switch.
fn work(
    worker: Worker,
    running: &Running,
    former: Option<CancellationToken>,
) -> impl Future<Output = &'static str> + use<> {
    let (stop, ended) = (running.cancelled.clone(), running.ended.clone().drop_guard());
    async move {
        let _ended = ended;
        if let Some(former) = former {
            former.cancelled().await;
        }
        if !stop.is_cancelled() {
            worker.run(stop).await;
        }
        WORKER
    }
}
