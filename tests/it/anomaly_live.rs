//! What goes wrong with a real Redis under load is found within a few rounds, and called by its name.
//!
//! Each round is a turn of the load and a look, and stands for a minute of the analysis: what counts is counted as often as
//! makes the rates those of a Redis in use. An agent would look and learn the same, over hours. However busy the machine is
//! that the test runs on, a turn is the same number of commands.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use redis::aio::MultiplexedConnection;
use redrover::analyse::{Analyser, Entrance, Follower, Settings, Table, measure_names, train};
use redrover::config;
use redrover::monitor::{self, Collectors, Monitor, SiteClient as _, WriteCanary};
use redrover::types::{Anomaly, Basis, ServiceName, SiteName, Snapshot, SystemClock, TargetName};
use serde_json::{Value, json};

use super::support::agent::{SERVICE, Setup, embedded_record, site};
use super::support::ports::free_port;
use super::support::process::wait_for;
use super::support::redis::{RedisOptions, RedisServer};
use super::support::sandbox::ZONE;
use super::support::scene::{NAME, ROUNDS_LIMIT, TARGETS};
use super::support::slow_line::SlowLine;

/// What a round stands for, and how often what was counted in it is counted.
const PERIOD: Duration = Duration::from_secs(60);
const TIMES: f64 = 60.0;
/// Rows that are learned from: most of a day.
const ROWS: usize = 1000;
/// A fault is found within so many rounds.
const ROUNDS_MAX: usize = 8;
/// So many after a fault its features have forgotten it: they look back half an hour.
const FORGOTTEN_ROUNDS: usize = 40;
/// After a fault the analysis calms down within so many.
const CALM_ROUNDS_MAX: usize = 300;
/// A look is given up after so long,
const DEADLINE: Duration = Duration::from_secs(2);
/// and a turn of the load.
const TURN_MAX: Duration = Duration::from_millis(500);
/// What the slow line adds to each answer: more than the machine's other work does.
const DELAY: Duration = Duration::from_millis(150);
/// How long answers take. They are late in nearly any trouble, and on a machine where others are at work.
const TRIPS: [&str; 2] = ["ping_seconds", "write_seconds"];

/// A Redis, its load, and the analysis that follows it.
struct Watch {
    load: Load,
    monitor: Monitor,
    analyser: Analyser,
    site: SiteName,
    rounds: u32,
    rows: Vec<(i64, Vec<f64>)>,
}

impl Watch {
    /// Looks at a target of a service, which has this load.
    fn new(setup: &Setup, load: Load) -> Self {
        let loaded = config::load(&setup.config_file(), &|_| None).expect("the configuration is right");
        let metrics = monitor::Metrics::register(&mut Registry::default());
        let collectors = Collectors::new(&loaded.config, metrics, Arc::new(SystemClock::new()));
        let collectors = Arc::new(collectors.expect("nothing is around"));
        let monitor = Monitor::new(&loaded.config.services[0], collectors).expect("there is no TLS");
        let site = SiteName::new("dc-a").expect("a name");
        let analyser = Analyser::new(Settings::default());
        Self { load, monitor, analyser, site, rounds: 0, rows: Vec::new() }
    }

    /// The next round. `None` where the Redis did not answer.
    async fn round(&mut self) -> Option<Anomaly> {
        self.load.turn().await;
        let mut snapshot = self.monitor.look(&self.site, DEADLINE, WriteCanary::Write).await;
        self.rounds += 1;
        fast_forward(&mut snapshot, PERIOD * self.rounds);
        self.analyser.score(std::slice::from_mut(&mut snapshot));
        let lessons = self.analyser.remember(&[&self.site]);
        self.rows.extend(lessons.into_iter().map(|lesson| (lesson.time, lesson.row)));
        self.analyser.anomalies().into_iter().next().map(|(.., anomaly)| anomaly)
    }

    /// Learns what is usual.
    async fn learn(&mut self) {
        while self.rows.len() < ROWS {
            self.round().await;
        }
        let (site, target) = self.target();
        let service = ServiceName::new(SERVICE).expect("a name");
        let settings = Settings::default();
        let mut table = Table::new(measure_names());
        self.rows.iter().for_each(|(time, row)| table.push(*time, row, true));
        let recipe = settings.recipe(&service, &site, &target);
        let trained = train(&table, &recipe).expect("it is enough to learn from");
        let mut follower = Follower::new(trained, settings.threshold);
        self.rows.iter().for_each(|(time, row)| follower.recall(*time, row));
        self.analyser.adopt(&site, &target, follower, self.rows[ROWS - 1].0, Entrance::AtOnce);
        self.calm("learning").await;
    }

    fn target(&self) -> (SiteName, TargetName) {
        let (site, target, _) = self.analyser.models().into_iter().next().expect("it was looked at");
        (site, target)
    }

    /// Goes on until the past is forgotten and three looks in a row are usual.
    async fn calm(&mut self, after: &str) {
        let mut calm = 0;
        for round in 0..CALM_ROUNDS_MAX {
            let is_calm = self.round().await.is_some_and(|anomaly| !anomaly.is_anomalous());
            calm = if is_calm { calm + 1 } else { 0 };
            if calm >= 3 && round >= FORGOTTEN_ROUNDS {
                return;
            }
        }
        panic!("after {after} nothing became usual again within {CALM_ROUNDS_MAX} rounds");
    }

    /// Goes on until a look is anomalous, with one of these signals first; only trips may come before.
    async fn found(&mut self, fault: &str, signals: &[&str]) {
        let mut seen = Vec::new();
        for round in 1..=ROUNDS_MAX {
            let Some(anomaly) = self.round().await else { continue };
            assert_eq!(anomaly.basis, Basis::YoungModel);
            let mut told = anomaly.contributions.iter().map(|contribution| contribution.signal);
            let first = told.find(|signal| signals.contains(signal) || !TRIPS.contains(signal));
            let first = first.unwrap_or_default();
            let (score, limit) = (anomaly.score.get(), anomaly.threshold.get());
            if anomaly.is_anomalous() && signals.contains(&first) {
                assert!(!anomaly.because.is_empty(), "{fault}: {anomaly:?}");
                println!(
                    "{fault}: round {round}: {score:.1} over {limit:.1}: {}",
                    anomaly.because.join("; ")
                );
                return;
            }
            seen.push(format!(
                "{score:.1} over {limit:.1}: {:?} {:.5?}",
                anomaly.because, anomaly.contributions
            ));
        }
        panic!("{fault}: not found with one of {signals:?} first: {seen:#?}");
    }
}

/// Moves a look to the time that it stands for, with counters that have counted all of it.
fn fast_forward(snapshot: &mut Snapshot, to: Duration) {
    snapshot.taken.wall = to;
    let samples = snapshot.targets.iter_mut().flat_map(|target| &mut target.samples);
    samples.filter(|sample| sample.metric.ends_with("_total")).for_each(|sample| sample.value *= TIMES);
}

/// Writes and reads of small values, and of a big one when told so.
struct Load {
    connection: MultiplexedConnection,
    is_big: bool,
    turns: usize,
}

impl Load {
    const KEYS: usize = 2000;
    const BIG_BYTES: usize = 64 * 1024;
    /// A turn writes and reads so many keys, and up to ten more.
    const OF_A_TURN: usize = 75;

    async fn start(server: &RedisServer) -> Self {
        let client = redis::Client::open(server.target()).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("it answers");
        let mut all = redis::pipe();
        for key in 0..Self::KEYS {
            all.set(format!("key:{key}"), "x".repeat(100)).ignore();
        }
        all.set("big", "x".repeat(Self::BIG_BYTES)).ignore();
        let _: () = all.query_async(&mut connection).await.expect("it takes writes");
        Self { connection, is_big: false, turns: 0 }
    }

    async fn turn(&mut self) {
        self.turns += 1;
        let first = self.turns * Self::OF_A_TURN;
        let mut all = redis::pipe();
        for key in (first..first + Self::OF_A_TURN + self.turns * 7 % 11).map(|n| n * 7 % Self::KEYS) {
            let key = format!("key:{key}");
            all.set(&key, "y".repeat(100)).ignore().get(&key).ignore();
        }
        if self.is_big {
            for _ in 0..10 {
                all.get("big").ignore();
            }
        }
        // What a full or a paused Redis says is for the analysis to find.
        let _ = tokio::time::timeout(TURN_MAX, all.query_async::<()>(&mut self.connection)).await;
    }
}

#[tokio::test]
async fn faults_of_a_real_redis_are_found_within_rounds_and_called_by_their_names() {
    let server = RedisServer::start(
        RedisOptions::default().line("maxmemory 64mb").line("maxmemory-policy allkeys-lru"),
    )
    .await;
    let behind = SocketAddr::from((server.address(), server.port()));
    let line = SlowLine::start(behind, Duration::ZERO).await;
    let target = format!("redis://{}:{}", Ipv4Addr::LOCALHOST, line.port());
    let sites = [("dc-a", TARGETS[0], target), ("dc-b", TARGETS[1], server.target())].map(
        |(datacenter, dns_target, target)| json!({"datacenter": datacenter, "dns_target": dns_target, "targets": [target]}),
    );
    let setup = Setup::new(embedded_record(NAME), &sites).with("/embedded_dns", zone());
    let mut watch = Watch::new(&setup, Load::start(&server).await);
    watch.learn().await;

    let command = async |words: &[&str]| server.command::<()>(words).await.expect("it obeys");
    command(&["CLIENT", "PAUSE", "60000", "WRITE"]).await;
    watch.found("CLIENT PAUSE", &["commands_per_second", "net_input", "net_output", "hit_share"]).await;
    command(&["CLIENT", "UNPAUSE"]).await;
    watch.calm("CLIENT PAUSE").await;

    watch.load.is_big = true;
    watch.found("big keys", &["output_bytes_per_command", "net_output", "client_output_bytes"]).await;
    watch.load.is_big = false;
    watch.calm("big keys").await;

    line.delay(DELAY);
    watch.found("network delay", &TRIPS).await;
    line.delay(Duration::ZERO);
    watch.calm("network delay").await;

    // Less than what is stored: each write makes room for itself.
    let used = server.info("used_memory").await.expect("an answer").expect("it is there");
    let limit = used.trim().parse::<u64>().expect("a number") - 200_000;
    command(&["CONFIG", "SET", "maxmemory", &limit.to_string()]).await;
    watch.found("memory limit", &["evictions_per_second", "memory_share", "keys"]).await;
}

fn zone() -> Value {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    json!({"listen": listen, "zone": ZONE, "name_servers": [format!("ns1.{ZONE}")]})
}

/// Three Redis servers of one site, of which one has far more clients than the others.
#[tokio::test]
async fn a_redis_that_is_unlike_its_peers_is_shown_and_told_of() {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(RedisServer::primary().await);
    }
    let all: Vec<&RedisServer> = servers.iter().collect();
    let standby = RedisServer::replica(&servers[0]).await;
    let setup = Setup::new(
        embedded_record(NAME),
        &[site("dc-a", TARGETS[0], &all), site("dc-b", TARGETS[1], &[&standby])],
    )
    .with("/embedded_dns", zone())
    .with("/services/0/mode", json!("observe"))
    .with("/analysis", json!({"period": "1s", "history": "1d", "history_min": "1h"}));
    let agent = setup.start().await;
    let odd = servers[1].target();
    let client = redis::Client::open(odd.as_str()).expect("an address");
    let mut clients = Vec::new();
    for _ in 0..40 {
        clients.push(client.get_multiplexed_async_connection().await.expect("it answers"));
    }
    let page = wait_for("the odd one to be shown", ROUNDS_LIMIT, async || {
        let page = agent.metrics().await;
        let labels = [("datacenter", "dc-a"), ("target", odd.as_str())];
        let score =
            page.value("redrover_peer_outlier_score", &[("redis_service", SERVICE), labels[0], labels[1]]);
        score.is_some_and(|score| score >= 0.8).then_some(page)
    })
    .await;
    let shown: BTreeSet<String> =
        page.select("redrover_peer_outlier_score", &[]).map(|(labels, _)| labels["target"].clone()).collect();
    let want = servers.iter().map(RedisServer::target).collect();
    assert_eq!(shown, want, "the replica of the other site has no peers");
    let like = page.value(
        "redrover_peer_outlier_score",
        &[("redis_service", SERVICE), ("datacenter", "dc-a"), ("target", &servers[0].target())],
    );
    assert!(like.is_some_and(|score| score < 0.5), "{like:?}");

    let told = wait_for("the sentence", ROUNDS_LIMIT, async || {
        let told = setup.explain(SERVICE, None).await?.to_string();
        told.contains("unlike its peers").then_some(told)
    })
    .await;
    assert!(told.contains(&format!("dc-a {odd}: ")) && told.contains(", its 2 peers "), "{told}");
}
