//! Redis Enterprise, played by the stand-in: what is exported, what becomes evidence, and an Active-Active service whose
//! database dies.

use serde_json::{Value, json};

use super::exposition::assert_promtool_is_content;
use super::support::agent::{Agent, SERVICE, Setup, route53_record};
use super::support::catalog::assert_is_in_the_catalog;
use super::support::dns::{self, RecordType};
use super::support::enterprise::{EnterpriseSandbox, USER};
use super::support::process::{wait_for, wait_until};
use super::support::sandbox::Route53Sandbox;
use super::support::scene::{NAME, ROUNDS_LIMIT, TARGETS, labels};
use redrover::monitor::Names;

/// A service with a member of an Active-Active database in each of two clusters, and an agent that watches it.
struct World {
    clusters: EnterpriseSandbox,
    route53: Route53Sandbox,
    setup: Setup,
    agent: Agent,
}

impl World {
    async fn start(mode: &str) -> Self {
        let clusters = EnterpriseSandbox::start().await;
        let route53 = Route53Sandbox::start(&[&format!("{NAME} CNAME 5 {}", TARGETS[0])]).await;
        let sites = [clusters.site("dc-a", TARGETS[0], "a", 1), clusters.site("dc-b", TARGETS[1], "b", 4)];
        let mut setup = Setup::new(route53_record(&route53, NAME), &sites);
        for (pointer, value) in [
            ("/global", json!({"probe_interval": "500ms", "probe_timeout": "450ms"})),
            ("/services/0/mode", json!(mode)),
            ("/services/0/topology", json!("active-active")),
            ("/services/0/promote", Value::Null),
            ("/datacenters/0/enterprise", clusters.cluster("a")),
            ("/datacenters/1/enterprise", clusters.cluster("b")),
            ("/datacenters/0/enterprise/metrics_url", json!(clusters.metrics_url("a"))),
        ] {
            setup.set(pointer, value);
        }
        let agent = setup.start().await;
        Self { clusters, route53, setup, agent }
    }

    /// Waits until the strength of a group of evidence is as wanted; `None` when nothing is known.
    async fn wait_evidence(&self, group: &str, what: &str, is_wanted: impl Fn(Option<f64>) -> bool) {
        let labels = [("redis_service", SERVICE), ("group", group)];
        wait_until(&format!("{group} evidence: {what}"), ROUNDS_LIMIT, async || {
            is_wanted(self.agent.metrics().await.value("redrover_evidence", &labels))
        })
        .await;
    }

    async fn wait_decision(&self, verdict: &str) -> Value {
        wait_for(&format!("a decision {verdict}"), ROUNDS_LIMIT, async || {
            let decision = self.setup.explain(SERVICE, Some(verdict)).await?["decision"].take();
            (decision["verdict"] == verdict).then_some(decision)
        })
        .await
    }

    async fn answer(&self) -> Vec<String> {
        let answer = dns::query(self.route53.dns(), NAME, RecordType::CNAME).await.expect("an answer");
        answer.values().into_iter().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn what_clusters_say_is_exported_in_base_units() {
    let world = World::start("observe").await;
    let database = [("datacenter", "dc-a"), ("database", "1"), ("name", "sessions")];
    let (fresh, endpoint) = ("redis_enterprise_database_fresh", "redis_enterprise_endpoint_requests_total");
    wait_until("a whole look at both clusters", ROUNDS_LIMIT, async || {
        let metrics = world.agent.metrics().await;
        let is_up = metrics.select("redis_enterprise_up", &[]).filter(|(_, up)| *up > 0.0).count() == 2;
        is_up && metrics.value(fresh, &database) == Some(1.0) && metrics.select(endpoint, &[]).count() > 0
    })
    .await;
    let page = world.agent.get("/metrics").await.body;
    assert_is_in_the_catalog(&page, Names::Clean);
    assert_promtool_is_content(&page).await;
    assert!(!page.contains("SANDBOX-") && !page.contains(USER.1), "a secret is shown");
    let metrics = world.agent.metrics().await;
    let of = |name: &str, labels: &[(&str, &str)]| metrics.value(name, labels);
    assert_eq!(of("redis_enterprise_database_available", &database), Some(1.0));
    let read = [database[0], database[1], ("kind", "read")];
    let latency = of("redis_enterprise_database_latency_seconds", &read).expect("a latency");
    assert!((1e-6..1e-3).contains(&latency), "{latency} is not of microseconds");
    // Nobody uses the plain one: no latency, and no zero in its place. Its lag is never asked.
    let idle = [("datacenter", "dc-a"), ("database", "7")];
    assert_eq!(metrics.select("redis_enterprise_database_latency_seconds", &idle).count(), 0);
    assert_eq!((of(fresh, &idle), of("redis_enterprise_database_available", &idle)), (None, Some(1.0)));
    let link = [("datacenter", "dc-a"), ("database", "2"), ("kind", "replica-of")];
    assert_eq!(of("redis_enterprise_link_in_sync", &link), Some(1.0));
    assert!(of("redis_enterprise_link_lag_seconds", &link).is_some_and(|lag| lag < 1.0));
    let node = [("datacenter", "dc-a"), ("node", "2")];
    assert_eq!(of("redis_enterprise_node_leads", &node), Some(1.0));
    assert_eq!(metrics.select("redis_enterprise_gap", &[]).count(), 0);

    let asked = world.clusters.requests().await;
    for request in &asked {
        let path = request["path"].as_str().expect("a path");
        assert_eq!(request["method"], "GET", "{path}");
        let names_fields =
            path.contains("fields=") || path.contains("/availability") || path.contains("stats");
        assert!(!path.starts_with("/v1/bdbs") || names_fields || path.contains("alerts"), "{path}");
        let is_member = path.contains("/1/") || path.contains("/4/");
        assert!(!path.contains("extend_check") || is_member, "{path}");
    }

    // A cluster that cannot be asked is a gap, and its old numbers are gone.
    world.clusters.change("a", json!({"rest": {"status": 502}})).await;
    wait_until("the cluster to be a gap", ROUNDS_LIMIT, async || {
        let metrics = world.agent.metrics().await;
        let up = metrics.value("redis_enterprise_up", &[("datacenter", "dc-a")]);
        // The cluster's own metrics come from elsewhere, and may go on.
        up == Some(0.0) && metrics.select(fresh, &[("datacenter", "dc-a")]).count() == 0
    })
    .await;
    assert!(metrics.select("redis_enterprise_gap", &[]).count() == 0);
}

#[tokio::test]
async fn what_clusters_say_becomes_evidence_and_a_locked_user_is_left_alone() {
    let world = World::start("observe").await;
    let clusters = &world.clusters;
    // Adopted, so that the active site is known.
    assert_eq!(world.setup.redrover(&["adopt", SERVICE, "--yes"]).await.code, 0);
    world.wait_evidence("control", "it is available", |said| said == Some(0.0)).await;
    world.wait_evidence("peer", "the link is up", |said| said == Some(0.0)).await;

    clusters.change("a/bdb/1", json!({"status": "creation-failed"})).await;
    world.wait_evidence("control", "it is not available", |said| said == Some(1.0)).await;
    clusters.change("a/bdb/1", json!("recover")).await;
    world.wait_evidence("control", "it is available again", |said| said == Some(0.0)).await;
    for node in [1, 3] {
        clusters.change(&format!("a/node/{node}"), json!("down")).await;
    }
    clusters.skip(4_000).await;
    world.wait_evidence("control", "there is no quorum", |said| said == Some(1.0)).await;
    for node in [1, 3] {
        clusters.change(&format!("a/node/{node}"), json!("up")).await;
    }
    world.wait_evidence("control", "there is one again", |said| said == Some(0.0)).await;

    // That nobody answers says less than an answer, and a fault of its own nothing.
    clusters.change("a", json!({"rest": "silent"})).await;
    world
        .wait_evidence("control", "nobody answers", |said| said.is_some_and(|s| (0.1..0.9).contains(&s)))
        .await;
    clusters.change("a", json!({"rest": {"status": 502}})).await;
    world.wait_evidence("control", "it says nothing", |said| said.is_none()).await;
    clusters.change("a", json!({"rest": "none"})).await;
    world.wait_evidence("control", "it says something", |said| said == Some(0.0)).await;

    // A cut link is evidence once it is noticed, and takes no database out of service.
    clusters.change("link/a/b", json!("cut")).await;
    clusters.skip(61_000).await;
    world.wait_evidence("peer", "the link is lost", |said| said == Some(1.0)).await;
    world.wait_evidence("control", "it is available all the same", |said| said == Some(0.0)).await;

    clusters.change(&format!("a/user/{}", USER.0), json!({"status": "locked"})).await;
    world.wait_evidence("control", "the login is refused", |said| said.is_none()).await;
    let of_a = async || {
        let all = clusters.requests().await;
        all.iter()
            .filter(|request| request["cluster"] == "a")
            .map(|r| r["status"].clone())
            .collect::<Vec<_>>()
    };
    let rounds = async || {
        let metrics = world.agent.metrics().await;
        metrics.select("redrover_decisions_total", &[]).map(|(_, value)| value).sum::<f64>()
    };
    let wait_rounds = async |count: f64| {
        let until = rounds().await + count;
        wait_until("further rounds", ROUNDS_LIMIT, async || rounds().await >= until).await;
    };
    // What was under way when the first login was refused has ended by then.
    wait_rounds(3.0).await;
    let before = of_a().await;
    let refused = before.iter().filter(|status| **status == 401).count();
    assert!((1..=3).contains(&refused), "{refused} refused logins");
    wait_rounds(6.0).await;
    assert_eq!(of_a().await, before, "a refused login rests");
}

#[tokio::test]
async fn an_active_active_service_moves_when_its_database_dies() {
    let mut world = World::start("recommend").await;
    assert_eq!(world.setup.redrover(&["adopt", SERVICE, "--yes"]).await.code, 0);
    world.agent.wait_vetoes(SERVICE, &["mode", "no_majority"], ROUNDS_LIMIT).await;
    let die = async |clusters: &EnterpriseSandbox| {
        clusters.change("a/bdb/1", json!("lose_shards")).await;
        clusters.change("a/bdb/1", json!({"wire": "refused"})).await;
    };
    die(&world.clusters).await;
    let decision = world.wait_decision("recommend").await;
    assert_eq!(decision["target"], "dc-b", "{decision}");
    assert_eq!(world.answer().await, [TARGETS[0]]);
    let applied = world.route53.history().await.applied("api");

    world.setup.set("/services/0/mode", json!("automatic"));
    world.agent.process().signal("HUP");
    let told = wait_for("the switch to end", ROUNDS_LIMIT, async || {
        let told = world.setup.explain(SERVICE, Some("failover")).await?;
        told["then"].as_array()?.iter().any(|entry| entry["kind"] == "ended").then_some(told)
    })
    .await;
    wait_until("the name to move", ROUNDS_LIMIT, async || world.answer().await == [TARGETS[1]]).await;
    let terms = told["decision"]["confidence"]["terms"].as_array().expect("terms").clone();
    let control = terms.iter().find(|term| term["group"] == "control").expect("a term of control");
    assert_eq!(control["strength"], 1.0, "{control}");
    assert!(world.route53.history().await.applied("api") > applied);
    assert!(!labels(&told["decision"]["reasons"]).is_empty());
}

/// The look of a round may have begun before the change: what is waited for is that the fields of a decision say so.
#[tokio::test]
async fn a_standby_whose_info_tells_no_limit_of_memory_is_fit_by_its_clusters_word() {
    let world = World::start("observe").await;
    world.clusters.set_info_has_memory_limit(false).await;
    assert_eq!(world.setup.redrover(&["adopt", SERVICE, "--yes"]).await.code, 0);
    let wait_capacity = async |what: &str, is_wanted: &dyn Fn(f64) -> bool| {
        wait_for(&format!("the standby's capacity: {what}"), ROUNDS_LIMIT, async || {
            let limits = world.agent.metrics().await;
            let told = limits.select("redis_memory_max_bytes", &[]).count();
            let decision = world.setup.explain(SERVICE, None).await?["decision"].take();
            let fitness = decision["fitness"].as_array()?.iter().find(|one| one["site"] == "dc-b")?.clone();
            let dimensions = fitness["dimensions"].as_array()?.clone();
            let capacity = dimensions.into_iter().find(|one| one["dimension"] == "capacity")?;
            (told == 0 && is_wanted(capacity["unfitness"].as_f64()?)).then_some(capacity)
        })
        .await
    };
    let capacity = wait_capacity("known", &|unfitness| unfitness < 0.5).await;
    assert!(capacity["because"].as_str().is_some_and(|why| why.contains("memory limit")), "{capacity}");
    // Without the word there is no capacity: it came from there.
    world.clusters.change("b", json!({"rest": {"status": 502}})).await;
    let capacity = wait_capacity("unknown", &|unfitness| unfitness > 0.5).await;
    assert_eq!(capacity["because"], "its memory is unknown", "{capacity}");
}
