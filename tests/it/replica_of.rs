//! A service of Replica Of: the copy is promoted by its cluster, and the source is stopped by its own, at the stand-in for
//! Redis Enterprise.

use serde_json::{Value, json};

use super::support::agent::{Agent, SERVICE, Setup, route53_record};
use super::support::dns::{self, RecordType};
use super::support::enterprise::{EnterpriseSandbox, MEMBER, USER};
use super::support::process::{wait_for, wait_until};
use super::support::sandbox::Route53Sandbox;
use super::support::scene::{NAME, ROUNDS_LIMIT, TARGETS};

/// Database 5 of cluster `b` is the source (`dc-a`), database 2 of cluster `a` its copy (`dc-b`).
struct World {
    clusters: EnterpriseSandbox,
    route53: Route53Sandbox,
    setup: Setup,
    agent: Agent,
}

const SOURCE: (&str, u32) = ("b", 5);
const COPY: (&str, u32) = ("a", 2);
const STOP: &str = "/v1/bdbs/5/actions/stop_traffic";
const RESUME: &str = "/v1/bdbs/5/actions/resume_traffic";

/// A release that says itself that the traffic of a database is stopped, and one that does not.
const PROFILES: [&str; 2] = ["8.0.22", "8.0.10"];

impl World {
    /// Everything runs, and nothing but the health of the source stands against a switch.
    async fn ready(profile: &str) -> Self {
        let users = [(USER, "db_viewer"), (MEMBER, "db_member")]
            .map(|((name, password), role)| json!({"name": name, "password": password, "role": role}));
        let cluster = |name: &str, database: Value| json!({"name": name, "profile": profile, "users": users, "databases": [database]});
        let source = json!({"uid": SOURCE.1, "name": "catalog"});
        let copied = [json!({"cluster": SOURCE.0, "database": SOURCE.1})];
        let copy = json!({"uid": COPY.1, "name": "catalog", "replica_of": copied});
        let plan = json!({"clusters": [cluster(COPY.0, copy), cluster(SOURCE.0, source)]});
        let clusters = EnterpriseSandbox::start_with(Some(&plan)).await;
        let route53 = Route53Sandbox::start(&[&format!("{NAME} CNAME 5 {}", TARGETS[0])]).await;
        let sites = [
            clusters.site("dc-a", TARGETS[0], SOURCE.0, SOURCE.1),
            clusters.site("dc-b", TARGETS[1], COPY.0, COPY.1),
        ];
        let mut setup = Setup::new(route53_record(&route53, NAME), &sites);
        for (pointer, value) in [
            ("/global", json!({"probe_interval": "500ms", "probe_timeout": "450ms"})),
            ("/services/0/topology", json!("replica-of")),
            ("/services/0/promote", json!({"kind": "enterprise"})),
            ("/datacenters/0/enterprise", clusters.cluster_to_promote(SOURCE.0)),
            ("/datacenters/1/enterprise", clusters.cluster_to_promote(COPY.0)),
        ] {
            setup.set(pointer, value);
        }
        let agent = setup.start().await;
        let world = Self { clusters, route53, setup, agent };
        let adopted = world.setup.redrover(&["adopt", SERVICE, "--yes"]).await;
        assert_eq!(adopted.code, 0, "{}", adopted.stderr);
        world.agent.wait_vetoes(SERVICE, &["no_majority"], ROUNDS_LIMIT).await;
        world
    }

    /// The source loses its data, and refuses its clients; its cluster goes on.
    async fn lose_source(&self) {
        self.clusters.change("b/bdb/5", json!("lose_shards")).await;
        self.clusters.change("b/bdb/5", json!({"wire": "refused"})).await;
        self.agent.post_alert(SERVICE, "firing").await;
    }

    async fn wait_end(&self) -> Value {
        wait_for("a switch to end", ROUNDS_LIMIT, async || {
            let told = self.setup.explain(SERVICE, Some("failover")).await?;
            told["then"].as_array()?.iter().any(|entry| entry["kind"] == "ended").then_some(told)
        })
        .await
    }

    async fn answer(&self) -> Vec<String> {
        let answer = dns::query(self.route53.dns(), NAME, RecordType::CNAME).await.expect("an answer");
        answer.values().into_iter().map(str::to_owned).collect()
    }

    /// What was changed at the clusters, and by whom: the path, the user, the status.
    async fn changes(&self) -> Vec<(String, String, u64)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let asked = self.clusters.requests().await;
        let changes = asked.iter().filter(|request| request["method"] != "GET");
        changes
            .map(|r| (text(&r["path"]), text(&r["user"]), r["status"].as_u64().unwrap_or_default()))
            .collect()
    }
}

fn steps(told: &Value) -> Vec<String> {
    let entries = told["then"].as_array().expect("what came of it").iter();
    entries.filter_map(|entry| Some(entry["step"]["step"].as_str()?.to_owned())).collect()
}

fn outcome(told: &Value) -> Value {
    let mut entries = told["then"].as_array().expect("what came of it").iter();
    entries.find(|entry| entry["kind"] == "ended").expect("it ended")["outcome"].clone()
}

#[tokio::test]
async fn the_copy_is_promoted_by_its_cluster_before_the_name_moves() {
    futures_util::future::join_all(PROFILES.map(promoted)).await;
}

async fn promoted(profile: &str) {
    let world = World::ready(profile).await;
    world.lose_source().await;
    let told = world.wait_end().await;
    assert_eq!(outcome(&told)["outcome"], "switched", "{told}");
    assert_eq!(world.answer().await, [TARGETS[1]]);
    let member = MEMBER.0.to_owned();
    let change = |path: &str| (path.to_owned(), member.clone(), 200);
    assert_eq!(world.changes().await, [change(STOP), change("/v1/bdbs/2")], "{profile}");
    assert_eq!(world.clusters.truth(COPY.0, COPY.1).await["writes_survive"], true);
    let steps = steps(&told);
    let order = ["claimed", "fenced", "promoting", "promoted", "proven", "switched"];
    let places: Vec<_> = order.iter().map(|step| steps.iter().position(|said| said == step)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{steps:?}");
    let explained = world.setup.redrover(&["explain", SERVICE, "--verdict", "failover"]).await.stdout;
    assert!(explained.contains("its cluster has stopped its traffic"), "{explained}");

    // It looks with the user that may do nothing else.
    let asked = world.clusters.requests().await;
    let looks = asked.iter().filter(|r| r["method"] == "GET" && r["user"] == USER.0);
    assert!(looks.count() > 0);

    // The source comes back and stays stopped; a person who lets it go on too early is held against.
    world.clusters.change("b/bdb/5", json!({"wire": "none"})).await;
    world.clusters.change("b/bdb/5", json!("recover")).await;
    assert_eq!(world.clusters.truth(SOURCE.0, SOURCE.1).await["writes_succeed"], false);
    for shard in 1..=64 {
        // Those of other databases are well anyway.
        let target = format!("b/shard/{shard}");
        world.clusters.try_change(&target, json!("ok")).await;
    }
    world.clusters.change("b/bdb/5", json!("resume_traffic")).await;
    wait_until("the source to be stopped again", ROUNDS_LIMIT, async || {
        let stops = world.changes().await.iter().filter(|(path, ..)| path == STOP).count();
        stops == 2 && world.clusters.truth(SOURCE.0, SOURCE.1).await["writes_succeed"] == false
    })
    .await;
    assert_eq!(world.answer().await, [TARGETS[1]]);
}

#[tokio::test]
async fn a_cluster_that_refuses_the_promotion_leaves_all_as_it_was() {
    let world = World::ready(PROFILES[0]).await;
    world.clusters.change("a", json!({"license_days": -1})).await;
    world.lose_source().await;
    let told = world.wait_end().await;
    let end = outcome(&told);
    assert_eq!(end["outcome"], "abandoned", "{told}");
    let why = end["why"].as_str().expect("a reason");
    assert!(why.contains("refused to end the copying (HTTP 403, license_expired)"), "{why}");
    assert_eq!(world.answer().await, [TARGETS[0]]);
    let paths: Vec<String> = world.changes().await.into_iter().map(|(path, ..)| path).collect();
    assert_eq!(paths[..3], [STOP, "/v1/bdbs/2", RESUME], "the source is let go on again");
    assert_eq!(world.clusters.truth(COPY.0, COPY.1).await["writes_survive"], false);
}

#[tokio::test]
async fn a_source_that_serves_is_left_only_once_a_person_has_stopped_it() {
    let world = World::ready(PROFILES[0]).await;
    let order = async || {
        let ordered = world.setup.redrover(&["failover", SERVICE, "--to", "dc-b"]).await;
        assert_eq!(ordered.code, 0, "{}", ordered.stderr);
    };
    order().await;
    let told = world.wait_end().await;
    let why = outcome(&told)["why"].as_str().expect("a reason").to_owned();
    assert!(why.contains("no cluster can tell whether its copy has every write"), "{why}");
    assert_eq!(world.changes().await, []);
    assert_eq!(world.answer().await, [TARGETS[0]]);

    world.clusters.change("b/bdb/5", json!("stop_traffic")).await;
    wait_until("the source to be seen down", ROUNDS_LIMIT, async || {
        let health = [("redis_service", SERVICE), ("datacenter", "dc-a"), ("state", "failed")];
        world.agent.metrics().await.value("redrover_health", &health) == Some(1.0)
    })
    .await;
    order().await;
    wait_until("the name to move", ROUNDS_LIMIT, async || world.answer().await == [TARGETS[1]]).await;
    let paths: Vec<String> = world.changes().await.into_iter().map(|(path, ..)| path).collect();
    assert_eq!(paths, ["/v1/bdbs/2"], "what a person has stopped is not stopped again");
}

#[tokio::test]
async fn check_asks_as_the_promoting_user_and_writes_to_no_copy() {
    let world = World::ready(PROFILES[0]).await;
    let checked = world.setup.redrover(&["check", "--connect"]).await;
    let told = checked.stdout;
    for line in
        ["dc-b promotion", "the login is accepted", "a copy, as it should be", "the write canary passed"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
    let asked = world.clusters.requests().await;
    assert!(asked.iter().any(|request| request["user"] == MEMBER.0));
    assert_eq!(world.changes().await, []);
    world.clusters.change("a/user/member@sandbox.test", json!({"status": "locked"})).await;
    let checked = world.setup.redrover(&["check", "--connect"]).await;
    assert_ne!(checked.code, 0, "{}", checked.stdout);
    assert!(checked.stdout.contains("has refused the credentials"), "{}", checked.stdout);
}
