//! A Prometheus that is busy for a while is asked again, and only for what it has not answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::world::config;
use crate::config::Prometheus;
use crate::replay::{Asked, History, PrometheusHistory, Span, replay};

/// How often each question was asked, by its path.
type Questions = Arc<Mutex<BTreeMap<String, u32>>>;

/// Refuses the fourth question once; has one sample of one series, at each step that is asked for.
async fn serve(listener: TcpListener, questions: Questions) {
    loop {
        let Ok((mut socket, _)) = listener.accept().await else { return };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let (number, again) = {
            let mut questions = questions.lock().unwrap();
            *questions.entry(path.clone()).or_default() += 1;
            (questions.len(), questions[&path])
        };
        let labels =
            r#"{"redis_service":"sessions","datacenter":"dc-a","target":"redis://dc-a:6379","instance":"a"}"#;
        let series = format!(r#"[{{"metric":{labels},"values":[[1000,"1"],[1005,"1"],[1010,"1"]]}}]"#);
        let result = if path.contains("query=redis_up") { series } else { "[]".to_owned() };
        let (status, body) = match (number, again) {
            (4, 1) => (503, String::new()),
            _ => {
                (200, format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":{result}}}}}"#))
            }
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // The client may have hung up.
        let _ = socket.write_all(answer.as_bytes()).await;
    }
}

#[tokio::test]
async fn a_question_that_failed_is_asked_again_and_the_others_are_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let questions = Questions::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, Arc::clone(&questions)));

    let (config, step) = (config(), Duration::from_secs(5));
    let asked = Asked { prometheus: Prometheus { url, login: None, ca_file: None }, step };
    let span = Span::new(1_000_000, 1_010_000, step);
    let service = &config.services[0];
    let mut history =
        History::Prometheus(Box::new(PrometheusHistory::new(&config, service, &asked, span).unwrap()));
    let account = replay(service, &mut history, span, None, step, &mut |_| ()).await.unwrap();
    assert_eq!((account.coverage.rounds, account.coverage.retries), (3, 1));
    assert_eq!(account.coverage.compared, 0, "nobody knows what was decided then");
    let asked: Vec<u32> = questions.lock().unwrap().values().copied().collect();
    assert_eq!(asked.iter().filter(|times| **times == 2).count(), 1, "{asked:?}");
    assert_eq!(asked.iter().filter(|times| **times == 1).count(), asked.len() - 1, "{asked:?}");
}
