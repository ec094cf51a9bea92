//! After a switch: what a resolver answers, a write through the name, and the comparison with what was before.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

use super::support::agent::{SERVICE, Setup};
use super::support::dns::{self, RecordType};
use super::support::ports::free_port;
use super::support::process::{wait_for, wait_until};
use super::support::redis::{RedisOptions, RedisServer};
use super::support::sandbox::ZONE;
use super::support::scene::{NAME, ROUNDS_LIMIT};

const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 41), Ipv4Addr::new(127, 0, 0, 42)];

fn site(datacenter: &str, server: &RedisServer) -> Value {
    json!({"datacenter": datacenter, "dns_target": server.address(), "targets": [server.target()]})
}

#[tokio::test]
async fn the_new_primary_is_written_to_through_the_name_and_watched_for_a_while() {
    let [a, b] = ADDRESSES;
    let mut primary = RedisServer::start(RedisOptions::default().address(a)).await;
    // Clients find both behind one name, so they listen on the same port.
    let standby = RedisOptions::default().address(b).port(primary.port()).replica_of(&primary);
    let standby = RedisServer::start(standby).await;
    let dns = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let record = json!({
        "provider": "embedded", "name": NAME, "type": "A", "ttl": "5s",
        "name_servers": [dns], "resolvers": [dns],
    });
    let zone = json!({"listen": dns, "zone": ZONE, "name_servers": [format!("ns1.{ZONE}")]});
    let setup = Setup::new(record, &[site("dc-a", &primary), site("dc-b", &standby)])
        .with("/embedded_dns", zone)
        .with("/services/0/policy/watch_period", json!("3s"));
    let agent = setup.start().await;
    let adopted = setup.redrover(&["adopt", SERVICE, "--yes", "--active", "dc-a"]).await;
    assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    agent.wait_vetoes(SERVICE, &["no_majority"], ROUNDS_LIMIT).await;
    primary.kill();
    agent.post_alert(SERVICE, "firing").await;
    let reached = wait_for("the look through the name", ROUNDS_LIMIT, async || {
        let told = setup.explain(SERVICE, Some("failover")).await?;
        told["then"].as_array()?.iter().find(|entry| entry["step"]["step"] == "reached").cloned()
    })
    .await;
    assert_eq!(reached["step"]["is_good"], true, "{reached}");
    let said = reached["step"]["said"].to_string();
    assert!(said.contains(&format!("{dns} answers {b}")), "{said}");
    assert!(said.contains(&format!("a write through the name, to {b}, was read back in ")), "{said}");
    let answer = dns::query(dns, NAME, RecordType::A).await.expect("an answer");
    assert_eq!(answer.values(), [b.to_string()]);

    let words = ["history", SERVICE, "--kind", "compared", "--output", "json"];
    wait_until("the comparison", ROUNDS_LIMIT, async || {
        let told = setup.redrover(&words).await.stdout;
        let Ok(entry) = serde_json::from_str::<Value>(told.lines().next().unwrap_or_default()) else {
            return false;
        };
        let comparison = &entry["entry"]["comparison"];
        assert_eq!((&comparison["from"], &comparison["to"]), (&json!("dc-a"), &json!("dc-b")), "{entry}");
        assert!(comparison["rows"][0]["before"].is_number(), "{entry}");
        assert!(comparison["rows"][0]["after"].is_number(), "{entry}");
        true
    })
    .await;
}
