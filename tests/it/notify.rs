//! Messages to people: an outage, seen by the real binary, told to real peers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::agent::SERVICE;
use super::support::process::{wait_for, wait_until};
use super::support::prometheus::Alertmanager;
use super::support::scene::{Holder, ROUNDS_LIMIT, Scene, TARGETS};
use super::support::sink::{HttpSink, Mail, Security, SmtpRules, SmtpSink};

/// An Alertmanager that keeps everything to itself.
const KEEP: &str = "{route: {receiver: nobody}, receivers: [{name: nobody}]}";
/// The key of the webhook's signature.
const KEY: &str = "sesame";

/// The requests of a path, as text.
fn bodies(sink: &HttpSink, path: &str) -> Vec<String> {
    let line = format!("POST {path} HTTP/1.1");
    sink.requests().iter().filter(|r| r.line == line).map(|r| r.text().to_owned()).collect()
}

fn parsed(bodies: &[String]) -> Vec<Value> {
    bodies.iter().map(|body| serde_json::from_str(body).expect("a body is JSON")).collect()
}

/// A certificate for localhost, in files: authority, certificate, key.
fn papers(folder: &std::path::Path) -> [std::path::PathBuf; 3] {
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer_key = rcgen::KeyPair::generate().expect("a key");
    let authority = params.self_signed(&issuer_key).expect("an authority").pem();
    let issuer = rcgen::Issuer::new(params, issuer_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = leaf.signed_by(&key, &issuer).expect("a certificate").pem();
    [("ca.pem", authority), ("crt.pem", certificate), ("key.pem", key.serialize_pem())].map(|(name, pem)| {
        let path = folder.join(name);
        std::fs::write(&path, pem).expect("a file");
        path
    })
}

/// `sha256=` and the HMAC of time, dot and body, as openssl computes it.
async fn signature(timestamp: &str, body: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signed");
    std::fs::write(&file, format!("{timestamp}.{body}")).expect("a file");
    let output = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", KEY, "-r"])
        .arg(&file)
        .output()
        .expect("openssl is installed");
    let text = String::from_utf8(output.stdout).expect("text");
    format!("sha256={}", text.split_whitespace().next().expect("a digest"))
}

#[tokio::test]
async fn an_outage_is_told_on_every_channel_and_exactly_once() {
    let (sink, alertmanager) = (HttpSink::start(), Alertmanager::start(KEEP).await);
    let folder = tempfile::tempdir().expect("a folder");
    let [ca, certificate, key] = papers(folder.path());
    let rules = SmtpRules {
        security: Security::StartTls,
        login: Some(("robot", "sesame")),
        method: "PLAIN",
        refused: Vec::new(),
    };
    let mails = SmtpSink::start(rules, &certificate, &key);
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a secret can be written");
        path
    };
    let notify = json!([
        {"slack": {"url_file": secret("slack", &sink.url("/services/T/B/x"))}},
        {"pagerduty": {"url": sink.url("/v2/enqueue"), "routing_key_file": secret("routing", "R0")}},
        {"webhook": {"url": sink.url("/hook"), "hmac_key_file": secret("hmac", KEY),
            "body": "{\"kind\":\"{{kind}}\",\"phase\":\"{{phase}}\",\"level\":\"{{level}}\"}"}},
        {"email": {"host": "localhost", "port": mails.port(), "ca_file": ca, "username": "robot",
            "password_file": secret("password", "sesame"), "from": "redrover@example.com",
            "to": ["oncall@example.com"]}, "min_level": "critical"},
        {"alertmanager": {"url": alertmanager.url()}},
    ]);
    let mut scene = Scene::ready(Holder::Route53, &[("/notify", notify)]).await;

    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    scene.wait_switch(SERVICE).await;
    assert_eq!(scene.answer().await, [TARGETS[1]]);

    // What lasts is what was lost: the old site as a standby.
    let lasting = wait_for("the alert about the lost standby", ROUNDS_LIMIT, async || {
        alertmanager.active().await.into_iter().find(|alert| alert["condition"] == "standby_down")
    })
    .await;
    assert_eq!((lasting["redis_service"].as_str(), lasting["severity"].as_str()), (SERVICE, "error"));
    scene.agent.post_alert(SERVICE, "resolved").await;
    let page = |class: &'static str| {
        move |event: &Value| event["event_action"] == "trigger" && event["payload"]["class"] == class
    };
    wait_until("the incident to be resolved at the pager", ROUNDS_LIMIT, async || {
        parsed(&bodies(&sink, "/v2/enqueue")).iter().any(|event| event["event_action"] == "resolve")
    })
    .await;

    let pages = parsed(&bodies(&sink, "/v2/enqueue"));
    for class in ["switch_begun", "switched"] {
        assert_eq!(pages.iter().filter(|event| page(class)(event)).count(), 1, "{class}: {pages:?}");
    }
    // The adoption may have been an incident of its own, for a round.
    let about_switch = |event: &&Value| page("switch_begun")(event) || page("switched")(event);
    let keys: BTreeSet<_> =
        pages.iter().filter(about_switch).map(|event| event["dedup_key"].to_string()).collect();
    assert_eq!(keys.len(), 1, "one key for the incident: {pages:?}");
    assert!(keys.iter().all(|key| key.contains("/incident/")), "{keys:?}");
    assert!(pages.iter().all(|event| event["routing_key"] == "R0"));

    let hooks = sink.requests().into_iter().filter(|r| r.line == "POST /hook HTTP/1.1").collect::<Vec<_>>();
    for request in &hooks {
        let wanted = signature(request.header("x-redrover-timestamp"), request.text()).await;
        assert_eq!(request.header("x-redrover-signature"), wanted);
    }
    let hooks: Vec<&str> = hooks.iter().map(|request| request.text()).collect();
    let told = |kind: &str, phase: &str, level: &str| {
        format!("{{\"kind\":\"{kind}\",\"phase\":\"{phase}\",\"level\":\"{level}\"}}")
    };
    // On a busy machine redrover may also say that it was slow; what is urgent is exactly this.
    let urgent: BTreeSet<&str> = hooks.iter().copied().filter(|h| !h.contains("\"warning\"")).collect();
    let wanted = [
        told("adopted", "alone", "info"),
        told("switch_begun", "lasts", "critical"),
        told("switched", "lasts", "critical"),
        told("notice", "lasts", "error"),
        told("over", "over", "critical"),
    ];
    assert_eq!(urgent, wanted.iter().map(String::as_str).collect());
    assert_eq!(hooks.iter().filter(|h| wanted.iter().any(|w| w == **h)).count(), wanted.len(), "{hooks:?}");
    let slack = bodies(&sink, "/services/T/B/x");
    for title in
        ["[critical] sessions: moving from dc-a to dc-b", "[critical] sessions: moved from dc-a to dc-b"]
    {
        assert_eq!(slack.iter().filter(|body| body.contains(title)).count(), 1, "{title}: {slack:?}");
    }
    let subjects = |mails: &[Mail]| -> Vec<String> {
        let subject =
            |mail: &Mail| mail.data.lines().find_map(|l| l.strip_prefix("Subject: ").map(str::to_owned));
        mails.iter().filter_map(subject).collect()
    };
    wait_until("the mails", ROUNDS_LIMIT, async || mails.mails().len() >= 2).await;
    assert_eq!(
        subjects(&mails.mails())[..2],
        ["[critical] sessions: moving from dc-a to dc-b", "[critical] sessions: moved from dc-a to dc-b"]
    );
    assert!(mails.mails().iter().all(|mail| mail.is_secure && mail.to == ["oncall@example.com"]));
    for channel in ["slack", "pagerduty", "webhook", "email", "alertmanager"] {
        let metrics = scene.agent.metrics().await;
        for result in ["failed", "refused", "expired", "dropped"] {
            let labels = [("channel", channel), ("result", result)];
            assert_eq!(metrics.value("redrover_notifications_total", &labels), Some(0.0), "{labels:?}");
        }
        let pending = metrics.value("redrover_notifications_pending", &[("channel", channel)]);
        assert!(pending.is_some(), "{channel}");
    }
}

#[tokio::test]
async fn a_silence_holds_a_switch_and_mutes_what_is_no_failover() {
    let (sink, alertmanager) = (HttpSink::start(), Alertmanager::start(KEEP).await);
    let hook = json!([{"webhook": {"url": sink.url("/hook"), "body": "{{kind}} {{level}}"}}]);
    let changes = [("/notify", hook), ("/alertmanager", json!({"url": alertmanager.url()}))];
    let mut scene = Scene::ready(Holder::Route53, &changes).await;
    let adopted = || bodies(&sink, "/hook").iter().any(|body| body == "adopted info");
    wait_until("the first message", ROUNDS_LIMIT, async || adopted()).await;

    let id = alertmanager.silence(&[("redis_service", SERVICE)]).await;
    scene.primary.kill();
    scene.agent.post_alert(SERVICE, "firing").await;
    let decision = scene.wait_decision("recommend", "silenced").await;
    assert!(decision["vetoes"].to_string().contains(&id), "{decision}");
    let muted = [("channel", "webhook"), ("result", "silenced")];
    wait_until("a message to be muted", ROUNDS_LIMIT, async || {
        let found = scene.agent.metrics().await.value("redrover_notifications_total", &muted);
        found.is_some_and(|count| count >= 1.0)
    })
    .await;
    assert_eq!(scene.answer().await, [TARGETS[0]]);
    let told = bodies(&sink, "/hook");
    assert!(!told.iter().any(|body| body.starts_with("recommended")), "{told:?}");

    alertmanager.unsilence(&id).await;
    scene.wait_switch(SERVICE).await;
    assert_eq!(scene.answer().await, [TARGETS[1]]);
    wait_until("the failover to be told", ROUNDS_LIMIT, async || {
        let told = bodies(&sink, "/hook");
        ["switch_begun critical", "switched critical"]
            .iter()
            .all(|wanted| told.iter().any(|body| body == wanted))
    })
    .await;
}
