//! Orders to a server that answers as it is told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{ClusterError, ClusterOrders, RefusedLogins, Stopped};
use crate::config::{ClusterUser, Enterprise, Secret};
use crate::monitor::TlsProfiles;
use crate::types::{Clock, Moment, SiteName};

/// A clock that runs a second whenever somebody looks at it: no test waits for a limit.
#[derive(Default)]
struct Hasty(AtomicU64);

impl Clock for Hasty {
    fn now(&self) -> Moment {
        let at = Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed));
        Moment { mono: at, wall: at }
    }
}

/// An answer: a status and a body, or none at all.
type Answer = Option<(u16, &'static str)>;

const ENABLED: Answer = Some((200, r#"{"status":"active","replica_sync":"enabled"}"#));
const PENDING: Answer = Some((200, r#"{"status":"active-change-pending","replica_sync":"disabled"}"#));
const DISABLED: Answer = Some((200, r#"{"status":"active","replica_sync":"disabled"}"#));
const READ_ONLY: Answer =
    Some((200, r#"{"status":"active","replica_sync":"enabled","replica_read_only":true}"#));
const OPEN: Answer = Some((200, r#"{"status":"active","traffic_manually_disabled":false}"#));
const SHUT: Answer = Some((200, r#"{"status":"active","traffic_manually_disabled":true}"#));
const SILENT: Answer = Some((200, r#"{"status":"active"}"#));
const TAKEN: Answer = Some((200, r#"{"action_uid":"1"}"#));

/// A server that gives its answers one after the other, the last one for ever.
struct Script {
    orders: ClusterOrders,
    asked: Arc<Mutex<Vec<String>>>,
    _server: JoinSet<()>,
}

impl Script {
    async fn new(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, mut server) = (Arc::clone(&asked), JoinSet::new());
        server.spawn(async move {
            let mut count = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = request(&mut stream).await;
                heard.lock().unwrap().push(request);
                let answer = answers[count.min(answers.len() - 1)];
                count += 1;
                if let Some((status, body)) = answer {
                    let text = format!(
                        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(text.as_bytes()).await;
                }
            }
        });
        Self { orders: orders(&url), asked, _server: server }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How often something else than a look was asked for.
    fn changes(&self) -> usize {
        self.asked().iter().filter(|line| !line.starts_with("GET")).count()
    }
}

/// The first line of a request and its body.
async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1");
                return format!("{line} {body}").trim_end().to_owned();
            }
        }
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk).await {
            Ok(length) if length > 0 => bytes.extend_from_slice(&chunk[..length]),
            _ => return String::new(),
        }
    }
}

fn orders(url: &str) -> ClusterOrders {
    let cluster = Enterprise {
        url: url.parse().unwrap(),
        username: "viewer".to_owned(),
        password: Secret::new("v"),
        promotion: Some(ClusterUser { username: "member".to_owned(), password: Secret::new("m") }),
        ca_file: None,
        metrics_url: None,
        interval: Duration::from_secs(30),
    };
    let (site, refused) = (SiteName::new("dc-b").unwrap(), RefusedLogins::default());
    ClusterOrders::new((&site, 2), &cluster, &TlsProfiles::new(), refused, Arc::new(Hasty::default()))
        .unwrap()
}

#[tokio::test]
async fn a_copy_is_seen_to_be_on_its_own() {
    let script = Script::new(&[ENABLED, TAKEN, PENDING, DISABLED]).await;
    script.orders.end_copying().await.unwrap();
    let fields = "fields=uid,status,replica_sync,replica_read_only,traffic_manually_disabled";
    let look = format!("GET /v1/bdbs/2?{fields}");
    let change = "PUT /v1/bdbs/2 {\"replica_sync\":\"disabled\"}".to_owned();
    assert_eq!(script.asked(), [look.clone(), change, look.clone(), look]);
}

#[tokio::test]
async fn what_may_have_been_done_is_never_called_not_done() {
    type Row = (&'static str, &'static [Answer], Option<bool>, usize);
    let rows: &[Row] = &[
        // What was answered, whether it may still happen (none: it is done), and how many changes were sent.
        ("done", &[ENABLED, TAKEN, DISABLED], None, 1),
        ("done before", &[DISABLED], None, 0),
        ("busy at first", &[ENABLED, Some((409, "")), TAKEN, DISABLED], None, 2),
        ("the answer is lost, and it was done", &[ENABLED, None, DISABLED], None, 1),
        ("the answer is lost, and it was not done yet", &[ENABLED, None, ENABLED], Some(true), 1),
        ("the server fails, and it was done", &[ENABLED, Some((503, "")), DISABLED], None, 1),
        ("the server fails", &[ENABLED, Some((500, "")), ENABLED], Some(true), 1),
        ("taken, and never done", &[ENABLED, TAKEN, PENDING], Some(true), 1),
        ("taken, and nobody says more", &[ENABLED, TAKEN, None], Some(true), 1),
        ("refused", &[ENABLED, Some((403, r#"{"error_code":"license_expired"}"#))], Some(false), 1),
        ("a follower", &[ENABLED, Some((307, ""))], Some(false), 1),
        ("always busy", &[ENABLED, Some((409, ""))], Some(false), 0),
        ("read only", &[READ_ONLY], Some(false), 0),
        ("unknown", &[Some((404, ""))], Some(false), 0),
        ("no look", &[None], Some(false), 0),
    ];
    for (what, answers, wanted, changes) in rows {
        let script = Script::new(answers).await;
        let done = script.orders.end_copying().await;
        assert_eq!(done.as_ref().err().map(ClusterError::may_still_happen), *wanted, "{what}: {done:?}");
        if *what != "always busy" {
            assert_eq!(script.changes(), *changes, "{what}: {:?}", script.asked());
        }
    }
    let nobody = orders("http://127.0.0.1:1").end_copying().await.unwrap_err();
    assert!(matches!(nobody, ClusterError::Unreached { .. }), "{nobody:?}");
    assert!(!nobody.may_still_happen());
    let refused = Script::new(&[ENABLED, Some((403, r#"{"error_code":"license_expired"}"#))]).await;
    let told = refused.orders.end_copying().await.unwrap_err().to_string();
    assert_eq!(told, "the cluster of dc-b refused to end the copying (HTTP 403, license_expired)");
}

#[tokio::test]
async fn a_refused_login_rests() {
    let script = Script::new(&[ENABLED, Some((401, ""))]).await;
    let refused = script.orders.end_copying().await.unwrap_err();
    assert!(!refused.may_still_happen(), "{refused:?}");
    let asked = script.asked().len();
    for _ in 0..3 {
        let resting = script.orders.end_copying().await.unwrap_err();
        assert!(matches!(resting, ClusterError::Resting { .. }), "{resting:?}");
    }
    assert_eq!(script.asked().len(), asked, "it is not tried again");
}

#[tokio::test]
async fn traffic_is_stopped_once_and_who_did_it_is_told() {
    type Row = (&'static [Answer], Stopped, &'static [&'static str]);
    const STOP: &str = "POST /v1/bdbs/2/actions/stop_traffic";
    let rows: &[Row] = &[
        (&[SHUT], Stopped::Before, &[]),
        (&[OPEN, TAKEN, OPEN, SHUT], Stopped::Now, &[STOP]),
        (&[OPEN, None, SHUT], Stopped::Now, &[STOP]),
        // An older cluster does not say it.
        (&[SILENT, TAKEN, SILENT], Stopped::Unsaid, &[STOP]),
    ];
    for (answers, wanted, changes) in rows {
        let script = Script::new(answers).await;
        assert_eq!(script.orders.stop().await.unwrap(), *wanted, "{answers:?}");
        let sent: Vec<String> = script.asked().into_iter().filter(|line| !line.starts_with("GET")).collect();
        assert_eq!(sent, *changes, "{answers:?}");
    }
    let lost = Script::new(&[OPEN, None, OPEN]).await;
    assert!(lost.orders.stop().await.unwrap_err().may_still_happen());
    let open = Script::new(&[OPEN]).await;
    open.orders.resume().await.unwrap();
    assert_eq!(open.changes(), 0, "nothing is resumed that goes on");
    let shut = Script::new(&[SHUT, TAKEN, OPEN]).await;
    shut.orders.resume().await.unwrap();
    assert_eq!(shut.asked()[1], "POST /v1/bdbs/2/actions/resume_traffic");
}
