//! What Prometheus may answer, and what of it is a share of errors.

use std::sync::Arc;
use std::time::Duration;

use super::server::{Act, Server, say};
use super::{HandClock, SHORT, clients};
use crate::config::{HttpLogin, Prometheus, Secret};
use crate::monitor::around::client::PrometheusClient;
use crate::monitor::tests::rig::AMPLE;
use crate::monitor::tls::TlsProfiles;
use crate::types::{Clock as _, GapReason, Ratio};

const PROMQL: &str = "sum(rate(errors_total[1m])) / sum(rate(requests_total[1m]))";

fn client(server: &Server, login: Option<HttpLogin>, clock: Arc<HandClock>) -> PrometheusClient {
    let prometheus = Prometheus { url: server.url(), login, ca_file: None };
    PrometheusClient::new(&prometheus, &clients(), &TlsProfiles::new(), clock).unwrap()
}

fn success(kind: &str, result: &str) -> Act {
    let body = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#);
    say(200, &body)
}

async fn share(answer: Act, clock: Arc<HandClock>) -> Result<f64, GapReason> {
    let server = Server::start(move |_| answer.clone()).await;
    let share = client(&server, None, clock).share(PROMQL, SHORT).await;
    share.map(Ratio::get).map_err(|gap| gap.reason)
}

#[tokio::test]
async fn one_finite_value_of_now_is_a_share() {
    let clock = HandClock::new();
    let now = clock.now().wall.as_secs_f64();
    let scalar = |at: f64, value: &str| success("scalar", &format!(r#"[{at}, "{value}"]"#));
    let series = |value: &str| format!(r#"{{"metric":{{"job":"shop"}},"value":[{now}, "{value}"]}}"#);
    let vector = |all: &[&str]| {
        success("vector", &format!("[{}]", all.iter().map(|v| series(v)).collect::<Vec<_>>().join(",")))
    };
    let protocol = Err(GapReason::Protocol);
    for (answer, want) in [
        (scalar(now, "0.25"), Ok(0.25)),
        (vector(&["0.5"]), Ok(0.5)),
        (vector(&["0"]), Ok(0.0)),
        (vector(&["1.7"]), Ok(1.0)),
        (vector(&["-0.1"]), Ok(0.0)),
        (scalar(now - 59.0, "0.25"), Ok(0.25)),
        (scalar(now - 61.0, "0.25"), protocol),
        (scalar(now + 61.0, "0.25"), protocol),
        // No requests, no errors: nothing is known.
        (vector(&["NaN"]), protocol),
        (vector(&["+Inf"]), protocol),
        (vector(&["-Inf"]), protocol),
        (vector(&[]), protocol),
        (vector(&["0.1", "0.2"]), protocol),
        (vector(&["much"]), protocol),
        (success("matrix", r#"[{"metric":{},"values":[[1,"1"]]}]"#), protocol),
        (success("string", &format!(r#"[{now},"0.5"]"#)), protocol),
        (success("scalar", &format!("[{now}, 0.5]")), protocol),
        (success("vector", &format!(r#"[{now}, "0.5"]"#)), protocol),
        (success("vector", "null"), protocol),
        (say(200, ""), protocol),
        (say(200, "{}"), protocol),
        (say(200, "<html>log in</html>"), protocol),
        (say(200, &"x".repeat(1 << 20)), protocol),
        (Act::Part("HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_owned()), protocol),
        (Act::Hang, Err(GapReason::Timeout)),
        (say(401, ""), Err(GapReason::Auth)),
        (say(403, ""), Err(GapReason::Permission)),
        (say(503, "starting"), Err(GapReason::ErrorReply)),
        (
            say(400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#),
            Err(GapReason::ErrorReply),
        ),
        (
            say(503, r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#),
            Err(GapReason::ErrorReply),
        ),
        (
            Act::Say("HTTP/1.1 302 X\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n".to_owned()),
            Err(GapReason::ErrorReply),
        ),
    ] {
        let shown: String = format!("{answer:?}").chars().take(200).collect();
        assert_eq!(share(answer, Arc::clone(&clock)).await, want, "{shown}");
    }
}

#[tokio::test]
async fn the_question_is_whole_and_proven() {
    let clock = HandClock::new();
    let at = clock.now().wall.as_secs_f64();
    let server = Server::start(move |_| success("scalar", &format!(r#"[{at}, "1"]"#))).await;
    let basic = HttpLogin::Basic { username: "redrover".to_owned(), password: Secret::new("hunter2") };
    for (login, want) in [
        (None, None),
        (Some(HttpLogin::Bearer(Secret::new("hunter2"))), Some("authorization: Bearer hunter2\r\n")),
        (Some(basic), Some("authorization: Basic cmVkcm92ZXI6aHVudGVyMg==\r\n")),
    ] {
        let client = client(&server, login, Arc::clone(&clock));
        assert_eq!(client.share(PROMQL, AMPLE).await, Ok(Ratio::ONE));
        assert!(!format!("{client:?}").contains("hunter2"));
        let head = server.heads().pop().unwrap();
        let path = "GET /api/v1/query?query=sum%28rate%28errors_total%5B1m%5D%29%29+%2F+sum%28rate%28\
                    requests_total%5B1m%5D%29%29&timeout=10000ms ";
        assert!(head.starts_with(path), "{head}");
        match want {
            Some(line) => assert!(head.contains(line), "{head}"),
            None => assert!(!head.contains("authorization"), "{head}"),
        }
    }
    // An error may say anything, but only so much, and in one line.
    let told = r#"{"status":"error","errorType":"bad_data","error":"one\ntwo"}"#;
    let server = Server::start(move |_| say(400, told)).await;
    let gap = client(&server, None, clock).share(PROMQL, Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(gap.detail, "bad_data: one two");
}
