//! The active Redis dies: one switch, explained, and never a second.

use serde_json::{Value, json};

use super::support::agent::{SERVICE, Setup, notification, route53_record, site};
use super::support::dns::{self, RecordType};
use super::support::process::{wait_for, wait_until};
use super::support::redis::RedisServer;
use super::support::sandbox::{Route53Sandbox, ZONE};
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS, labels};

/// The journal's last words about a switch that went well.
const STEPS: [&str; 7] = ["claimed", "fenced", "promoting", "promoted", "proven", "switched", "verified"];

#[tokio::test]
async fn a_dead_primary_leads_to_one_switch_at_route53() {
    let mut scene = Scene::ready(Holder::Route53, &[]).await;
    fails_over_once(&mut scene).await;
    let history = scene.sandbox().history().await;
    assert_eq!(history.applied("api"), 3, "adoption, claim and switch: {history:?}");
    assert_eq!(history.refused(), [""; 0], "{history:?}");
    assert_eq!(history.values(NAME), TARGETS.map(|target| target.trim_end_matches('.')));
    the_next_switch_waits_for_a_person(&mut scene).await;
    assert_eq!(scene.sandbox().history().await.applied("api"), 3);
}

#[tokio::test]
async fn a_dead_primary_leads_to_one_switch_at_the_embedded_name_server() {
    fails_over_once(&mut Scene::ready(Holder::Embedded, &[]).await).await;
}

#[tokio::test]
async fn a_dead_primary_leads_to_one_switch_at_bind() {
    let mut scene = Scene::ready(Holder::Rfc2136, &[]).await;
    let told = scene.order(&["check", "--connect"]).await;
    assert!(told.contains("read and change record and fence"), "{told}");
    fails_over_once(&mut scene).await;
    let fence = dns::query(scene.named().address(), &format!("_redrover.{NAME}"), RecordType::TXT).await;
    let fence = fence.expect("an answer").records;
    assert!(fence.len() == 1 && fence[0].0.contains("epoch=3;active=dc-b;from=dc-a"), "{fence:?}");
    // Somebody takes the zone back: redrover does not argue.
    let edit = [format!("update delete {NAME} CNAME"), format!("update add {NAME} 5 CNAME {}", TARGETS[0])];
    scene.named().edit(&edit.each_ref().map(String::as_str)).await;
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_number("redrover_halted", 1.0).await;
    assert_eq!(scene.answer().await, [TARGETS[0]]);
    // What the primary no longer answers is not known.
    scene.named().process().kill();
    let told = scene.setup.redrover(&["check", "--connect"]).await;
    assert_eq!(told.code, 1, "{}", told.stdout);
    assert!(told.stdout.contains("the provider is not available"), "{}", told.stdout);
}

async fn fails_over_once(scene: &mut Scene) {
    // Nobody had adopted the service at first.
    let halts = scene.decisions(Some("halt")).await;
    assert_eq!(scene.answer().await, [TARGETS[0]]);
    scene.wait_number("redrover_fence_epoch", 1.0).await;
    scene.wait_number("redrover_writable_primaries", 1.0).await;
    let _: () = scene.primary.command(&["SET", "kept", "yes"]).await.expect("a primary takes writes");
    wait_until("the write to arrive at the replica", ROUNDS_LIMIT, async || {
        scene.standby.command::<Option<String>>(&["GET", "kept"]).await.is_ok_and(|v| v.is_some())
    })
    .await;

    scene.primary.kill();
    // Alertmanager repeats itself.
    for _ in 0..3 {
        scene.agent.post_alert(SERVICE, "firing").await;
    }
    let told = scene.wait_switch(SERVICE).await;
    assert_is_explained(&told);
    scene.wait_answer(NAME, TARGETS[1]).await;
    scene.wait_number("redrover_fence_epoch", 3.0).await;
    assert_eq!(scene.standby.info("role").await.expect("an answer").as_deref(), Some("master"));
    let _: () = scene.standby.command(&["SET", "new", "yes"]).await.expect("the new primary takes writes");
    let kept: String = scene.standby.command(&["GET", "kept"]).await.expect("an answer");
    assert_eq!(kept, "yes");

    scene.primary.restart().await;
    wait_until("the old primary to be paused", ROUNDS_LIMIT, async || {
        let written = scene.primary.command::<()>(&["SET", "lost", "yes"]).await;
        written.is_err_and(|error| error.is_timeout())
    })
    .await;
    assert_eq!(scene.primary.command::<String>(&["PING"]).await.expect("a pause answers"), "PONG");
    scene.wait_number("redrover_writable_primaries", 1.0).await;

    scene.wait_rounds(10).await;
    assert_eq!(scene.decisions(Some("failover")).await, 1.0);
    assert_eq!(scene.decisions(Some("halt")).await, halts);
    assert_eq!(scene.answer().await, [TARGETS[1]]);
    scene.wait_number("redrover_fence_epoch", 3.0).await;
}

fn assert_is_explained(told: &Value) {
    let decision = &told["decision"];
    assert_eq!((&decision["active"], &decision["target"]), (&json!("dc-a"), &json!("dc-b")));
    assert!(labels(&decision["reasons"]).contains("confirmed"), "{decision}");
    assert_eq!(labels(&decision["vetoes"]).len(), 0, "{decision}");
    let number = |pointer: &str| {
        decision.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {decision}"))
    };
    let adds: f64 = decision["confidence"]["terms"]
        .as_array()
        .expect("terms")
        .iter()
        .map(|term| term["weight"].as_f64().unwrap_or(0.0) * term["strength"].as_f64().unwrap_or(0.0))
        .sum();
    // vantage 6, peer 2 and alert 1.5, against a bias of -6.5.
    assert!((adds - 9.5).abs() < 1e-9, "{decision}");
    assert!((number("/confidence/log_odds") - 3.0).abs() < 1e-9, "{decision}");
    let belief = 1.0 / (1.0 + (-3.0_f64).exp());
    assert!((number("/confidence/belief") - belief).abs() < 1e-9, "{decision}");
    let product = belief * number("/confidence/fitness") * number("/confidence/damping");
    assert!((number("/confidence/confidence") - product).abs() < 1e-9, "{decision}");
    assert!(product >= number("/thresholds/0"), "{decision}");

    let then = told["then"].as_array().expect("entries");
    let steps: Vec<_> = then.iter().filter_map(|entry| entry["step"]["step"].as_str()).collect();
    assert_eq!(steps, STEPS, "{told}");
    assert_eq!(then.last().expect("an end")["outcome"]["outcome"], "switched", "{told}");
}

/// The old primary is made a replica, and then the new one dies as well.
async fn the_next_switch_waits_for_a_person(scene: &mut Scene) {
    let port = scene.standby.port().to_string();
    let _: () = scene.primary.command(&["REPLICAOF", "127.0.0.1", &port]).await.expect("a demotion");
    scene.primary.wait_link_up().await;
    scene.wait_number("redrover_writable_primaries", 1.0).await;
    scene.agent.wait_vetoes(SERVICE, &["no_majority", "too_soon"], ROUNDS_LIMIT).await;

    scene.standby.kill();
    let alert = [("alertname", "RedisDown"), ("redis_service", SERVICE), ("datacenter", "dc-b")];
    assert_eq!(scene.agent.post_webhook(&notification("firing", &alert)).await.status, 200);
    let decision = scene.wait_decision("recommend", "too_soon").await;
    assert_eq!((&decision["active"], &decision["target"]), (&json!("dc-b"), &json!("dc-a")));
    scene.wait_rounds(10).await;
    assert_eq!(scene.decisions(Some("failover")).await, 1.0);
    assert_eq!(scene.answer().await, [TARGETS[1]]);
    assert_eq!(scene.primary.info("role").await.expect("an answer").as_deref(), Some("slave"));
}

/// What goes wrong with the last change of a switch, and which refusals that leaves behind.
const FAULTS: [(&str, &str, u32, &[&str]); 3] = [
    ("reply-lost", "lose_reply", 1, &[]),
    ("request-lost", "lose_request", 1, &["lose_request"]),
    ("throttled", "throttle", 2, &["Throttling", "Throttling"]),
];

#[tokio::test]
async fn a_change_that_is_lost_or_throttled_is_made_once() {
    let name = |service: &str| format!("{service}.{ZONE}");
    let records = FAULTS.map(|(service, ..)| format!("{} CNAME 5 {}", name(service), TARGETS[0]));
    let sandbox = Route53Sandbox::start(&records.each_ref().map(String::as_str)).await;
    let mut services = Vec::new();
    for (service, ..) in FAULTS {
        let primary = RedisServer::primary().await;
        let standby = RedisServer::replica(&primary).await;
        let sites = [site("dc-a", TARGETS[0], &[&primary]), site("dc-b", TARGETS[1], &[&standby])];
        services.push((service, primary, standby, sites));
    }
    let (first, .., sites) = &services[0];
    let mut setup =
        Setup::new(route53_record(&sandbox, &name(first)), sites).with("/services/0/name", json!(first));
    for (service, .., sites) in &services[1..] {
        setup.add_service(service, route53_record(&sandbox, &name(service)), sites);
    }
    let agent = setup.start().await;
    for (service, ..) in FAULTS {
        let adopted = setup.redrover(&["adopt", service, "--yes"]).await;
        assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    }
    for (service, fault, count, refusals) in FAULTS {
        agent.wait_vetoes(service, &["no_majority"], ROUNDS_LIMIT).await;
        let before = sandbox.history().await;
        // The claim passes, as a delay of nothing is none; the fault is for the change after it.
        let passes = json!({"fault": "delay", "delay_ms": 0});
        sandbox.put_faults(&[passes, json!({"fault": fault, "count": count})]).await;
        let (_, primary, standby, _) =
            services.iter_mut().find(|(name, ..)| *name == service).expect("it is one of them");
        primary.kill();
        agent.post_alert(service, "firing").await;
        let ended = wait_for(&format!("the switch of {service}"), ROUNDS_LIMIT, async || {
            let told = setup.explain(service, Some("failover")).await?;
            told["then"].as_array()?.iter().find(|entry| entry["kind"] == "ended").cloned()
        })
        .await;
        assert_eq!(ended["outcome"]["outcome"], "switched", "{ended}");
        assert_eq!(standby.info("role").await.expect("an answer").as_deref(), Some("master"));
        let answer = dns::query(sandbox.dns(), &name(service), RecordType::CNAME).await.expect("an answer");
        assert_eq!(answer.values(), [TARGETS[1]]);

        let history = sandbox.history().await;
        assert_eq!(history.applied("api") - before.applied("api"), 2, "{history:?}");
        assert_eq!(history.refused()[before.refused().len()..], *refusals, "{history:?}");
        assert_eq!(history.values(&name(service)), TARGETS.map(|target| target.trim_end_matches('.')));
        let metrics = agent.metrics().await;
        let labels = [("redis_service", service), ("verdict", "failover")];
        assert_eq!(metrics.value("redrover_decisions_total", &labels), Some(1.0));
        let labels = [("redis_service", service), ("outcome", "switched")];
        assert_eq!(metrics.value("redrover_failovers_total", &labels), Some(1.0));
    }
}
