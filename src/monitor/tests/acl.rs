//! `deploy/redis/users.acl`: each of its users may do all that its part of the program does, and little else.

use std::time::Duration;

use super::reasons;
use super::rig::{AMPLE, Server, config, look, service, site, target, until, with_login};
use crate::config::{Exporter as Wants, Target};
use crate::monitor::{CanaryProbe, Exporter, ExporterOptions, Format, RedisClient};
use crate::types::{AgentName, Clock as _, Role, SystemClock};

const USERS: &str = include_str!("../../../deploy/redis/users.acl");
const PASSWORD: &str = "hunter2";

/// Gives a server these users.
fn admit(server: &Server) {
    assert_eq!(USERS.lines().count(), 3);
    for line in USERS.lines() {
        let line = line.replace(">PASSWORD", &format!(">{PASSWORD}"));
        let words = line.strip_prefix("user ").expect("each line is a user").split(' ');
        let command: Vec<&str> = ["ACL", "SETUSER"].into_iter().chain(words).collect();
        assert_eq!(server.cli(&command).trim(), "OK", "{line}");
    }
}

fn as_user(server: &Server, user: &str) -> Target {
    with_login(target("127.0.0.1", server.port), Some(user), PASSWORD)
}

fn client(target: Target) -> RedisClient {
    super::rig::client(target)
}

fn refused(server: &Server, user: &str, words: &[&str]) -> bool {
    let login = ["--user", user, "-a", PASSWORD, "--no-auth-warning"];
    server.cli(&[&login, words].concat()).contains("NOPERM")
}

#[tokio::test]
async fn the_observer_may_ask_all_that_a_scrape_asks() {
    for mode in [&[][..], &["--cluster-enabled", "yes"]] {
        let server = Server::start(mode).await;
        admit(&server);
        let mut config = config(vec![service(vec![as_user(&server, "redrover-observe")])]);
        config.exporter = Wants { parameters: true, clients_max: 10, ..Wants::default() };
        let clock = std::sync::Arc::new(SystemClock::new());
        let exporter = Exporter::new(&config, &(clock as _), ExporterOptions::default()).unwrap();
        let name = exporter.discover(AMPLE).await.remove(0).0;
        for _ in 0..2 {
            let page = exporter.scrape(name.as_str(), &[], AMPLE, Format::Text).await.unwrap();
            let page = String::from_utf8(page).unwrap();
            assert!(page.contains("\nredis_up 1\n") && !page.contains("redrover_scrape_blocked"), "{page}");
            assert!(page.contains("\nredis_connected_client_info{"), "{page}");
        }
        let may_not = [&["GET", "a"][..], &["SET", "redrover:canary:a", "1"], &["CONFIG", "SET", "hz", "1"]];
        assert!(may_not.iter().all(|words| refused(&server, "redrover-observe", words)));
    }
}

#[tokio::test]
async fn the_canary_may_write_its_own_keys() {
    let server = Server::start(&[]).await;
    admit(&server);
    let client = client(as_user(&server, "redrover-canary"));
    let agent = AgentName::new("a1").unwrap();
    let now = SystemClock::new().now();
    let probe = CanaryProbe::new("redrover:canary:", &agent, &site("dc-a"), 1, now);
    client.ping(AMPLE).await.unwrap();
    client.info(AMPLE).await.unwrap();
    client.canary(&probe, AMPLE).await.unwrap();
    let may_not =
        [&["SET", "a", "1"][..], &["GET", "a"], &["DEL", "redrover:canary:a"], &["REPLICAOF", "NO", "ONE"]];
    assert!(may_not.iter().all(|words| refused(&server, "redrover-canary", words)));
    // The rig's canary has another prefix.
    let seen = look(as_user(&server, "redrover-canary"), AMPLE).await;
    assert_eq!(reasons(&seen)[..2], [None; 2]);
}

#[tokio::test]
async fn the_promoter_may_pause_and_promote() {
    let (old, new) = (Server::start(&[]).await, Server::start(&[]).await);
    new.cli(&["REPLICAOF", "127.0.0.1", &old.port.to_string()]);
    [&old, &new].into_iter().for_each(admit);
    let [old_client, new_client] = [&old, &new].map(|server| client(as_user(server, "redrover-promote")));
    old_client.may_pause_writes(AMPLE).await.unwrap();
    old_client.pause_writes(Duration::from_secs(1), AMPLE).await.unwrap();
    old_client.resume_writes(AMPLE).await.unwrap();
    new_client.may_promote(AMPLE).await.unwrap();
    assert_eq!(new_client.role(AMPLE).await.unwrap(), Role::Replica);
    new_client.replicaof_no_one(AMPLE).await.unwrap();
    until("it is promoted", async || new_client.role(AMPLE).await.is_ok_and(|role| role == Role::Primary))
        .await;
    new_client.info(AMPLE).await.unwrap();
    let may_not = [&["FLUSHALL"][..], &["CLIENT", "KILL", "TYPE", "normal"], &["GET", "a"]];
    assert!(may_not.iter().all(|words| refused(&new, "redrover-promote", words)));
}
