//! What a cluster may answer, as its vendor documents it, and what it must not do to us.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use futures_util::future::join_all;
use url::Url;

use super::server::{Act, Server, say};
use super::{HandClock, NO_FILE, SHORT, clients};
use crate::config::{Enterprise, Secret};
use crate::monitor::around::enterprise::EnterpriseClient;
use crate::monitor::tests::rig::{AMPLE, Papers, Pretender, Then, free_port};
use crate::monitor::tls::TlsProfiles;
use crate::types::{ControlPlane, GapReason};

const USERNAME: &str = "redrover@example.com";
const PASSWORD: &str = "hunter2";
const AVAILABILITY: &str = "/v1/bdbs/7/availability";
const LAG: &str = "/v1/bdbs/7/availability?extend_check=lag&availability_lag_tolerance_ms=5000";
const FIELDS: &str =
    "/v1/bdbs/7?fields=crdt,crdt_sync,crdt_sources,replica_sync,replica_sources,memory_size,replication";
const IN_SYNC: &str = r#"{"crdt": true, "crdt_sync": "enabled", "uid": 7,
    "crdt_sources": [{"uid": 1, "status": "in-sync", "lag": 250, "uri": "redis://:FIXTURE@10.0.0.1:1"}]}"#;

fn client(url: Url, ca_file: Option<PathBuf>, clock: Arc<HandClock>) -> EnterpriseClient {
    let (username, password) = (USERNAME.to_owned(), Secret::new(PASSWORD));
    let interval = Duration::from_secs(30);
    let enterprise =
        Enterprise { url, username, password, promotion: None, ca_file, metrics_url: None, interval };
    EnterpriseClient::new(&enterprise, &clients(), &TlsProfiles::new(), clock).unwrap()
}

/// One look, with the reason of the gap where there is one; nothing that is shown holds a secret.
async fn look(url: Url, deadline: Duration) -> Result<ControlPlane, GapReason> {
    let client = client(url, NO_FILE, HandClock::new());
    let seen = client.look(7, deadline).await;
    let shown = format!("{client:?} {seen:?}");
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{USERNAME}:{PASSWORD}"));
    assert!([PASSWORD, "FIXTURE", &encoded].iter().all(|secret| !shown.contains(secret)), "{shown}");
    seen.map_err(|gap| gap.reason)
}

/// A server that answers the two questions, and is shocked by any other.
async fn server(availability: Act, fields: Act) -> Server {
    Server::start(move |path| match path {
        AVAILABILITY => availability.clone(),
        FIELDS => fields.clone(),
        // Only a member of an Active-Active database is asked so.
        LAG if format!("{fields:?}").contains("crdt\\\": true") => say(200, ""),
        other => panic!("nobody documents {other}"),
    })
    .await
}

#[tokio::test]
async fn an_available_database_tells_its_links_too() {
    let server = server(say(200, ""), say(200, IN_SYNC)).await;
    let plane = look(server.url(), AMPLE).await.unwrap();
    let lag = Some(Duration::from_millis(250));
    let is_fresh = Some(true);
    assert_eq!(plane, ControlPlane { lag, is_link_up: Some(true), is_fresh, ..ControlPlane::default() });
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{USERNAME}:{PASSWORD}"));
    assert_eq!(server.paths(), [AVAILABILITY, FIELDS, LAG]);
    assert!(server.heads().iter().all(|head| head.contains(&format!("authorization: Basic {encoded}\r\n"))));

    // A base URL may have a path of its own.
    let below = Server::start(|_| say(200, "")).await;
    let url = below.url().join("cluster-a/").unwrap();
    assert_eq!(look(url, AMPLE).await, Ok(ControlPlane::default()));
    assert_eq!(below.paths()[0], format!("/cluster-a{AVAILABILITY}"));
}

#[tokio::test]
async fn only_a_known_code_makes_a_database_unavailable() {
    let body = |code: &str| format!(r#"{{"error_code": "{code}", "description": "BDB 7 is not available"}}"#);
    for code in [
        "bdb_unavailable",
        "bdb_unavailable_shard_unreachable",
        "bdb_unavailable_port_unbound",
        "bdb_unavailable_shard_unreachable_port_unbound",
        "no_quorum",
    ] {
        let server = server(say(503, &body(code)), say(200, IN_SYNC)).await;
        let plane = look(server.url(), AMPLE).await.unwrap();
        assert_eq!((plane.unavailable.as_deref(), plane.is_link_up), (Some(code), Some(true)));
    }
    let (error_reply, protocol) = (GapReason::ErrorReply, GapReason::Protocol);
    for (answer, want) in [
        // Of the node that answers, and of no database.
        (body("bdb_endpoint_unavailable"), error_reply),
        (body("db_not_found"), error_reply),
        (body("bdb_unavailable\\n"), error_reply),
        (body(&"bdb_unavailable_".repeat(5)), error_reply),
        ("{}".to_owned(), error_reply),
        (r#"{"error_code": 7}"#.to_owned(), protocol),
        (r#"{"error_code": "bdb_un"#.to_owned(), protocol),
        ("upstream connect error".to_owned(), protocol),
        (String::new(), protocol),
    ] {
        let server = server(say(503, &answer), Act::Hang).await;
        assert_eq!(look(server.url(), AMPLE).await, Err(want), "{answer}");
        assert_eq!(server.paths(), [AVAILABILITY], "{answer}");
    }
}

#[tokio::test]
async fn no_clear_answer_is_a_gap() {
    let redirect = "HTTP/1.1 307 X\r\nlocation: https://10.1.0.12:9443/v1/bdbs/7/availability\r\n\
                    content-length: 0\r\n\r\n";
    let huge = say(200, &"x".repeat(1 << 20));
    let endless = Act::Say("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nhalf".to_owned());
    for (answer, want) in [
        (say(401, ""), GapReason::Auth),
        (say(403, ""), GapReason::Permission),
        (say(404, r#"{"error_code": "db_not_found"}"#), GapReason::ErrorReply),
        (say(400, ""), GapReason::ErrorReply),
        (say(429, ""), GapReason::ErrorReply),
        (say(500, r#"{"error_code": "bdb_unavailable"}"#), GapReason::ErrorReply),
        (say(502, "<html>"), GapReason::ErrorReply),
        (Act::Say(redirect.to_owned()), GapReason::ErrorReply),
        (say(204, ""), GapReason::ErrorReply),
        (say(200, "<html>log in</html>"), GapReason::Protocol),
        (huge, GapReason::Protocol),
        (Act::Part("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nhalf".to_owned()), GapReason::Protocol),
        (Act::Say("SSH-2.0-OpenSSH_9.2\r\n".to_owned()), GapReason::Protocol),
        (Act::Part(String::new()), GapReason::Closed),
        (endless, GapReason::Timeout),
        (Act::Hang, GapReason::Timeout),
    ] {
        let shown: String = format!("{answer:?}").chars().take(60).collect();
        let server = server(answer, say(200, IN_SYNC)).await;
        let start = tokio::time::Instant::now();
        assert_eq!(look(server.url(), SHORT).await, Err(want), "{shown}");
        assert!(start.elapsed() < SHORT * 2, "{shown}");
        assert_eq!(server.paths(), [AVAILABILITY], "{shown}");
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_a_gap_with_its_reason() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    assert_eq!(look(nobody.parse().unwrap(), AMPLE).await, Err(GapReason::Refused));
    assert_eq!(look("http://no-such-host.invalid".parse().unwrap(), AMPLE).await, Err(GapReason::Dns));

    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts: once the kernel's queue is full it drops further attempts without a word.
    let mut queue = Vec::new();
    let brief = Duration::from_millis(300);
    while let Ok(Ok(waiting)) = tokio::time::timeout(brief, tokio::net::TcpStream::connect(address)).await {
        queue.push(waiting);
    }
    let url = format!("http://{address}").parse().unwrap();
    assert_eq!(look(url, SHORT).await, Err(GapReason::ConnectTimeout));
}

#[tokio::test]
async fn the_certificate_is_always_verified() {
    let dir = tempfile::tempdir().unwrap();
    let (papers, other) = (Papers::write(dir.path(), "good"), Papers::write(dir.path(), "other"));
    let server = Server::start_tls(&papers, |path| match path {
        AVAILABILITY => say(200, ""),
        _ => say(200, IN_SYNC),
    })
    .await;
    let with = |ca: &PathBuf| client(server.url(), Some(ca.clone()), HandClock::new());
    let seen = with(&other.ca).look(7, AMPLE).await;
    assert_eq!(seen.map_err(|gap| gap.reason), Err(GapReason::Tls));
    assert_eq!(server.paths().len(), 0, "no credentials go to a stranger");
    assert_eq!(with(&papers.ca).look(7, AMPLE).await.unwrap().is_link_up, Some(true));

    // The name counts, too: these papers are for the address.
    let misnamed = format!("https://localhost:{}", server.address.port()).parse().unwrap();
    let seen = client(misnamed, Some(papers.ca), HandClock::new()).look(7, AMPLE).await;
    assert_eq!(seen.map_err(|gap| gap.reason), Err(GapReason::Tls));
    let clear = Pretender::start("HTTP/1.1 400 Bad Request\r\n\r\n", Then::Close).await;
    let url = format!("https://127.0.0.1:{}", clear.port).parse().unwrap();
    let seen = client(url, Some(other.ca), HandClock::new()).look(7, AMPLE).await;
    assert_eq!(seen.map_err(|gap| gap.reason), Err(GapReason::Tls));
}

#[tokio::test]
async fn links_are_told_only_where_they_agree() {
    let source =
        |status: &str, lag: &str| format!(r#"{{"status": "{status}", "lag": {lag}, "last_error": ""}}"#);
    let crdt = |state: &str, sources: &[&str]| {
        format!(r#"{{"crdt": true, "crdt_sync": "{state}", "crdt_sources": [{}]}}"#, sources.join(","))
    };
    let replica = |state: &str, sources: &[&str]| {
        let sources = sources.join(",");
        format!(
            r#"{{"crdt": false, "crdt_sync": "disabled", "replica_sync": "{state}", "replica_sources": [{sources}]}}"#
        )
    };
    let (good, behind) = (source("in-sync", "0"), source("in-sync", "1500.5"));
    let (out, syncing) = (source("out-of-sync", "0"), source("syncing", "0"));
    let ms = |ms: f64| Some(Duration::from_secs_f64(ms / 1000.0));
    for (body, lag, is_link_up) in [
        (crdt("enabled", &[&good, &behind]), ms(1500.5), Some(true)),
        (replica("enabled", &[&behind]), ms(1500.5), Some(true)),
        (replica("enabled", &[&out]), None, Some(false)),
        (crdt("enabled", &[&out, &out]), None, Some(false)),
        // A full copy is under way: its source lives, and the copy is not whole.
        (replica("enabled", &[&syncing]), None, None),
        (crdt("enabled", &[&out, &syncing]), None, None),
        // One of two links is down: whose it is nobody here can tell.
        (crdt("enabled", &[&good, &out]), None, None),
        // People have stopped it.
        (crdt("paused", &[&out]), None, None),
        (replica("stopped", &[&out]), None, None),
        (replica("paused", &[&out]), None, None),
        (replica("disabled", &[]), None, None),
        (crdt("enabled", &[]), None, None),
        (crdt("enabled", &[&source("asleep", "0")]), None, None),
        (crdt("enabled", &[r#"{"lag": 0}"#]), None, None),
        // A lag that is none is not known, and no zero.
        (crdt("enabled", &[&source("in-sync", "null"), &good]), None, Some(true)),
        (crdt("enabled", &[&source("in-sync", "-1")]), None, Some(true)),
        (crdt("enabled", &[&source("in-sync", "1e300")]), None, Some(true)),
        ("{}".to_owned(), None, None),
        (r#"{"crdt": null, "replica_sync": null}"#.to_owned(), None, None),
        // What cannot be read of the links leaves the availability as it is.
        (crdt("enabled", &[&good])[..40].to_owned(), None, None),
        ("[]".to_owned(), None, None),
    ] {
        let server = server(say(200, ""), say(200, &body)).await;
        let plane = look(server.url(), AMPLE).await.unwrap();
        let is_fresh = body.contains(r#""crdt": true"#).then_some(true).filter(|_| body.ends_with('}'));
        // A copy is one until its copying is switched off, however it goes on.
        let is_copy =
            body.contains(r#""crdt": false"#).then(|| !body.contains(r#"replica_sync": "disabled"#));
        let known = ControlPlane { lag, is_link_up, is_fresh, is_copy, ..ControlPlane::default() };
        assert_eq!(plane, known, "{body}");
    }
    for answer in [say(406, ""), say(500, ""), Act::Hang, Act::Part(String::new())] {
        let server = server(say(200, ""), answer.clone()).await;
        assert_eq!(look(server.url(), SHORT).await, Ok(ControlPlane::default()), "{answer:?}");
    }
}

#[tokio::test]
async fn the_limit_of_memory_is_what_the_data_may_take() {
    for (body, want) in [
        (r#"{"memory_size": 1000, "replication": false}"#, Some(1000)),
        (r#"{"memory_size": 1000, "replication": true}"#, Some(500)),
        (r#"{"memory_size": 1000}"#, Some(500)),
        (r#"{"memory_size": 1, "replication": true}"#, Some(1)),
        (r#"{"memory_size": 0}"#, Some(0)),
        (r#"{"memory_size": null}"#, None),
        (r#"{"memory_size": -1}"#, None),
        (r#"{"memory_size": "much"}"#, None),
    ] {
        let server = server(say(200, ""), say(200, body)).await;
        let plane = look(server.url(), AMPLE).await.unwrap();
        assert_eq!(plane.memory_limit_bytes, want, "{body}");
    }
}

#[tokio::test]
async fn a_stale_member_is_available_and_not_fresh() {
    for (answer, is_fresh) in [
        (say(200, ""), Some(true)),
        (say(503, r#"{"error_code": "bdb_unavailable"}"#), Some(false)),
        // What cannot be understood says nothing, and takes nothing from what was said before.
        (say(400, ""), None),
        (say(503, "busy"), None),
    ] {
        let server = Server::start(move |path| match path {
            AVAILABILITY => say(200, ""),
            FIELDS => say(200, IN_SYNC),
            LAG => answer.clone(),
            other => panic!("nobody documents {other}"),
        })
        .await;
        let plane = look(server.url(), AMPLE).await.unwrap();
        assert_eq!((plane.unavailable, plane.is_link_up, plane.is_fresh), (None, Some(true), is_fresh));
    }
}

#[tokio::test]
async fn who_gets_no_turn_blames_nobody() {
    let server = Server::start(|_| Act::Hang).await;
    let client = client(server.url(), NO_FILE, HandClock::new());
    let looks = join_all((1..=5).map(|database| client.look(database, SHORT))).await;
    let mut reasons: Vec<_> = looks.into_iter().map(|seen| seen.unwrap_err().reason).collect();
    reasons.sort_unstable();
    let not_asked = GapReason::NotAsked;
    assert_eq!(reasons, [GapReason::Timeout, not_asked, not_asked, not_asked, not_asked]);
    assert_eq!(server.paths().len(), 1);
}

#[tokio::test]
async fn refused_credentials_rest() {
    let status = Arc::new(AtomicUsize::new(401));
    let answer = Arc::clone(&status);
    let server = Server::start(move |_| say(answer.load(Ordering::Relaxed) as u16, "")).await;
    let clock = HandClock::new();
    let client = client(server.url(), NO_FILE, Arc::clone(&clock));
    let all = async || {
        let looks = join_all((1..=10).map(|database| client.look(database, AMPLE))).await;
        looks.into_iter().map(|seen| seen.map_err(|gap| gap.reason)).collect::<Vec<_>>()
    };
    // Ten databases, one wrong password: one login is tried, and no second one for a while.
    assert_eq!(all().await, vec![Err(GapReason::Auth); 10]);
    assert_eq!(server.paths().len(), 1);
    clock.forward(Duration::from_secs(599));
    assert_eq!(all().await, vec![Err(GapReason::Auth); 10]);
    assert_eq!(server.paths().len(), 1);
    clock.forward(Duration::from_secs(1));
    all().await;
    assert_eq!(server.paths().len(), 2);

    // Once they are right, everything is asked; a password that changes then costs fewer than five logins.
    status.store(200, Ordering::Relaxed);
    clock.forward(Duration::from_secs(600));
    assert_eq!(all().await, vec![Ok(ControlPlane::default()); 10]);
    let before = server.paths().len();
    status.store(401, Ordering::Relaxed);
    all().await;
    assert!(server.paths().len() - before <= 3, "{:?}", server.paths());
}
