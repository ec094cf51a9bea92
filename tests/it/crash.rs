//! `kill -9` before and after every journal write of a real switch, with real Redis, and then the real agent on the
//! same data: it finishes the switch, or gives it back, and never changes the record again.
//!
//! The switch runs in this test binary, started once more with `POINT` in its environment.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the variants that it is about")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use prometheus_client::registry::Registry;
use redrover::act::{self, CurrentService, Hands, Pace, Permit, Switch};
use redrover::app::{RedisHands, open_dns};
use redrover::config::{Config, Mode, Service, load};
use redrover::decide::saga::Outcome;
use redrover::decide::{Plan, Trigger, fence_of};
use redrover::lead::{Solo, Term};
use redrover::monitor::{self, Collectors, Monitor};
use redrover::store::{Body, Entry, Journal, JournalError, NewEntry, Query, SqliteJournal, Story, Ticket};
use redrover::types::{Clock as _, SystemClock};
use serde_json::json;

use super::support::agent::{self, SERVICE, Setup};
use super::support::http;
use super::support::process::{Process, START_LIMIT, wait_for};
use super::support::redis::RedisServer;
use super::support::sandbox::Route53Sandbox;

/// Which write to die at, and whether before or after it: `3 after`.
const POINT: &str = "REDROVER_TEST_DEATH";
/// The configuration to switch with.
const CONFIG: &str = "REDROVER_TEST_CONFIG";
const NAME: &str = "sessions.example.test";
const OLD: &str = "redis-a.example.test";
const NEW: &str = "redis-b.example.test";
/// Kill points that are tried at the same time.
const ABREAST: usize = 3;
/// No switch has so many journal writes.
const POINTS_MAX: usize = 60;

#[tokio::test]
async fn a_switch_survives_kill_9_at_every_journal_write() {
    for when in ["before", "after"] {
        let mut deaths = 0;
        loop {
            let lives = join_all((deaths..deaths + ABREAST).map(|point| die_and_recover(point, when))).await;
            let died = lives.iter().take_while(|has_died| **has_died).count();
            deaths += died;
            assert!(lives[died..].iter().all(|has_died| !has_died), "a later point was reached: {lives:?}");
            assert!(deaths < POINTS_MAX, "it never completes");
            if died < ABREAST {
                break;
            }
        }
        println!("{deaths} deaths {when} a write");
        assert!(deaths >= 9, "only {deaths} writes were met");
    }
}

/// Whether the switch died at this point; a switch that completed is checked the same.
async fn die_and_recover(point: usize, when: &str) -> bool {
    let mut primary = RedisServer::primary().await;
    let replica = RedisServer::replica(&primary).await;
    let sandbox = Route53Sandbox::start(&[&format!("{NAME} CNAME 5 {OLD}")]).await;
    let sites = [agent::site("dc-a", OLD, &[&primary]), agent::site("dc-b", NEW, &[&replica])];
    // The agent that comes after must go on with this switch and begin no other.
    let setup = Setup::new(agent::route53_record(&sandbox, NAME), &sites)
        .with("/services/0/mode", json!("recommend"));
    let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    primary.kill();

    let mut command = same_environment_as_redrover();
    command.args(["--exact", "crash::child", "--nocapture"]);
    command.env(POINT, format!("{point} {when}")).env(CONFIG, setup.config_file());
    let mut child = Process::start("the switch", &mut command);
    let status = child.wait_exit(START_LIMIT).await;
    let has_died = status.signal() == Some(9);
    assert!(has_died || status.success(), "{status}: {}{}", child.stdout(), child.stderr());

    let agent = setup.start().await;
    let what = format!("the switch that died {when} write {point} to be settled");
    let outcome = wait_for(&what, START_LIMIT, async || settled(&setup).await).await;
    assert_eq!(agent.get("/-/healthy").await.status, 200);
    let role = replica.info("role").await.expect("it answers");
    let (now, changes) = record(&sandbox).await;
    let found = (role.as_deref().unwrap_or(""), now.as_str(), changes);
    let wanted = match &outcome {
        Some(Outcome::Switched) => ("master", NEW, 1),
        Some(Outcome::Abandoned { .. }) | None => ("slave", OLD, 0),
        Some(Outcome::Cleared) => panic!("no plan here only clears"),
        Some(Outcome::PromotedNotSwitched { .. } | Outcome::Foreign { .. }) => panic!("{what}: {outcome:?}"),
    };
    assert_eq!(found, wanted, "{what}: {outcome:?}");
    has_died
}

/// The outcome, once nothing is unfinished; an agent that has begun to look has written a decision.
async fn settled(setup: &Setup) -> Option<Option<Outcome>> {
    let journal = SqliteJournal::open_read_only(&setup.data_dir()).ok()?;
    let entries = journal.read(Query::default()).await.ok()?;
    let mut story = Story::default();
    entries.iter().for_each(|entry| story.tell(entry));
    let has_looked = entries.iter().any(|entry| matches!(entry.body, Body::Decided { .. }));
    let outcome = entries.into_iter().rev().find_map(|entry| match entry.body {
        Body::Ended { outcome, .. } => Some(outcome),
        _ => None,
    });
    (has_looked && story.unfinished.is_none()).then_some(outcome)
}

/// What the record holds at last, and how often it was changed.
async fn record(sandbox: &Route53Sandbox) -> (String, usize) {
    let history = http::get_json(&format!("{}/_sandbox/history", sandbox.api())).await;
    let mut changes = 0;
    for entry in history["entries"].as_array().expect("a list") {
        let ours = entry["changes"].as_array().into_iter().flatten();
        let ours: Vec<_> = ours.filter(|c| c["type"] == "CNAME" && c.get("after").is_some()).collect();
        if let (Some(first), Some(last)) = (ours.first(), ours.last()) {
            assert!(!last["after"].is_null(), "the record was left empty: {entry}");
            changes += usize::from(first["before"] != last["after"]);
        }
    }
    let answer = super::support::dns::query(sandbox.dns(), NAME, super::support::dns::RecordType::CNAME)
        .await
        .expect("an answer");
    (answer.values().join(" ").trim_end_matches('.').to_owned(), changes)
}

/// This binary, with what the redrover binary gets.
fn same_environment_as_redrover() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    for (name, value) in agent::redrover().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The switch itself; in an ordinary run of the tests it has nothing to do.
#[tokio::test]
async fn child() {
    let Ok(point) = std::env::var(POINT) else { return };
    let file = PathBuf::from(std::env::var(CONFIG).expect("a configuration"));
    let (at, when) = point.split_once(' ').expect("a number and a word");
    let config = load(&file, &|_| None).expect("it loads").config;
    let journal = Deadly {
        inner: SqliteJournal::open(&config.agent.data_dir).expect("it opens"),
        at: at.parse().expect("a number"),
        is_after: when == "after",
        writes: AtomicUsize::new(0),
    };
    switch(&config, journal).await;
}

async fn switch(config: &Config, journal: Deadly) {
    let (service, agent, clock) = (&config.services[0], &config.agent, Arc::new(SystemClock::new()));
    let mut registry = Registry::default();
    let metrics = monitor::Metrics::register(&mut registry);
    let collectors = Collectors::new(config, metrics, clock.clone()).expect("collectors");
    let monitor = Arc::new(Monitor::new(service, Arc::new(collectors)).expect("a monitor"));
    let hands = Hands {
        journal: Arc::new(journal),
        dns: open_dns(config, service).await.expect("a provider"),
        promote: Arc::new(RedisHands::new(
            Arc::clone(&monitor),
            Arc::new(service.clone()),
            agent.name.clone(),
        )),
        eyes: monitor,
        look_deadline: Duration::from_millis(500),
        election: Arc::new(Solo),
        clock: clock.clone(),
        // It began before the service was set to recommend.
        current: CurrentService::new(Arc::new(Service { mode: Mode::Automatic, ..service.clone() })),
        metrics: act::Metrics::register(&mut registry),
    };
    let expected = hands.dns.read().await.expect("it can be read");
    let made_unix_ms = clock.now().unix_ms();
    let plan = Plan {
        decision: "a-decision".to_owned(),
        service: service.name.clone(),
        from: service.sites[0].name.clone(),
        to: service.sites[1].name.clone(),
        fence: fence_of(&expected).expect("it is whole").expect("it was adopted"),
        expected,
        to_values: [NEW.to_owned()].into(),
        ttl_seconds: 5,
        made_unix_ms,
        expires_unix_ms: made_unix_ms + 60_000,
        promotes: true,
        trigger: Trigger::Automatic,
        lossless: false,
    };
    let body = Body::Ticketed { plan: Box::new(plan.clone()) };
    let entry = NewEntry { at_unix_ms: made_unix_ms, service: service.name.clone(), incident: None, body };
    let ticket = hands.journal.ticket(entry, plan).await.expect("it is durable");
    let term = Term { number: 1, until: None };
    let permit = Permit::grant(ticket, term, &hands).await.expect("permitted");
    let outcome = Switch::run(&hands, service, agent, permit, Pace::default().turn().await)
        .await
        .expect("it is durable");
    assert_eq!(outcome, Some(Outcome::Switched));
}

/// The real journal in a process that kills itself at one of its writes.
struct Deadly {
    inner: SqliteJournal,
    at: usize,
    is_after: bool,
    writes: AtomicUsize,
}

impl Deadly {
    async fn write<T>(&self, work: impl Future<Output = Result<T, JournalError>>) -> Result<T, JournalError> {
        let is_now = self.writes.fetch_add(1, Ordering::Relaxed) == self.at;
        if is_now && !self.is_after {
            die();
        }
        let done = work.await;
        if is_now {
            die();
        }
        done
    }
}

fn die() -> ! {
    let id = std::process::id().to_string();
    let sent = Command::new("kill").args(["-s", "KILL", &id]).status();
    panic!("this process outlived its SIGKILL: {sent:?}");
}

#[async_trait]
impl Journal for Deadly {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<u64>, JournalError> {
        self.write(self.inner.append(entries)).await
    }

    async fn ticket(&self, entry: NewEntry, plan: Plan) -> Result<Ticket, JournalError> {
        self.write(self.inner.ticket(entry, plan)).await
    }

    async fn repeat(&self, seq: u64, at_unix_ms: i64) -> Result<(), JournalError> {
        self.inner.repeat(seq, at_unix_ms).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Entry>, JournalError> {
        self.inner.read(query).await
    }
}
