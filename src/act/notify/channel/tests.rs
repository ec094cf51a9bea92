//! The exact bytes of every channel.

use super::{alertmanager, email, pagerduty, slack, webhook};
use crate::act::notify::tests::world::{START, message};
use crate::act::notify::{Message, Phase};
use crate::config::{Email, Level, MessageWebhook, Secret, SmtpTls, Template};
use crate::types::AgentName;

fn agent() -> AgentName {
    AgentName::new("a1").unwrap()
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

#[test]
fn slack() {
    let folded = Message { held_back: 2, earlier: vec!["earlier".to_owned()], ..message() };
    let post = slack::request(&Secret::new("https://hooks.slack.com/services/T/B/x"), &folded);
    assert_eq!(post.url, "https://hooks.slack.com/services/T/B/x");
    assert_eq!(post.headers, [("content-type", "application/json".to_owned())]);
    let wanted = concat!(
        r#"{"blocks":["#,
        r#"{"text":{"text":"sessions: dc-a is down, and nothing is moved","type":"plain_text"},"type":"header"},"#,
        r#"{"text":{"text":"*What happened*\n• 1 of 1 vantages see dc-a down.","type":"mrkdwn"},"type":"section"},"#,
        r#"{"text":{"text":"*Why*\n• &lt;b&gt; &amp; \"x\"\n• the mode is recommend","type":"mrkdwn"},"type":"section"},"#,
        r#"{"text":{"text":"*What was done*\n• Nothing was moved.","type":"mrkdwn"},"type":"section"},"#,
        r#"{"text":{"text":"*What to do now*\n• Bring dc-a back.","type":"mrkdwn"},"type":"section"},"#,
        r#"{"text":{"text":"*Before that, held back (2)*\n• earlier","type":"mrkdwn"},"type":"section"},"#,
        r#"{"elements":[{"text":"redrover, service sessions, level critical, incident sessions-1a20a8a9cd9-26, 2026-11-24T00:01:00Z","type":"mrkdwn"}],"type":"context"}],"#,
        r#""text":"[critical] sessions: dc-a is down, and nothing is moved"}"#,
    );
    assert_eq!(text(&post.body), wanted);

    let long = Message { title: "x".repeat(500), why: vec!["&".repeat(5_000)], ..message() };
    let body = slack::request(&Secret::new("https://x"), &long).body;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    for block in body["blocks"].as_array().unwrap() {
        let limit = if block["type"] == "header" { 150 } else { 3000 };
        let text = block["text"]["text"].as_str().unwrap_or_default();
        assert!(text.chars().count() <= limit, "{}", text.len());
    }
}

#[test]
fn pagerduty_triggers_acknowledges_and_resolves_with_one_key() {
    let url = "https://events.pagerduty.com/v2/enqueue".parse().unwrap();
    let body = |phase| {
        let post = pagerduty::request(&url, &Secret::new("R0"), &agent(), &Message { phase, ..message() });
        assert_eq!(post.url, "https://events.pagerduty.com/v2/enqueue");
        assert_eq!(post.headers, [("content-type", "application/json".to_owned())]);
        String::from_utf8(post.body).unwrap()
    };
    let key = "redrover/incident/sessions-1a20a8a9cd9-26";
    assert_eq!(
        body(Phase::Lasts),
        concat!(
            r#"{"client":"redrover","dedup_key":"redrover/incident/sessions-1a20a8a9cd9-26","event_action":"trigger","payload":{"#,
            r#""class":"outage","component":"sessions","custom_details":{"held_back":[],"#,
            r#""what_happened":"1 of 1 vantages see dc-a down.","what_to_do_now":["Bring dc-a back."],"#,
            r#""what_was_done":["Nothing was moved."],"why":["<b> & \"x\"","the mode is recommend"]},"#,
            r#""group":"sessions","severity":"critical","source":"a1","#,
            r#""summary":"sessions: dc-a is down, and nothing is moved","timestamp":"2026-11-24T00:01:00Z"},"#,
            r#""routing_key":"R0"}"#,
        )
    );
    for (phase, action) in [(Phase::Acknowledged, "acknowledge"), (Phase::Over, "resolve")] {
        let wanted = format!(r#"{{"dedup_key":"{key}","event_action":"{action}","routing_key":"R0"}}"#);
        assert_eq!(body(phase), wanted);
    }
}

fn hook(body: Option<&str>, content_type: &str, key: Option<&str>) -> MessageWebhook {
    MessageWebhook {
        url: "https://hooks.example.com/redrover".parse().unwrap(),
        hmac_key: key.map(Secret::new),
        login: None,
        body: body.map(|text| Template::parse(text).unwrap()),
        content_type: content_type.to_owned(),
        ca_file: None,
    }
}

#[test]
fn webhooks_are_templated_and_signed() {
    let now = START + 61_999;
    let request = |hook: &MessageWebhook| webhook::request(hook, &agent(), &message(), now);

    let whole = request(&hook(None, "application/json", None));
    assert_eq!(whole.headers, [("content-type", "application/json".to_owned())]);
    assert_eq!(
        text(&whole.body),
        concat!(
            r#"{"agent":"a1","condition":"incident","datacenter":"dc-a","done":["Nothing was moved."],"earlier":[],"#,
            r#""happened":"1 of 1 vantages see dc-a down.","held_back":0,"incident":"sessions-1a20a8a9cd9-26","#,
            r#""key":"incident/sessions-1a20a8a9cd9-26","kind":"outage","level":"critical","phase":"lasts","#,
            r#""service":"sessions","since":"2026-11-24T00:00:00Z","time":"2026-11-24T00:01:00Z","#,
            r#""title":"sessions: dc-a is down, and nothing is moved","todo":["Bring dc-a back."],"version":1,"#,
            r#""why":["<b> & \"x\"","the mode is recommend"]}"#,
        )
    );

    let json = request(&hook(Some(r#"{"t":"{{why}}","k":"{{key}}"}"#), "application/json", None));
    let wanted = r#"{"t":"<b> & \"x\"\nthe mode is recommend","k":"incident/sessions-1a20a8a9cd9-26"}"#;
    assert_eq!(text(&json.body), wanted);

    let plain = request(&hook(Some("level={{level}} {{title}}"), "text/plain", Some("sesame")));
    assert_eq!(text(&plain.body), "level=critical sessions: dc-a is down, and nothing is moved");
    // Computed by another program: HMAC-SHA256 of "1795478461." and the body, with the key "sesame".
    assert_eq!(
        plain.headers,
        [
            ("content-type", "text/plain".to_owned()),
            ("x-redrover-timestamp", "1795478461".to_owned()),
            (
                "x-redrover-signature",
                "sha256=f3c6c0c30895ac8d12dad6ff68824fa2d0c03b52a879cf3df4fa14ff7e1a5035".to_owned()
            ),
        ]
    );
}

#[test]
fn alertmanager_gets_one_alert_for_each_condition_until_it_ends() {
    let base = "http://127.0.0.1:9093/prefix/".parse().unwrap();
    let body = |message: &Message| {
        let post = alertmanager::request(&base, std::iter::once(message), START + 90_000);
        assert_eq!(post.url, "http://127.0.0.1:9093/prefix/api/v2/alerts");
        let alerts: serde_json::Value = serde_json::from_slice(&post.body).unwrap();
        alerts.as_array().unwrap().clone()
    };
    let lasts = body(&message());
    assert_eq!(
        lasts[0]["labels"].to_string(),
        concat!(
            r#"{"alertname":"RedroverIncident","condition":"incident","datacenter":"dc-a","#,
            r#""redis_service":"sessions","severity":"critical"}"#
        )
    );
    assert_eq!(lasts[0]["annotations"]["summary"], "sessions: dc-a is down, and nothing is moved");
    let times = |alert: &serde_json::Value| (alert["startsAt"].to_string(), alert["endsAt"].to_string());
    let quoted = |text: &str| format!("\"{text}\"");
    let start = quoted("2026-11-24T00:00:00Z");
    assert_eq!(times(&lasts[0]), (start.clone(), quoted("2026-11-24T00:06:30Z")), "until nobody posts it");
    let over = body(&Message { phase: Phase::Over, ..message() });
    assert_eq!(times(&over[0]), (start.clone(), quoted("2026-11-24T00:01:00Z")));

    let raised = body(&Message { level_before: Some(Level::Warning), ..message() });
    assert_eq!(raised.len(), 2, "another severity is another alert");
    assert_eq!(
        (&raised[0]["labels"]["severity"], times(&raised[0]).1),
        (&"warning".into(), quoted("2026-11-24T00:01:00Z"))
    );
    assert_eq!(raised[1], lasts[0]);

    let notice = Message { condition: "standby_down".to_owned(), level: Level::Error, ..message() };
    assert_eq!(body(&notice)[0]["labels"]["alertname"], "RedroverNotice");
}

#[test]
fn mail_holds_text_and_html() {
    let rules = Email {
        host: "mail.example.com".to_owned(),
        port: 587,
        tls: SmtpTls::StartTls,
        ca_file: None,
        login: None,
        from: "redrover@example.com".to_owned(),
        to: vec!["anna@example.com".to_owned(), "ben@example.com".to_owned()],
    };
    let mail = email::mail(&rules, 7, &message());
    let boundary = "=_redrover_7_1795478460000";
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        head,
        format!(
            "From: redrover <redrover@example.com>\r\n\
             To: anna@example.com,\r\n ben@example.com\r\n\
             Subject: [critical] sessions: dc-a is down, and nothing is moved\r\n\
             Date: Tue, 24 Nov 2026 00:01:00 +0000\r\n\
             Message-ID: <redrover.7.1795478460000@example.com>\r\n\
             Auto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\""
        )
    );
    assert!(mail.split_inclusive("\r\n").all(|line| line.ends_with("\r\n") && line.len() <= 100));
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert_eq!((parts.len(), parts[0], parts[3]), (4, "", "--\r\n"));
    let decoded = |part: &str| {
        use base64::Engine as _;
        let (_, lines) = part.split_once("\r\n\r\n").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(lines.replace("\r\n", "")).unwrap();
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    };
    let wanted = "sessions: dc-a is down, and nothing is moved\n\n\
        What happened:\n- 1 of 1 vantages see dc-a down.\n\n\
        Why:\n- <b> & \"x\"\n- the mode is recommend\n\n\
        What was done:\n- Nothing was moved.\n\n\
        What to do now:\n- Bring dc-a back.\n\n\
        redrover, service sessions, level critical, incident sessions-1a20a8a9cd9-26, 2026-11-24T00:01:00Z\n";
    assert!(parts[1].starts_with(
        "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ));
    assert_eq!(decoded(parts[1]), wanted);
    assert!(parts[2].contains("Content-Type: text/html; charset=utf-8\r\n"));
    let html = decoded(parts[2]);
    assert!(html.contains("<li>&lt;b&gt; &amp; &quot;x&quot;</li>") && !html.contains("<b>"), "{html}");
    assert!(html.contains("<h3>What to do now</h3>\n<ul>\n<li>Bring dc-a back.</li>\n</ul>"), "{html}");
}
