//! The usual scene of a test: a primary and its replica in two datacenters, a record, and an agent that watches them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::agent::{Agent, SERVICE, Setup, embedded_record, route53_record, site};
use super::dns::{self, RecordType};
use super::named::Named;
use super::ports::free_port;
use super::process::{wait_for, wait_until};
use super::redis::RedisServer;
use super::sandbox::{Route53Sandbox, ZONE};

/// The name that clients use.
pub const NAME: &str = "sessions.example.test";
/// What the record holds for each site, with the final dot of an answer.
pub const TARGETS: [&str; 2] = ["redis.dc-a.example.net.", "redis.dc-b.example.net."];
/// Longest wait for something that takes rounds; generous, as other builds and tests may share the machine.
pub const ROUNDS_LIMIT: Duration = Duration::from_secs(90);

/// Who holds the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The stand-in for Route 53.
    Route53,
    /// BIND.
    Rfc2136,
    /// The agent's own name server.
    Embedded,
}

/// A running scene: `dc-a` is the primary's site and `dc-b` the replica's.
pub struct Scene {
    /// The Redis of `dc-a`.
    pub primary: RedisServer,
    /// The Redis of `dc-b`.
    pub standby: RedisServer,
    /// The agent's files.
    pub setup: Setup,
    /// The agent.
    pub agent: Agent,
    sandbox: Option<Route53Sandbox>,
    named: Option<Named>,
    dns: SocketAddr,
}

impl Scene {
    /// Starts everything; nobody has adopted the service. `changes` are values of the configuration by their pointers,
    /// `Null` to leave a key out.
    pub async fn start(holder: Holder, changes: &[(&str, Value)]) -> Self {
        let primary = RedisServer::primary().await;
        let standby = RedisServer::replica(&primary).await;
        Self::start_with(holder, primary, standby, changes).await
    }

    /// As [`Self::start`], with these Redis.
    pub async fn start_with(
        holder: Holder,
        primary: RedisServer,
        standby: RedisServer,
        changes: &[(&str, Value)],
    ) -> Self {
        let sites = [site("dc-a", TARGETS[0], &[&primary]), site("dc-b", TARGETS[1], &[&standby])];
        let (sandbox, named, mut setup, dns) = match holder {
            Holder::Route53 => {
                let sandbox = Route53Sandbox::start(&[&format!("{NAME} CNAME 5 {}", TARGETS[0])]).await;
                let (setup, dns) = (Setup::new(route53_record(&sandbox, NAME), &sites), sandbox.dns());
                (Some(sandbox), None, setup, dns)
            }
            Holder::Rfc2136 => {
                let line = format!("{NAME}. 5 IN CNAME {}", TARGETS[0]);
                let named = Named::start(&["sessions"], &[&line]).await;
                let (setup, dns) = (Setup::new(named.record(NAME), &sites), named.address());
                (None, Some(named), setup, dns)
            }
            Holder::Embedded => {
                let dns = SocketAddr::from(([127, 0, 0, 1], free_port()));
                let zone = json!({"listen": dns, "zone": ZONE, "name_servers": [format!("ns1.{ZONE}")]});
                let setup = Setup::new(embedded_record(NAME), &sites)
                    .with("/embedded_dns", zone)
                    .with("/services/0/record/name_servers", json!([dns]));
                (None, None, setup, dns)
            }
        };
        for (pointer, value) in changes {
            setup.set(pointer, value.clone());
        }
        let agent = setup.start().await;
        Self { primary, standby, setup, agent, sandbox, named, dns }
    }

    /// As [`Self::start`]; the service is adopted, and nothing but the health of the active site stands against a switch.
    pub async fn ready(holder: Holder, changes: &[(&str, Value)]) -> Self {
        Self::start(holder, changes).await.made_ready().await
    }

    /// As [`Self::ready`], with these Redis.
    pub async fn ready_with(
        holder: Holder,
        primary: RedisServer,
        standby: RedisServer,
        changes: &[(&str, Value)],
    ) -> Self {
        Self::start_with(holder, primary, standby, changes).await.made_ready().await
    }

    async fn made_ready(self) -> Self {
        self.adopt(SERVICE).await;
        self.agent.wait_vetoes(SERVICE, &["no_majority"], ROUNDS_LIMIT).await;
        self
    }

    /// The name server that answers for the record.
    pub fn name_server(&self) -> SocketAddr {
        self.dns
    }

    /// Adopts a service as it stands.
    pub async fn adopt(&self, service: &str) {
        let mut words = vec!["adopt", service, "--yes"];
        if self.sandbox.is_none() {
            words.extend(["--active", "dc-a"]);
        }
        self.order(&words).await;
    }

    /// Runs a command that must succeed.
    pub async fn order(&self, words: &[&str]) -> String {
        let output = self.setup.redrover(words).await;
        assert_eq!(output.code, 0, "{words:?}: {}{}", output.stdout, output.stderr);
        output.stdout
    }

    /// The stand-in for Route 53; panics in a scene with another holder.
    pub fn sandbox(&self) -> &Route53Sandbox {
        self.sandbox.as_ref().expect("the scene's record is at Route 53")
    }

    /// The primary; panics in a scene with another holder.
    pub fn named(&mut self) -> &mut Named {
        self.named.as_mut().expect("the scene's record is at BIND")
    }

    /// The name server that is asked.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// What the name server answers for the service's name.
    pub async fn answer(&self) -> Vec<String> {
        self.answer_for(NAME).await
    }

    /// What the name server answers for another name.
    pub async fn answer_for(&self, name: &str) -> Vec<String> {
        let answer = dns::query(self.dns, name, RecordType::CNAME).await.expect("the name server answers");
        answer.values().into_iter().map(str::to_owned).collect()
    }

    /// Waits until the name server answers the value of a site.
    pub async fn wait_answer(&self, name: &str, target: &str) {
        wait_until(&format!("{name} to be {target}"), ROUNDS_LIMIT, async || {
            self.answer_for(name).await == [target]
        })
        .await;
    }

    /// Waits for a decision with this verdict and this reason, and returns it.
    pub async fn wait_decision(&self, verdict: &str, reason: &str) -> Value {
        let what = format!("a decision {verdict} because of {reason}");
        wait_for(&what, ROUNDS_LIMIT, async || {
            let decision = self.setup.explain(SERVICE, None).await?["decision"].take();
            let is_wanted = decision["verdict"] == verdict && labels(&decision["reasons"]).contains(reason);
            is_wanted.then_some(decision)
        })
        .await
    }

    /// Waits until a veto stands, whatever else does.
    pub async fn wait_veto(&self, veto: &str) {
        let labels = [("redis_service", SERVICE), ("veto", veto)];
        self.agent.wait_metric("redrover_veto", &labels, 1.0, ROUNDS_LIMIT).await;
    }

    /// Waits for the end of a switch, and returns the decision that led to it with all that came of it.
    pub async fn wait_switch(&self, service: &str) -> Value {
        wait_for(&format!("a switch of {service} to end"), ROUNDS_LIMIT, async || {
            let told = self.setup.explain(service, Some("failover")).await?;
            let has_ended = told["then"].as_array()?.iter().any(|entry| entry["kind"] == "ended");
            has_ended.then_some(told)
        })
        .await
    }

    /// Decisions made so far, of one verdict or of all.
    pub async fn decisions(&self, verdict: Option<&str>) -> f64 {
        let mut wanted = vec![("redis_service", SERVICE)];
        wanted.extend(verdict.map(|verdict| ("verdict", verdict)));
        let metrics = self.agent.metrics().await;
        metrics.select("redrover_decisions_total", &wanted).map(|(_, value)| value).sum()
    }

    /// Waits until so many further decisions were made.
    pub async fn wait_rounds(&self, rounds: u32) {
        let until = self.decisions(None).await + f64::from(rounds);
        wait_until(&format!("{rounds} more rounds"), ROUNDS_LIMIT, async || {
            self.decisions(None).await >= until
        })
        .await;
    }

    /// Waits until a number of the agent about the service has this value.
    pub async fn wait_number(&self, name: &str, value: f64) {
        self.agent.wait_metric(name, &[("redis_service", SERVICE)], value, ROUNDS_LIMIT).await;
    }

    /// Asserts that nothing was moved: one answer, the record's first; a replica that is none other; and no change but
    /// those so many that the stand-in for Route 53 had applied.
    pub async fn assert_unmoved(&self, changes: usize) {
        assert_eq!(self.answer().await, [TARGETS[0]]);
        assert_eq!(self.decisions(Some("failover")).await, 0.0);
        if let Some(sandbox) = &self.sandbox {
            let history = sandbox.history().await;
            assert_eq!(history.applied("api"), changes, "{history:?}");
        }
        if let Ok(role) = self.standby.info("role").await {
            assert_eq!(role.as_deref(), Some("slave"));
        }
    }
}

/// The labels of a list of reasons, or of vetoes.
pub fn labels(list: &Value) -> BTreeSet<String> {
    let reasons = list.as_array().into_iter().flatten();
    reasons
        .map(|item| if item["reason"].is_object() { &item["reason"]["reason"] } else { &item["reason"] })
        .filter_map(|label| label.as_str().map(str::to_owned))
        .collect()
}
