//! The embedded name server under the tools that administrators ask name servers with: `dig` of BIND, `kdig` of Knot.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::process::{installed, run};
use crate::support::sandbox::ZONE;
use crate::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};

const QUERY_LIMIT: Duration = Duration::from_secs(20);

/// What is asked, and what each tool must show of the answer, whatever else it shows.
const QUESTIONS: [(&[&str], &[&str]); 11] = [
    (&[NAME, "CNAME"], &["NOERROR", " aa", TARGETS[0]]),
    (&[NAME, "A", "+tcp"], &["NOERROR", " aa", TARGETS[0]]),
    (&[NAME, "AAAA", "+dnssec"], &["NOERROR", " aa", TARGETS[0], " do"]),
    (&["_redrover.sessions.example.test", "TXT"], &["NOERROR", " aa", "epoch=1;active=dc-a"]),
    (&["example.test", "SOA"], &["NOERROR", " aa", "hostmaster.example.test."]),
    (&["example.test", "NS"], &["NOERROR", " aa", "ns1.example.test.", "192.0.2.53", "2001:db8::53"]),
    (&["example.test", "MX"], &["NOERROR", " aa", "SOA"]),
    (&["nobody.example.test", "A"], &["NXDOMAIN", " aa", "5\tIN\tSOA"]),
    (&["example.org", "A"], &["REFUSED"]),
    (&[NAME, "ANY"], &["NOERROR", TARGETS[0]]),
    (&[NAME, "A", "+bufsize=512", "+nocookie"], &["NOERROR", TARGETS[0]]),
];

/// What `dig` alone can ask.
const ODD_QUESTIONS: [(&[&str], &[&str]); 9] = [
    (&["version.bind", "CH", "TXT"], &["REFUSED"]),
    (&["example.test", "AXFR"], &["Transfer failed"]),
    (&[NAME, "A", "+edns=1", "+noednsnegotiation"], &["BADVERS", "EDNS: version: 0"]),
    (&[NAME, "A", "+ednsflags=0x40"], &["NOERROR", "flags:;"]),
    (&[NAME, "A", "+ednsopt=100:00"], &["NOERROR", TARGETS[0]]),
    (&[NAME, "A", "+noedns"], &["NOERROR", TARGETS[0]]),
    (&[NAME, "A", "+opcode=notify"], &["NOTIMP"]),
    (&["+header-only"], &["FORMERR"]),
    (&["SesSions.eXample.tesT", "CNAME"], &["SesSions.eXample.tesT.", TARGETS[0]]),
];

async fn scene() -> Scene {
    let server = json!({"name": format!("ns1.{ZONE}"), "addresses": ["192.0.2.53", "2001:db8::53"]});
    let scene = Scene::start(Holder::Embedded, &[("/embedded_dns/name_servers", json!([server]))]).await;
    scene.adopt("sessions").await;
    scene
}

async fn ask(scene: &Scene, tool: &str, words: &[&str]) -> String {
    let (server, port) = (format!("@{}", scene.dns().ip()), scene.dns().port().to_string());
    let mut command = Command::new(installed(&[tool]));
    // No file of the user's may change what is asked.
    command.env("HOME", "/nonexistent").args([&server, "-p", &port]);
    // What they call alike.
    command.args(["+time=10", "+retry=0", if tool == "dig" { "+norec" } else { "+nordflag" }]);
    command.args(words);
    run(tool, &mut command, QUERY_LIMIT).await.stdout
}

#[tokio::test]
async fn dig_and_kdig_agree_with_every_answer() {
    let scene = scene().await;
    for tool in ["dig", "kdig"] {
        for (words, wanted) in QUESTIONS {
            let said = ask(&scene, tool, words).await;
            // A semicolon within a text is escaped.
            let plain = said.replace("\\;", ";");
            for text in wanted {
                assert!(plain.contains(text), "{tool} {words:?} lacks {text:?}:\n{said}");
            }
            assert!(!said.to_lowercase().contains("warning"), "{tool} {words:?}:\n{said}");
        }
    }
    for (words, wanted) in ODD_QUESTIONS {
        let said = ask(&scene, "dig", words).await;
        for text in wanted {
            assert!(said.contains(text), "dig {words:?} lacks {text:?}:\n{said}");
        }
    }
}

#[tokio::test]
async fn a_flood_is_limited_and_counted_and_tcp_is_not() {
    let limit = json!({"responses_per_second": 10, "slip": 2});
    let scene = Scene::start(Holder::Embedded, &[("/embedded_dns/rate_limit", limit)]).await;
    scene.adopt("sessions").await;
    let words = [NAME, "CNAME", "+ignore", "+time=1"];
    let flood = (0..40).map(|_| ask(&scene, "dig", &words));
    let said = futures_util::future::join_all(flood).await;
    let (mut whole, mut cut, mut silent) = (0, 0, 0);
    for answer in &said {
        match (answer.contains(" tc"), answer.contains(TARGETS[0])) {
            (true, _) => cut += 1,
            (false, true) => whole += 1,
            (false, false) => silent += 1,
        }
    }
    assert!(whole >= 10 && cut > 0 && silent > 0, "{whole} whole, {cut} cut, {silent} silent");
    let by_tcp = ask(&scene, "dig", &[NAME, "CNAME", "+tcp"]).await;
    assert!(by_tcp.contains(TARGETS[0]), "{by_tcp}");
    let labels = |action| [("action", action)];
    let limited = "redrover_dns_answers_limited_total";
    let metrics = scene.agent.metrics().await;
    assert!(metrics.value(limited, &labels("cut")) >= Some(f64::from(cut)), "{cut}");
    // On a busy machine an answer may also come too late for who waits a second.
    assert!(metrics.value(limited, &labels("dropped")) > Some(0.0), "{silent}");
    let answered = [("transport", "tcp"), ("code", "noerror")];
    scene.agent.wait_metric("redrover_dns_answers_total", &answered, 1.0, ROUNDS_LIMIT).await;
}
