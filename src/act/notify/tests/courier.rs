//! The courier, with a real journal, against real servers.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::sink::{HttpSink, Security, SmtpRules, SmtpSink};
use super::world::{START, calm, closed, decided, plan, service, site};
use crate::act::notify::{Channels, Courier, NotifyMetrics};
use crate::config::{Rules, parse};
use crate::decide::saga::Outcome;
use crate::decide::{AlertLevel, Reason, Verdict};
use crate::store::{Body, Journal as _, NewEntry, SqliteJournal};
use crate::types::{Clock, Moment};

/// Longest wait for something that takes a few rounds.
const LIMIT: Duration = Duration::from_secs(30);

/// A clock that stands until it is moved.
struct HandClock(Mutex<Moment>);

impl HandClock {
    fn forward(&self, seconds: u64) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(Duration::from_secs(seconds));
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}

/// A courier at work; dropping it is a crash.
struct Work {
    folder: TempDir,
    clock: Arc<HandClock>,
    registry: Registry,
    channels: watch::Sender<Channels>,
    cancelled: CancellationToken,
    tasks: JoinSet<()>,
}

fn channels(notify: &str) -> Channels {
    let text = format!(
        "agent: {{name: a1, failure_domain: dc-a}}
datacenters: [{{name: dc-a}}, {{name: dc-b}}]
notify: {notify}
services:
  - name: sessions
    topology: active-active
    record: {{provider: route53, zone_id: Z1, name: s.example.com, type: A, ttl: 5s}}
    sites:
      - {{datacenter: dc-a, dns_target: 10.0.0.1, targets: [\"10.0.0.1:6379\"]}}
      - {{datacenter: dc-b, dns_target: 10.0.1.1, targets: [\"10.0.1.1:6379\"]}}
"
    );
    let env = |name: &str| name.strip_prefix("SET_").map(str::to_owned);
    Channels::open(&parse(&text, Path::new("r.yml"), &env, Rules::Agent).unwrap().config).unwrap()
}

impl Work {
    fn start(notify: &str) -> Self {
        let start = Duration::from_millis(START as u64);
        let clock = Arc::new(HandClock(Mutex::new(Moment { mono: start, wall: start })));
        Self::go_on(tempfile::tempdir().unwrap(), clock, notify)
    }

    fn go_on(folder: TempDir, clock: Arc<HandClock>, notify: &str) -> Self {
        let journal = SqliteJournal::open(folder.path()).unwrap();
        let mut registry = Registry::default();
        let metrics = NotifyMetrics::register(&mut registry);
        let (channels, heard) = watch::channel(channels(notify));
        let courier = Courier::new(&journal, Arc::clone(&clock) as Arc<dyn Clock>, metrics, heard);
        let cancelled = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(courier.run(cancelled.clone()));
        Self { folder, clock, registry, channels, cancelled, tasks }
    }

    /// Writes an entry as any other program would.
    async fn write(&self, body: Body) {
        let at_unix_ms = self.clock.now().unix_ms();
        let entry = NewEntry { at_unix_ms, service: service("sessions"), incident: None, body };
        SqliteJournal::open(self.folder.path()).unwrap().append(vec![entry]).await.unwrap();
    }

    /// Waits until the courier has begun to follow the journal.
    async fn ready(&self) {
        until("the desk", || self.rows("SELECT COUNT(*) FROM desk") == 1).await;
    }

    fn rows(&self, sql: &str) -> i64 {
        let file = rusqlite::Connection::open(self.folder.path().join("journal.db")).unwrap();
        file.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text
    }

    async fn wait_metric(&self, line: &str) {
        until(line, || self.metrics().lines().any(|found| found == line)).await;
    }

    async fn stop(mut self) -> (TempDir, Arc<HandClock>) {
        self.cancelled.cancel();
        self.tasks.join_next().await.unwrap().unwrap();
        (self.folder, self.clock)
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

fn outage() -> Body {
    decided(Verdict::Hold, AlertLevel::Page, vec![Reason::Paused])
}

fn begun() -> Body {
    Body::Ticketed { plan: Box::new(plan()) }
}

fn switched() -> Body {
    Body::Ended { decision: plan().decision, outcome: Outcome::Switched, epoch: None }
}

#[tokio::test]
async fn a_failover_reaches_every_channel_once_and_in_its_order() {
    let sink = HttpSink::start();
    let notify = format!(
        "[{{webhook: {{url: \"{}\", body: \"{{{{kind}}}} {{{{phase}}}}\", content_type: text/plain}}}},
          {{pagerduty: {{url: \"{}\", routing_key_env: SET_R0}}}}]",
        sink.url("/hook"),
        sink.url("/v2/enqueue"),
    );
    // What happened before there was anybody to tell is no news.
    let work = Work::start("[]");
    work.write(begun()).await;
    let (folder, clock) = work.stop().await;
    let work = Work::go_on(folder, clock, &notify);
    work.ready().await;
    work.write(outage()).await;
    until("the first message", || sink.requests().len() == 2).await;
    for body in [begun(), switched(), calm(AlertLevel::None, vec![Reason::ActiveServes]), closed()] {
        work.write(body).await;
    }
    let at = |path: &str| -> Vec<String> {
        let line = format!("POST {path} HTTP/1.1");
        sink.requests().iter().filter(|r| r.line == line).map(|r| r.text().to_owned()).collect()
    };
    until("the pager to have heard all", || at("/v2/enqueue").len() == 4).await;
    let actions: Vec<String> = at("/v2/enqueue")
        .iter()
        .map(|body| {
            let event: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(event["dedup_key"], "redrover/incident/sessions-1a20a8a9cd9-26");
            format!("{} {}", event["event_action"].as_str().unwrap(), event["payload"]["class"])
        })
        .collect();
    assert_eq!(
        actions,
        ["trigger \"outage\"", "trigger \"switch_begun\"", "trigger \"switched\"", "resolve null"]
    );
    work.clock.forward(61);
    until("the hook to have heard all", || at("/hook").len() == 4).await;
    let told = ["outage lasts", "switch_begun lasts", "switched lasts", "over over"];
    assert_eq!(at("/hook"), told);
    work.wait_metric("redrover_notifications_total{channel=\"pagerduty\",result=\"delivered\"} 4").await;
    work.wait_metric("redrover_notifications_pending{channel=\"pagerduty\"} 0").await;
    let marked = || work.rows("SELECT COUNT(*) FROM outbox WHERE fate = 'delivered'") == 8;
    until("the marks", marked).await;
}

#[tokio::test]
async fn a_server_that_fails_is_tried_again_also_after_a_restart_and_one_that_refuses_is_not() {
    let sink = HttpSink::start();
    sink.will_answer(&[(503, "", "busy"), (429, "retry-after: 100\r\n", "slow"), (400, "", "bad")]);
    let notify = format!("[{{name: hook, webhook: {{url: \"{}\", body: \"{{{{kind}}}}\"}}}}]", sink.url("/"));
    let work = Work::start(&notify);
    work.ready().await;
    work.write(begun()).await;
    work.wait_metric("redrover_notifications_total{channel=\"hook\",result=\"failed\"} 1").await;
    until("the mark", || work.rows("SELECT tries FROM outbox") == 1).await;

    let (folder, clock) = work.stop().await;
    clock.forward(7);
    let work = Work::go_on(folder, clock, &notify);
    until("the second try", || sink.requests().len() == 2).await;
    until("the mark", || work.rows("SELECT tries FROM outbox") == 2).await;
    let wait = work.rows("SELECT due_ms FROM outbox") - work.clock.now().unix_ms();
    assert_eq!(wait, 100_000, "as it was asked for");
    work.clock.forward(100);
    work.wait_metric("redrover_notifications_total{channel=\"hook\",result=\"refused\"} 1").await;
    assert_eq!(sink.requests().len(), 3);
    assert!(sink.requests().iter().all(|r| r.text() == "switch_begun"));
    assert_eq!(sink.requests()[2].header("content-type"), "application/json");
}

#[tokio::test]
async fn a_message_is_given_up_after_a_day_and_a_slow_channel_holds_up_no_other() {
    let sink = HttpSink::start();
    // A port that takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let notify = format!(
        "[{{name: slow, webhook: {{url: \"http://{}/\"}}}}, {{name: quick, webhook: {{url: \"{}\"}}}}]",
        silent.local_addr().unwrap(),
        sink.url("/"),
    );
    let work = Work::start(&notify);
    work.ready().await;
    work.write(begun()).await;
    until("the quick one", || sink.requests().len() == 1).await;
    work.wait_metric("redrover_notifications_pending{channel=\"slow\"} 1").await;
    drop(silent);
    work.wait_metric("redrover_notifications_total{channel=\"slow\",result=\"failed\"} 1").await;
    work.clock.forward(24 * 3600);
    work.wait_metric("redrover_notifications_total{channel=\"slow\",result=\"expired\"} 1").await;
    work.wait_metric("redrover_notifications_pending{channel=\"slow\"} 0").await;
}

#[tokio::test]
async fn a_reload_changes_the_channels_and_drops_what_waits_for_those_that_are_gone() {
    let sink = HttpSink::start();
    let hook = |name: &str| {
        format!("[{{name: {name}, webhook: {{url: \"{}\", body: \"{{{{kind}}}}\"}}}}]", sink.url("/"))
    };
    let work = Work::start("[{name: gone, webhook: {url: \"http://127.0.0.1:1/\"}}]");
    work.ready().await;
    work.write(begun()).await;
    work.wait_metric("redrover_notifications_pending{channel=\"gone\"} 1").await;
    work.channels.send_replace(channels(&hook("new")));
    work.wait_metric("redrover_notifications_total{channel=\"gone\",result=\"dropped\"} 1").await;
    work.write(switched()).await;
    until("the new one", || sink.requests().len() == 1).await;

    work.channels.send_replace(channels("[]"));
    until("nobody to tell", || work.rows("SELECT COUNT(*) FROM desk") == 0).await;
    work.write(switched()).await;
    work.channels.send_replace(channels(&hook("later")));
    work.ready().await;
    work.write(Body::Adopted { epoch: 1, active: site("dc-a"), by: None }).await;
    until("news", || sink.requests().len() == 2).await;
    assert_eq!(sink.requests()[1].text(), "adopted");
}

#[tokio::test]
async fn alertmanager_is_told_again_while_it_lasts() {
    let sink = HttpSink::start();
    let work = Work::start(&format!("[{{alertmanager: {{url: \"{}\"}}}}]", sink.url("")));
    work.ready().await;
    work.write(outage()).await;
    let alerts = |n: usize| -> serde_json::Value {
        let request = &sink.requests()[n];
        assert_eq!(request.line, "POST /api/v2/alerts HTTP/1.1");
        serde_json::from_str(request.text()).unwrap()
    };
    until("the first post", || !sink.requests().is_empty()).await;
    for n in 1..3 {
        work.clock.forward(60);
        until("the next post", || sink.requests().len() > n).await;
        assert_eq!(alerts(n)[0]["labels"], alerts(0)[0]["labels"]);
        assert_eq!(alerts(n)[0]["startsAt"], alerts(0)[0]["startsAt"]);
        assert_ne!(alerts(n)[0]["endsAt"], alerts(0)[0]["endsAt"]);
    }
    let before = sink.requests().len();
    work.write(closed()).await;
    until("the end", || sink.requests().len() > before).await;
    assert_eq!(alerts(before)[0]["endsAt"], "2026-11-24T00:02:00Z");
    work.clock.forward(600);
    work.write(Body::Adopted { epoch: 1, active: site("dc-a"), by: None }).await;
    until("another entry to be read", || work.rows("SELECT seq FROM desk") == 3).await;
    assert_eq!(sink.requests().len(), before + 1, "nothing lasts any more");
}

#[tokio::test]
async fn a_journal_that_takes_nothing_is_told_of_past_the_outbox() {
    let sink = HttpSink::start();
    let notify = format!(
        "[{{pagerduty: {{url: \"{}\", routing_key_env: SET_R0}}, services: [sessions]}}]",
        sink.url("/")
    );
    let work = Work::start(&notify);
    work.ready().await;
    let other = rusqlite::Connection::open(work.folder.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let event = |n: usize| serde_json::from_str::<serde_json::Value>(sink.requests()[n].text()).unwrap();
    let mut waited = 0;
    while sink.requests().is_empty() {
        waited += 1;
        assert!(waited < 60, "nothing was told");
        work.clock.forward(15);
        let tick = tokio::time::sleep(Duration::from_millis(500));
        tick.await;
    }
    assert_eq!(event(0)["event_action"], "trigger");
    assert_eq!(event(0)["dedup_key"], "redrover/agent/a1/journal");
    assert_eq!(event(0)["payload"]["class"], "journal_lost");
    other.execute_batch("ROLLBACK").unwrap();
    until("the end of it", || sink.requests().iter().any(|r| r.text().contains("resolve"))).await;
}

#[tokio::test]
async fn a_silence_mutes_everything_but_a_failover_and_the_end_of_what_was_told() {
    let (sink, alertmanager) = (HttpSink::start(), HttpSink::start());
    let matcher = |name: &str, value: &str| {
        format!("{{\"name\":\"{name}\",\"value\":\"{value}\",\"isRegex\":false,\"isEqual\":true}}")
    };
    let silence = |name: &str, value: &str| {
        format!(
            "[{{\"id\":\"s1\",\"status\":{{\"state\":\"active\"}},\"matchers\":[{}],\"createdBy\":\"anna\",\
             \"comment\":\"works\",\"endsAt\":\"2026-11-25T00:00:00Z\"}}]",
            matcher(name, value)
        )
    };
    let (mine, other) = (silence("redis_service", "sessions"), silence("redis_service", "carts"));
    alertmanager.will_answer(&[(200, "", &mine), (200, "", &other), (500, "", ""), (200, "", "no JSON")]);
    let notify = format!(
        "[{{webhook: {{url: \"{}\", body: \"{{{{kind}}}}\"}}}}]\nalertmanager: {{url: \"{}\"}}",
        sink.url("/"),
        alertmanager.url("")
    );
    let work = Work::start(&notify);
    work.ready().await;
    work.write(outage()).await;
    work.wait_metric("redrover_notifications_total{channel=\"webhook\",result=\"silenced\"} 1").await;
    assert_eq!(alertmanager.requests()[0].line, "GET /api/v2/silences HTTP/1.1");
    work.write(begun()).await;
    until("the failover", || sink.requests().len() == 1).await;
    assert_eq!(alertmanager.requests().len(), 1, "nobody is asked about a failover");
    for n in 2..5 {
        work.clock.forward(3600);
        work.write(Body::Adopted { epoch: n, active: site("dc-a"), by: None }).await;
        until("what no silence mutes", || sink.requests().len() as u64 == n).await;
    }
    assert_eq!(alertmanager.requests().len(), 4);
    assert_eq!(work.rows("SELECT COUNT(*) FROM outbox WHERE fate = 'silenced'"), 1, "marked rounds ago");
}

#[tokio::test]
async fn what_lasts_longer_than_a_silence_is_told_then_and_what_does_not_never() {
    let (sink, alertmanager) = (HttpSink::start(), HttpSink::start());
    let silence = "[{\"id\":\"s1\",\"status\":{\"state\":\"active\"},\"createdBy\":\"anna\",\"comment\":\"works\",\
         \"matchers\":[{\"name\":\"redis_service\",\"value\":\"sessions\",\"isRegex\":false,\"isEqual\":true}],\
         \"endsAt\":\"2026-11-25T00:00:00Z\"}]";
    // Two questions about the first outage are met by the silence, and one about the second.
    alertmanager.will_answer(&[(200, "", silence), (200, "", silence), (200, "", "[]"), (200, "", "[]")]);
    let notify = format!(
        "[{{webhook: {{url: \"{}\", body: \"{{{{kind}}}}\"}}}}]\nalertmanager: {{url: \"{}\"}}",
        sink.url("/"),
        alertmanager.url("")
    );
    let work = Work::start(&notify);
    work.ready().await;
    work.write(outage()).await;
    for tries in 1..3 {
        until("the silence", || work.rows("SELECT COALESCE(MAX(tries), 0) FROM outbox") == tries).await;
        work.clock.forward(30);
    }
    until("what lasts longer", || sink.requests().len() == 1).await;
    assert_eq!(sink.requests()[0].text(), "outage");
    work.write(closed()).await;
    work.clock.forward(3600);
    until("its end", || sink.requests().len() == 2).await;

    alertmanager.will_answer(&[(200, "", silence), (200, "", "[]")]);
    work.clock.forward(3600);
    work.write(outage()).await;
    until("the silence", || {
        work.rows("SELECT COUNT(*) FROM outbox WHERE due_ms > made_ms AND fate IS NULL") == 1
    })
    .await;
    work.write(closed()).await;
    let seen = || work.rows("SELECT seq FROM desk") == work.rows("SELECT MAX(seq) FROM entries");
    until("its end to be read", seen).await;
    work.clock.forward(30);
    let settled = || work.rows("SELECT COUNT(*) FROM outbox WHERE fate = 'silenced'") == 1;
    until("it to be given up", settled).await;
    work.wait_metric("redrover_notifications_total{channel=\"webhook\",result=\"silenced\"} 2").await;
    assert_eq!(sink.requests().iter().filter(|request| request.text() == "outage").count(), 1);
}

struct Papers {
    _folder: TempDir,
    ca: std::path::PathBuf,
    certificate: std::path::PathBuf,
    key: std::path::PathBuf,
}

fn papers() -> Papers {
    let folder = tempfile::tempdir().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer_key = rcgen::KeyPair::generate().unwrap();
    let issuer_certificate = params.self_signed(&issuer_key).unwrap();
    let issuer = rcgen::Issuer::new(params, issuer_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    let file = |name: &str, pem: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    Papers {
        ca: file("ca.pem", issuer_certificate.pem()),
        certificate: file("crt.pem", certificate.pem()),
        key: file("key.pem", key.serialize_pem()),
        _folder: folder,
    }
}

#[tokio::test]
async fn mail_arrives_over_every_kind_of_connection() {
    let papers = papers();
    let wanted = "Subject: [critical] sessions: moving from dc-a to dc-b\r\n";
    for (security, tls, method) in [
        (Security::StartTls, "starttls", "PLAIN"),
        (Security::Implicit, "implicit", "LOGIN"),
        (Security::None, "none", "PLAIN"),
    ] {
        let is_secure = security != Security::None;
        let login = is_secure.then_some(("robot", "sesame"));
        let refused = vec![("gone@example.com", "550 no such user")];
        let rules = SmtpRules { security, login, method, refused };
        let sink = SmtpSink::start(rules, &papers.certificate, &papers.key);
        let secrets = match is_secure {
            true => {
                format!("ca_file: \"{}\", username: robot, password_env: SET_sesame, ", papers.ca.display())
            }
            false => String::new(),
        };
        let notify = format!(
            "[{{email: {{host: localhost, port: {}, tls: {tls}, {secrets}from: redrover@example.com, \
             to: [anna@example.com, gone@example.com, ben@example.com]}}}}]",
            sink.port()
        );
        let work = Work::start(&notify);
        work.ready().await;
        work.write(begun()).await;
        work.wait_metric("redrover_notifications_total{channel=\"email\",result=\"delivered\"} 1").await;
        let mails = sink.mails();
        let mail = &mails[0];
        assert_eq!((mails.len(), mail.is_secure, mail.user.is_some()), (1, is_secure, is_secure), "{tls}");
        assert_eq!(mail.from, "redrover@example.com");
        assert_eq!(
            mail.to,
            ["anna@example.com", "ben@example.com"],
            "one wrong address keeps no other from it"
        );
        assert!(mail.data.contains(wanted), "{}", mail.data);
    }
}

#[tokio::test]
async fn no_mail_and_no_password_go_where_they_should_not() {
    let papers = papers();
    let other = self::papers();
    let email = |sink: &SmtpSink, ca: &Path, password: &str| {
        format!(
            "[{{email: {{host: localhost, port: {}, ca_file: \"{}\", username: robot, password_env: SET_{password}, \
             from: redrover@example.com, to: [gone@example.com]}}}}]",
            sink.port(),
            ca.display()
        )
    };
    let start = |security, answer| {
        let (login, refused) = (Some(("robot", "sesame")), vec![("gone@example.com", answer)]);
        let rules = SmtpRules { security, login, method: "PLAIN", refused };
        SmtpSink::start(rules, &papers.certificate, &papers.key)
    };
    for (what, security, ca, password, answer, result) in [
        ("no STARTTLS", Security::None, &papers.ca, "sesame", "250 ok", "failed"),
        ("an unknown authority", Security::StartTls, &other.ca, "sesame", "250 ok", "failed"),
        ("a wrong password", Security::StartTls, &papers.ca, "wrong", "250 ok", "failed"),
        ("every receiver later", Security::StartTls, &papers.ca, "sesame", "450 later", "failed"),
        ("every receiver never", Security::StartTls, &papers.ca, "sesame", "550 never", "refused"),
    ] {
        let sink = start(security, answer);
        let work = Work::start(&email(&sink, ca, password));
        work.ready().await;
        work.write(begun()).await;
        let line = format!("redrover_notifications_total{{channel=\"email\",result=\"{result}\"}} 1");
        work.wait_metric(&line).await;
        assert_eq!(sink.mails(), [], "{what}");
    }
}
