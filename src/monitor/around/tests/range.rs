//! What Prometheus may answer about a time.

use std::time::Duration;

use super::server::{Act, Server, say};
use crate::config::{HttpLogin, Prometheus, Secret};
use crate::monitor::around::range::{RangeClient, RangeError, RangeSeries};

const STEP: Duration = Duration::from_millis(2500);

async fn ask(answer: Act, login: Option<HttpLogin>) -> (Result<Vec<RangeSeries>, RangeError>, Server) {
    let server = Server::start(move |_| answer.clone()).await;
    let client = RangeClient::new(&Prometheus { url: server.url(), login, ca_file: None }).unwrap();
    let answered = client.ask("redis_up{a=\"b\"}", 1_000_250, 1_010_250, STEP).await;
    (answered, server)
}

fn matrix(result: &str) -> Act {
    say(200, &format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":{result}}}}}"#))
}

#[tokio::test]
async fn what_is_no_finite_number_is_left_out() {
    let values = r#"[[1000.25,"1"],[1002.75,"NaN"],[1005.25,"+Inf"],[1007.75,"much"],[1010.25,"0"]]"#;
    let (series, server) =
        ask(matrix(&format!(r#"[{{"metric":{{"a":"b"}},"values":{values}}}]"#)), None).await;
    let series = series.unwrap();
    assert_eq!(series[0].labels["a"], "b");
    assert_eq!(series[0].points, [(1_000_250, 1.0), (1_010_250, 0.0)]);
    let path = &server.paths()[0];
    assert_eq!(
        path,
        "/api/v1/query_range?query=redis_up%7Ba%3D%22b%22%7D&start=1000.25&end=1010.25&step=2.5"
    );
    let (none, _) = ask(matrix("[]"), None).await;
    assert_eq!(none.unwrap(), []);
}

#[tokio::test]
async fn the_login_is_shown() {
    let (_, server) = ask(matrix("[]"), Some(HttpLogin::Bearer(Secret::new("t0ken")))).await;
    assert!(server.heads()[0].to_ascii_lowercase().contains("authorization: bearer t0ken"));
}

#[tokio::test]
async fn only_what_may_pass_is_worth_another_question() {
    let busy = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    let bad = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    for (answer, said, is_retryable) in [
        (say(503, busy), "Prometheus answered with HTTP 503: timeout: query timed out", true),
        (say(502, "<html>"), "Prometheus answered with HTTP 502", true),
        (say(429, ""), "Prometheus answered with HTTP 429", true),
        (say(400, bad), "Prometheus answered with HTTP 400: bad_data: parse error", false),
        (say(401, ""), "Prometheus answered with HTTP 401", false),
        (say(200, "{}"), "the answer is not that of Prometheus", false),
        (matrix(r#"[{"metric":{},"value":[1,"1"]}]"#), "the answer is not that of Prometheus", false),
        (
            Act::Part("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{".to_owned()),
            "Prometheus gave no answer",
            true,
        ),
        (
            Act::Part(format!("HTTP/1.1 200 X\r\n\r\n{}", "x".repeat(64 * 1024 * 1024 + 1))),
            "Prometheus gave no answer",
            false,
        ),
    ] {
        let error = ask(answer, None).await.0.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.is_retryable()), (said, is_retryable));
    }
}
