//! A redrover service whose primary is killed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use redrover::decide::{Evidence, Verdict};
use redrover::store::{Body, Entry, Journal as _, Query, SqliteJournal};
use redrover::types::{Clock as _, SystemClock};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::support::agent::{Agent, SERVICE, Setup, site};
use super::support::dns::{self, RecordType};
use super::support::named::{Named, ZONE};
use super::support::ports::free_port;
use super::support::redis::{RedisOptions, RedisServer};
use super::{Rules, client};

const OLD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 31);
const NEW: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 32);
const NAME: &str = "sessions.example.test";
/// How often the client asks.
const POLL: Duration = Duration::from_millis(1);
/// Longest wait for the agent to be ready to act.
const ARMED_LIMIT: Duration = Duration::from_secs(60);

/// Who holds the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The agent.
    Embedded,
    /// BIND.
    Bind,
}

impl Holder {
    /// As the report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded name server",
            Self::Bind => "BIND, by RFC 2136",
        }
    }
}

/// What one kill took.
#[derive(Debug, Clone)]
pub struct Times {
    /// From the begin of the round that completes the window to the changed answer.
    pub reaction: Duration,
    /// From the first failed probe to the changed answer, without the window.
    pub beyond_window: Duration,
    /// From the kill to the changed answer.
    pub answer: Duration,
    /// From the kill to the first write at the new primary.
    pub write: Duration,
    /// What the reaction consists of: each stage, and how long after the begin of that round it was written down.
    pub stages: Vec<(String, Duration)>,
}

/// When the primary was killed, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Killed {
    /// By the monotonic one.
    pub at: Instant,
    /// Since the Unix epoch.
    pub wall: Duration,
}

/// The service, its servers, and its agent.
pub struct Product {
    rules: Rules,
    primary: RedisServer,
    standby: RedisServer,
    setup: Setup,
    agent: Agent,
    dns: SocketAddr,
    _named: Option<Named>,
    /// Something else that answers where the primary was: a host that is there, and whose Redis is gone.
    _neighbour: TcpListener,
}

/// The deadline of a probe, for an interval.
pub fn timeout(interval: Duration) -> Duration {
    interval * 4 / 5
}

impl Product {
    /// Starts all; the service is adopted.
    pub async fn start(holder: Holder, rules: Rules) -> Self {
        let port = free_port();
        let primary = RedisServer::start(RedisOptions::default().address(OLD).port(port)).await;
        let options = RedisOptions::default().address(NEW).port(port).replica_of(&primary);
        let standby = RedisServer::start(options).await;
        let neighbour = TcpListener::bind((OLD, 0)).await.expect("a free port");
        let check = neighbour.local_addr().expect("it is bound").to_string();
        let sites =
            [site("dc-a", &OLD.to_string(), &[&primary]), site("dc-b", &NEW.to_string(), &[&standby])];
        let (named, record, dns) = match holder {
            Holder::Embedded => {
                let dns = SocketAddr::from(([127, 0, 0, 1], free_port()));
                (None, json!({"provider": "embedded", "name": NAME, "ttl": "5s"}), dns)
            }
            Holder::Bind => {
                let line = format!("{NAME}. 5 IN A {OLD}");
                let named = Named::start(&["sessions"], &[&line]).await;
                let (record, dns) = (named.record(NAME), named.address());
                (Some(named), record, dns)
            }
        };
        let text = |time: Duration| json!(format!("{}ms", time.as_millis()));
        let mut setup = Setup::new(record, &sites)
            .with("/services/0/record/type", json!("A"))
            .with("/services/0/record/name_servers", json!([dns]))
            .with("/global/probe_interval", text(rules.interval))
            .with("/global/probe_timeout", text(timeout(rules.interval)))
            .with("/services/0/policy/confirm_window", text(rules.window))
            .with("/services/0/policy/isolation_confirm", text(rules.window * 2))
            .with("/datacenters/0/domain_checks", json!([{"tcp": check}]));
        if holder == Holder::Embedded {
            // A client that asks every millisecond is beyond the limit of answers, and would wait for those left out.
            let limit = json!({"exempt": ["127.0.0.0/8"]});
            let servers = json!(["ns1.elsewhere.test"]);
            let zone = json!({"listen": dns, "zone": ZONE, "name_servers": servers, "rate_limit": limit});
            setup.set("/embedded_dns", zone);
        }
        let agent = setup.start().await;
        let mut words = vec!["adopt", SERVICE, "--yes"];
        if holder == Holder::Embedded {
            words.extend(["--active", "dc-a"]);
        }
        let adopted = setup.redrover(&words).await;
        assert_eq!(adopted.code, 0, "{}", adopted.stderr);
        Self { rules, primary, standby, setup, agent, dns, _named: named, _neighbour: neighbour }
    }

    /// Waits until nothing but the health of the primary stands against a switch.
    pub async fn wait_armed(&self) {
        self.agent.wait_vetoes(SERVICE, &["no_majority"], ARMED_LIMIT).await;
    }

    /// Where the agent listens.
    pub fn agent(&self) -> SocketAddr {
        self.agent.address()
    }

    /// Kills the primary, posts the alert, and asks and writes as a client does.
    pub async fn kill_and_write(&mut self) -> Times {
        let killed = self.kill();
        self.agent.post_alert(SERVICE, "firing").await;
        self.write_again(killed).await
    }

    /// Kills the primary; at that moment.
    pub fn kill(&mut self) -> Killed {
        let killed = Killed { at: Instant::now(), wall: SystemClock::new().now().wall };
        self.primary.kill();
        killed
    }

    /// Asks and writes as a client does.
    pub async fn write_again(&self, Killed { at: killed, wall: killed_at }: Killed) -> Times {
        let new = SocketAddr::from((NEW, self.standby.port()));
        let answer = loop {
            let told = dns::query(self.dns, NAME, RecordType::A).await;
            if told.is_ok_and(|answer| answer.values() == [NEW.to_string()]) {
                break killed.elapsed();
            }
            sleep(POLL).await;
        };
        while !client::can_write(new).await {
            sleep(POLL).await;
        }
        let write = killed.elapsed();
        let journal = SqliteJournal::open_read_only(&self.setup.data_dir()).expect("a journal");
        let entries = journal.read(Query::default()).await.expect("it can be read");
        let (first, last) = rounds(&entries);
        let answered = killed_at + answer;
        let since = |moment: Duration| answered.saturating_sub(moment);
        let beyond_window = since(first).saturating_sub(self.rules.window);
        let mut stages = stages(&entries, last);
        stages.push(("answer".to_owned(), since(last)));
        stages.sort_by_key(|(_, at)| *at);
        Times { reaction: since(last), beyond_window, answer, write, stages }
    }
}

/// When the first failed probe ended, and when the round began that completed the window; since the Unix epoch.
fn rounds(entries: &[Entry]) -> (Duration, Duration) {
    let seen = |entry: &Entry| {
        let Body::Decided { decision, evidence: Some(evidence) } = &entry.body else { return None };
        Some((decision.verdict, (**evidence).clone()))
    };
    let decisions: Vec<(Verdict, Evidence)> = entries.iter().filter_map(seen).collect();
    let failed = |evidence: &Evidence| {
        let active = evidence.snapshots.iter().find(|snapshot| snapshot.site.as_str() == "dc-a");
        active.is_some_and(|snapshot| snapshot.targets.iter().any(|target| target.ping.is_err()))
    };
    let switch = decisions.iter().rposition(|(verdict, _)| *verdict == Verdict::Failover).expect("a switch");
    let before = decisions[..=switch].iter().rev().take_while(|(_, evidence)| failed(evidence));
    let first = before.last().map(|(_, evidence)| taken(evidence)).expect("a failed probe");
    (first, began(&decisions[switch].1))
}

/// The decision, the ticket, and the steps of the switch, each as long after a moment as it was written down.
fn stages(entries: &[Entry], began: Duration) -> Vec<(String, Duration)> {
    let at = |entry: &Entry| Duration::from_millis(u64::try_from(entry.at_unix_ms).unwrap_or(0));
    let name = |body: &Body| {
        if let Body::Decided { decision, .. } = body {
            return (decision.verdict == Verdict::Failover).then(|| "decided".to_owned());
        }
        if let Body::Stepped { step, .. } = body {
            return Some(step.phase().to_owned());
        }
        matches!(body, Body::Ticketed { .. }).then(|| "ticketed".to_owned())
    };
    let named =
        entries.iter().filter_map(|entry| Some((name(&entry.body)?, at(entry).saturating_sub(began))));
    let before_the_end = |(name, _): &(String, Duration)| name != "verified" && name != "reached";
    named.filter(before_the_end).collect()
}

fn taken(evidence: &Evidence) -> Duration {
    let all = evidence.snapshots.iter().filter(|snapshot| snapshot.site.as_str() == "dc-a");
    all.map(|snapshot| snapshot.taken.wall).max().unwrap_or_default()
}

fn began(evidence: &Evidence) -> Duration {
    let each = evidence.snapshots.iter().map(|snapshot| {
        let longest = snapshot.targets.iter().map(|target| target.elapsed).max().unwrap_or_default();
        snapshot.taken.wall.saturating_sub(longest)
    });
    each.min().unwrap_or_default()
}
