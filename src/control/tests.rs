//! A worker whose rounds take longer than the time from one to the next.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Metrics, Setup, View, Wakers, Worker};
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy};
use crate::act::{self, CurrentService, Hands, Pace, Promote, PromoteError};
use crate::config::{Config, Mode, Rules, Service, parse};
use crate::decide::Plan;
use crate::decide::saga::Fencing;
use crate::lead::Solo;
use crate::monitor::{Alone, SiteClient, WriteCanary};
use crate::store::MemoryJournal;
use crate::types::*;

/// One look takes so much longer than the time from one round to the next.
const SLOWNESS: u32 = 4;

/// Far more than the rounds take that a test waits for.
const RELOADS: u32 = 200;

/// A record that nobody can read, and Redis of which nothing comes but slowly.
struct Mire(Duration);

#[async_trait]
impl SiteClient for Mire {
    async fn look(&self, site: &SiteName, _: Duration, _: WriteCanary) -> Snapshot {
        tokio::time::sleep(self.0).await;
        Snapshot {
            site: site.clone(),
            taken: Ticker::new().now(),
            targets: Vec::new(),
            control: None,
            domain: Vec::new(),
            anomaly: None,
        }
    }

    async fn surroundings(&self, _: Duration) -> Surroundings {
        Surroundings::default()
    }
}

fn unavailable() -> DnsError {
    DnsError::Unavailable { detail: "as the test wants".to_owned() }
}

#[async_trait]
impl Dns for Mire {
    async fn read(&self) -> Result<RecordState, DnsError> {
        Err(unavailable())
    }

    async fn change(&self, _: &RecordChange, _: &SendBy) -> Result<Receipt, DnsError> {
        Err(unavailable())
    }

    async fn is_visible(&self, _: &Receipt) -> Result<bool, DnsError> {
        Err(unavailable())
    }

    async fn check(&self) -> Vec<DnsError> {
        Vec::new()
    }

    async fn answers(&self) -> Vec<Answer> {
        Vec::new()
    }
}

#[async_trait]
impl Promote for Mire {
    async fn fence(&self, site: &SiteName, _: Duration) -> Result<Vec<Fencing>, PromoteError> {
        Err(PromoteError::UnknownSite(site.clone()))
    }

    async fn release(&self, _: &SiteName) {}

    async fn promote(&self, plan: &Plan) -> Result<(), PromoteError> {
        Err(PromoteError::UnknownSite(plan.to.clone()))
    }
}

/// The runtime's own time.
struct Ticker(tokio::time::Instant);

impl Ticker {
    fn new() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for Ticker {
    fn now(&self) -> Moment {
        let mono = self.0.elapsed();
        Moment { mono, wall: Duration::from_secs(1_700_000_000) + mono }
    }
}

fn config() -> Config {
    let text = "global: {probe_interval: 1s, probe_timeout: 500ms}\n\
        agent: {name: a1, failure_domain: dc-b}\ndatacenters: [{name: dc-a}, {name: dc-b}]\n\
        services:\n  - name: sessions\n    topology: active-active\n    mode: recommend\n    \
        record: {provider: route53, zone_id: Z1, name: s.example.com, type: CNAME, ttl: 5s}\n    sites:\n      \
        - {datacenter: dc-a, dns_target: a.example.com, targets: [\"redis://a:6379\"]}\n      \
        - {datacenter: dc-b, dns_target: b.example.com, targets: [\"redis://b:6379\"]}\n";
    parse(text, Path::new("redrover.yml"), &|_| None, Rules::Agent).unwrap().config
}

/// A running worker, and what reaches it.
struct Stage {
    config: Config,
    hands: Hands,
    setups: watch::Sender<Setup>,
    view: View,
    _tasks: JoinSet<()>,
}

impl Stage {
    async fn start() -> Self {
        let config = config();
        let service = Arc::new(config.services[0].clone());
        let mire = Arc::new(Mire(config.global.probe_interval * SLOWNESS));
        let hands = Hands {
            journal: Arc::new(MemoryJournal::new()),
            dns: mire.clone(),
            promote: mire.clone(),
            eyes: mire,
            look_deadline: config.global.probe_timeout,
            election: Arc::new(Solo),
            clock: Arc::new(Ticker::new()),
            current: CurrentService::new(Arc::clone(&service)),
            metrics: act::Metrics::register(&mut Registry::default()),
        };
        let (setups, heard) =
            watch::channel(Setup::new(&config, service, hands.clone(), Arc::new(Alone), Pace::default()));
        let (view, metrics) = (View::default(), Metrics::register(&mut Registry::default()));
        let worker = Worker::load(heard, &Wakers::default(), view.clone(), metrics).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(worker.run(CancellationToken::new()));
        Self { config, hands, setups, view, _tasks: tasks }
    }

    fn reload(&self, mode: Mode) {
        let service = Arc::new(Service { mode, ..self.config.services[0].clone() });
        let (hands, pace) = (self.hands.clone(), Pace::default());
        self.setups.send_replace(Setup::new(&self.config, service, hands, Arc::new(Alone), pace));
    }

    /// Waits for the end of the next round; the mode that it decided in.
    async fn next_round(&self) -> Mode {
        let name = &self.config.services[0].name;
        let made = || self.view.of(name).map(|seen| seen.decision.made.mono);
        let before = made();
        let round = async {
            while made() == before {
                tokio::time::sleep(self.config.global.probe_interval / 10).await;
            }
        };
        tokio::time::timeout(self.config.global.probe_interval * SLOWNESS * 10, round)
            .await
            .expect("a round");
        self.view.of(name).expect("a picture").service.mode
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_heard_although_the_next_round_is_always_due() {
    let stage = Stage::start().await;
    assert_eq!(stage.next_round().await, Mode::Recommend);
    stage.reload(Mode::Observe);
    let mut modes = Vec::new();
    for _ in 0..3 {
        modes.push(stage.next_round().await);
    }
    assert_eq!(modes, [Mode::Observe; 3], "no round decides by what is over");
}

#[tokio::test(start_paused = true)]
async fn reloads_in_every_round_do_not_keep_it_from_deciding() {
    let stage = Stage::start().await;
    assert_eq!(stage.next_round().await, Mode::Recommend);
    let reloads = async {
        for _ in 0..RELOADS {
            stage.reload(Mode::Observe);
            tokio::time::sleep(stage.config.global.probe_interval).await;
        }
    };
    let rounds = async {
        for _ in 0..3 {
            stage.next_round().await;
        }
    };
    tokio::select! {
        () = reloads => panic!("no round comes to its end"),
        () = rounds => {}
    }
}
