//! The monitor against real servers, healthy and not.

mod acl;
mod manual;
pub(in crate::monitor) mod rig;
mod signals;
mod slow;

use std::time::Duration;

use rig::{
    AMPLE, Papers, Pretender, Server, Then, client, look, monitor, site, target, until, with_login, with_tls,
};

use tokio::io::AsyncReadExt as _;

use crate::config::Address;
use crate::monitor::{Format, Page, SiteClient, WriteCanary};
use crate::types::{CanaryResult, GapReason, Role, TargetSnapshot};

/// PING's reason, INFO's, the canary's; `None` where all went well, or where it was not asked.
fn reasons(seen: &TargetSnapshot) -> [Option<GapReason>; 3] {
    let canary = match &seen.canary {
        CanaryResult::Failed(gap) => Some(gap.reason),
        CanaryResult::Written(_) | CanaryResult::NotAsked => None,
    };
    [seen.ping.as_ref().err().map(|gap| gap.reason), seen.facts.as_ref().err().map(|gap| gap.reason), canary]
}

fn connections(seen: &TargetSnapshot) -> f64 {
    seen.samples.iter().find(|s| s.metric == "redis_connections_received_total").unwrap().value
}

#[tokio::test]
async fn a_healthy_server_is_seen_over_one_connection() {
    let server = Server::start(&[]).await;
    let (monitor, registry) = monitor(vec![server.target()]);
    let first = monitor.look(&site("dc-a"), AMPLE, WriteCanary::Write).await;
    let second = monitor.look(&site("dc-a"), AMPLE, WriteCanary::Skip).await;
    let [first, second] = [&first.targets[0], &second.targets[0]];
    assert_eq!(reasons(first), [None; 3]);
    assert!(matches!(first.canary, CanaryResult::Written(took) if took < AMPLE));
    assert_eq!(second.canary, CanaryResult::NotAsked);
    assert_eq!(first.facts.as_ref().unwrap().role, Some(Role::Primary));
    assert!(first.samples.iter().any(|s| s.metric == "redis_commands_total"));
    assert!(first.elapsed >= *first.ping.as_ref().unwrap());
    assert!((connections(first) - connections(second)).abs() < 0.5, "the connection is kept");
    assert_eq!(server.cli(&["STRLEN", "_redrover:a1:dc-a"]).trim(), "2048");
    let ttl: i64 = server.cli(&["PTTL", "_redrover:a1:dc-a"]).trim().parse().unwrap();
    assert!((1..=60_000).contains(&ttl), "{ttl}");

    // A connection that the server closed between two looks is no gap.
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    let third = monitor.look(&site("dc-a"), AMPLE, WriteCanary::Skip).await;
    assert_eq!(reasons(&third.targets[0]), [None; 3]);
    assert!(monitor.look(&site("dc-x"), AMPLE, WriteCanary::Skip).await.targets.is_empty());

    let mut page = Page::new(Format::Text);
    page.registry(&registry);
    let page = String::from_utf8(page.finish()).unwrap();
    let want = "redrover_probe_duration_seconds_count{redis_service=\"sessions\",datacenter=\"dc-a\"} 3\n";
    assert!(page.contains(want), "{page}");
    assert!(!page.contains("redrover_probe_gaps_total{"), "{page}");
}

#[tokio::test]
async fn an_absent_server_is_a_gap_with_its_reason() {
    let refused = GapReason::Refused;
    let port = rig::free_port();
    let (monitor, registry) = monitor(vec![target("127.0.0.1", port)]);
    let seen = monitor.look(&site("dc-a"), AMPLE, WriteCanary::Write).await.targets.remove(0);
    assert_eq!(reasons(&seen), [Some(refused), Some(refused), None]);
    assert_eq!((seen.canary, seen.samples.len()), (CanaryResult::NotAsked, 0));
    let mut page = Page::new(Format::OpenMetrics);
    page.registry(&registry);
    let page = String::from_utf8(page.finish()).unwrap();
    let want =
        "redrover_probe_gaps_total{redis_service=\"sessions\",datacenter=\"dc-a\",reason=\"refused\"} 1\n";
    assert!(page.contains(want), "{page}");

    let seen = look(target("no-such-host.invalid", port), AMPLE).await;
    assert_eq!(reasons(&seen)[0], Some(GapReason::Dns), "{seen:?}");
    let dir = tempfile::tempdir().unwrap();
    let mut absent = target("127.0.0.1", port);
    absent.address = Address::Unix(dir.path().join("absent.sock"));
    assert_eq!(reasons(&look(absent, AMPLE).await)[0], Some(refused));
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("r.sock");
    let server = Server::start(&["--unixsocket", socket.to_str().unwrap()]).await;
    let mut target = server.target();
    target.address = Address::Unix(socket);
    assert_eq!(reasons(&look(target, AMPLE).await), [None; 3]);
}

#[tokio::test]
async fn a_hung_server_costs_its_own_deadline_only() {
    let deadline = Duration::from_millis(700);
    let (hung, sibling) = (Server::start(&[]).await, Server::start(&[]).await);
    let (monitor, _) = monitor(vec![hung.target(), sibling.target()]);
    let before = monitor.look(&site("dc-a"), AMPLE, WriteCanary::Write).await;
    assert_eq!(before.targets.iter().map(reasons).collect::<Vec<_>>(), [[None; 3]; 2]);
    hung.signal("STOP");
    // Once over the kept connection, once over a new one, which the kernel accepts for the hung server.
    for _ in 0..2 {
        let seen = monitor.look(&site("dc-a"), deadline, WriteCanary::Write).await;
        let timeout = Some(GapReason::Timeout);
        assert_eq!(reasons(&seen.targets[0]), [timeout, timeout, None]);
        assert!((deadline..deadline * 2).contains(&seen.targets[0].elapsed), "{:?}", seen.targets[0].elapsed);
        assert_eq!(reasons(&seen.targets[1]), [None; 3]);
        assert!(seen.targets[1].elapsed < deadline, "{:?}", seen.targets[1].elapsed);
    }
    hung.signal("CONT");
    let after = monitor.look(&site("dc-a"), AMPLE, WriteCanary::Write).await;
    assert_eq!(reasons(&after.targets[0]), [None; 3]);
}

#[tokio::test]
async fn credentials_decide_what_is_seen() {
    let server = Server::start(&["--requirepass", "hunter2"]).await;
    let auth = Some(GapReason::Auth);
    assert_eq!(reasons(&look(with_login(server.target(), None, "hunter2"), AMPLE).await), [None; 3]);
    assert_eq!(reasons(&look(server.target(), AMPLE).await)[0], auth);
    for (user, password) in
        [(None, "wrong-secret"), (Some("default"), "wrong-secret"), (Some("nobody"), "hunter2")]
    {
        let seen = look(with_login(server.target(), user, password), AMPLE).await;
        assert_eq!(reasons(&seen), [auth, auth, None], "{user:?}");
        let shown = format!("{seen:?}");
        assert!(!shown.contains(password), "{shown}");
    }
    let acl = ["-a", "hunter2", "--no-auth-warning", "ACL", "SETUSER", "watch", "on", ">pw", "~*", "+ping"];
    assert_eq!(server.cli(&acl).trim(), "OK");
    let seen = look(with_login(server.target(), Some("watch"), "pw"), AMPLE).await;
    let permission = Some(GapReason::Permission);
    assert_eq!(reasons(&seen), [None, permission, permission]);
}

#[tokio::test]
async fn a_replica_is_read_only_until_it_is_promoted() {
    let primary = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]).await;
    let client = replica.client();
    let is_linked = async || {
        let reply = client.info(AMPLE).await.unwrap();
        crate::monitor::facts(&reply).link.is_some_and(|link| link.up)
    };
    until("the replica is linked", is_linked).await;
    let seen = look(replica.target(), AMPLE).await;
    assert_eq!(reasons(&seen), [None, None, Some(GapReason::Readonly)]);
    let facts = seen.facts.unwrap();
    assert_eq!(facts.role, Some(Role::Replica));
    assert_eq!(facts.link.unwrap().source, format!("127.0.0.1:{}", primary.port));
    assert_eq!(client.role(AMPLE).await.unwrap(), Role::Replica);

    client.replicaof_no_one(AMPLE).await.unwrap();
    assert_eq!(client.role(AMPLE).await.unwrap(), Role::Primary);
    assert_eq!(reasons(&look(replica.target(), AMPLE).await), [None; 3]);
}

#[tokio::test]
async fn paused_writes_wait_while_reads_go_on() {
    let server = Server::start(&[]).await;
    server.client().pause_writes(Duration::from_secs(600), AMPLE).await.unwrap();
    let seen = look(server.target(), Duration::from_millis(700)).await;
    assert_eq!(reasons(&seen), [None, None, Some(GapReason::Timeout)]);
    assert_eq!(server.cli(&["CLIENT", "UNPAUSE"]).trim(), "OK");
    assert_eq!(reasons(&look(server.target(), AMPLE).await), [None; 3]);
}

#[tokio::test]
async fn full_memory_and_failing_persistence_refuse_the_canary() {
    let full = Server::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]).await;
    assert_eq!(reasons(&look(full.target(), AMPLE).await), [None, None, Some(GapReason::Oom)]);

    let server = Server::start(&["--save", "3600 1"]).await;
    std::fs::remove_dir_all(server.dir.path()).unwrap();
    server.cli(&["BGSAVE"]);
    let failed = async || server.cli(&["INFO", "persistence"]).contains("rdb_last_bgsave_status:err");
    until("the save fails", failed).await;
    let misconf = Some(GapReason::Misconf);
    // Redis refuses PING, too, and still answers INFO.
    let seen = look(server.target(), AMPLE).await;
    assert_eq!(reasons(&seen), [misconf, None, misconf]);
    assert_eq!(seen.facts.unwrap().persistence_ok, Some(false));
}

#[tokio::test]
async fn a_loading_server_answers_info() {
    let dir = tempfile::tempdir().unwrap();
    let full = Server::start_in(dir, &[]).await;
    let fill = "for i = 1, 4000 do redis.call('set', 'key' .. i, string.rep('x', 64)) end";
    full.cli(&["EVAL", fill, "0"]);
    assert_eq!(full.cli(&["SAVE"]).trim(), "OK");
    let saved = tempfile::tempdir().unwrap();
    std::fs::copy(full.dir.path().join("dump.rdb"), saved.path().join("dump.rdb")).unwrap();
    // 10 ms for each of the keys: it loads for as long as the test needs.
    let slow = ["--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024"];
    let server = Server::start_in(saved, &slow).await;
    let loading = Some(GapReason::Loading);
    let seen = look(server.target(), AMPLE).await;
    assert_eq!(reasons(&seen), [loading, None, loading]);
    assert_eq!(seen.facts.unwrap().loading, Some(true));
}

#[tokio::test]
async fn a_full_house_says_so() {
    let server = Server::start(&["--maxclients", "1"]).await;
    let first = server.client();
    // The connection that saw the server listen may still be counted.
    until("the one place is ours", async || first.ping(AMPLE).await.is_ok()).await;
    let seen = look(server.target(), AMPLE).await;
    let full = Some(GapReason::Maxclients);
    assert_eq!(reasons(&seen)[..2], [full, full], "{seen:?}");
    let seen = look(with_login(server.target(), None, "hunter2"), AMPLE).await;
    assert_eq!(reasons(&seen)[..2], [full, full], "{seen:?}");
    assert!(first.ping(AMPLE).await.is_ok());
}

#[tokio::test]
async fn a_damaged_answer_is_never_half_believed() {
    let body = "# Server\r\nredis_version:7.0.15\r\nrole:mas";
    let whole = format!("${}\r\n{body}\r\n", body.len());
    let huge = format!("$99999999\r\n{}", "x".repeat(5 << 20));
    let short = Duration::from_millis(700);
    for (answer, then, deadline, want) in [
        (format!("$900\r\n{body}"), Then::Close, AMPLE, GapReason::Closed),
        (format!("$900\r\n{body}"), Then::Stall, short, GapReason::Timeout),
        (whole, Then::Stall, AMPLE, GapReason::Protocol),
        ("$12\r\nrole:master\r\n\r\n".to_owned(), Then::Stall, AMPLE, GapReason::Protocol),
        ("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned(), Then::Close, AMPLE, GapReason::Protocol),
        ("*1\r\n$1\r\na\r\n".to_owned(), Then::Stall, AMPLE, GapReason::Protocol),
        (huge, Then::Stall, AMPLE, GapReason::Protocol),
        (String::new(), Then::Close, AMPLE, GapReason::Closed),
        ("-ERR unknown\r\n".to_owned(), Then::Stall, AMPLE, GapReason::ErrorReply),
    ] {
        let shown: String = answer.chars().take(40).collect();
        let pretender = Pretender::start(answer, then).await;
        let (monitor, _) = monitor(vec![target("127.0.0.1", pretender.port)]);
        let seen = monitor.look(&site("dc-a"), deadline, WriteCanary::Skip).await.targets.remove(0);
        assert_eq!(reasons(&seen), [None, Some(want), None], "{shown:?}, then {then:?}: {:?}", seen.facts);
        assert!(seen.samples.is_empty());
    }
}

#[tokio::test]
async fn a_canary_that_changed_on_the_way_is_a_mismatch() {
    for answer in ["$2\r\nok\r\n", "$-1\r\n"] {
        let pretender = Pretender::start(answer, Then::Stall).await;
        let seen = look(target("127.0.0.1", pretender.port), AMPLE).await;
        assert_eq!(
            reasons(&seen),
            [None, Some(GapReason::Protocol), Some(GapReason::Mismatch)],
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_silent_host_is_a_connect_timeout() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts: once the kernel's queue is full it drops further attempts without a word.
    let short = Duration::from_millis(300);
    let mut queue = Vec::new();
    while let Ok(Ok(waiting)) = tokio::time::timeout(short, tokio::net::TcpStream::connect(address)).await {
        queue.push(waiting);
    }
    let seen = look(target("127.0.0.1", address.port()), short).await;
    assert_eq!(reasons(&seen)[..2], [Some(GapReason::ConnectTimeout); 2], "{seen:?}");
    assert!((short..short * 3).contains(&seen.elapsed), "{:?}", seen.elapsed);
}

/// What was to be sent must not arrive when nobody waits for it any more.
#[tokio::test]
async fn a_connection_that_is_given_up_is_reset() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(target("127.0.0.1", listener.local_addr().unwrap().port()));
    let order = client.replicaof_no_one(Duration::from_millis(200));
    let (order, accepted) = tokio::join!(order, listener.accept());
    let error = order.unwrap_err();
    assert!(error.may_still_happen(), "{error:?}");
    let mut heard = Vec::new();
    let end = tokio::time::timeout(AMPLE, accepted.unwrap().0.read_to_end(&mut heard)).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset, "{heard:?}");
}

#[tokio::test]
async fn tls_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    let (papers, other) = (Papers::write(dir.path(), "good"), Papers::write(dir.path(), "other"));
    let tls_port = rig::free_port();
    let [ca, certificate, key] = [&papers.ca, &papers.certificate, &papers.key].map(|p| p.to_str().unwrap());
    let server = Server::start(&[
        "--tls-port",
        &tls_port.to_string(),
        "--tls-ca-cert-file",
        ca,
        "--tls-cert-file",
        certificate,
        "--tls-key-file",
        key,
        "--tls-auth-clients",
        "optional",
    ])
    .await;
    let secure = target("127.0.0.1", tls_port);
    assert_eq!(reasons(&look(with_tls(secure.clone(), &papers.ca), AMPLE).await), [None; 3]);
    let tls = Some(GapReason::Tls);
    let seen = look(with_tls(secure.clone(), &other.ca), AMPLE).await;
    assert_eq!(reasons(&seen), [tls, tls, None], "{seen:?}");
    let mut misnamed = with_tls(secure.clone(), &papers.ca);
    misnamed.tls.as_mut().unwrap().server_name = Some("redis.example".to_owned());
    assert_eq!(reasons(&look(misnamed, AMPLE).await)[0], tls);

    let mut identified = with_tls(secure.clone(), &papers.ca);
    let profile = identified.tls.as_mut().unwrap();
    (profile.cert_file, profile.key_file) = (Some(papers.certificate.clone()), Some(papers.key.clone()));
    assert_eq!(client(identified.clone()).ping(AMPLE).await.map(drop).map_err(|e| e.gap()), Ok(()));
    identified.tls.as_mut().unwrap().key_file = None;
    let profiles = crate::monitor::TlsProfiles::new();
    let clock = std::sync::Arc::new(crate::types::SystemClock::new());
    assert!(crate::monitor::RedisClient::new(identified, &profiles, clock).is_err());
    // Towards a server that speaks no TLS the handshake ends in one way or another, and never in a look.
    let plain = look(with_tls(server.target(), &papers.ca), Duration::from_secs(2)).await;
    assert!(plain.ping.is_err());
}
