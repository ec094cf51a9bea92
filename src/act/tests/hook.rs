//! Real programs and a real server, called as hooks.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::life::{Shape, Stage};
use crate::act::hook::{Call, HookError, HookPoint, call, call_all};
use crate::config::{Hook, HookWay, HttpLogin, Secret};
use crate::decide::saga::Outcome;
use crate::monitor::TlsProfiles;

async fn called(way: HookWay, timeout: Duration, point: HookPoint<'_>) -> Result<String, HookError> {
    let stage = Stage::new(Shape::Replication, |_| {});
    let (agent, service, plan) = (&stage.agent.name, &stage.service, &stage.plan);
    let call_ = Call { point, agent, service, plan, limit: LONG * 2 };
    call(&Hook { way, timeout }, &call_, &TlsProfiles::new()).await
}

async fn shell(script: &str, timeout: Duration) -> Result<String, HookError> {
    let way =
        HookWay::Exec { program: "/bin/sh".into(), arguments: vec!["-c".to_owned(), script.to_owned()] };
    called(way, timeout, HookPoint::Before).await
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_program_is_told_the_switch_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    let text = format!("env > {0}/env; cat > {0}/stdin; echo one; echo two; echo", folder.path().display());
    fs::write(&script, text).unwrap();
    let way = HookWay::Exec { program: "/bin/sh".into(), arguments: vec![script.display().to_string()] };
    let said = called(way, LONG, HookPoint::After(&Outcome::Switched)).await.unwrap();
    assert_eq!(said, "/bin/sh: two");
    let environment = fs::read_to_string(folder.path().join("env")).unwrap();
    let has = |line: &str| environment.lines().any(|l| l == line);
    for line in [
        "REDROVER_HOOK=after",
        "REDROVER_AGENT=a1",
        "REDROVER_SERVICE=sessions",
        "REDROVER_TOPOLOGY=replication",
        "REDROVER_DECISION=d-1",
        "REDROVER_TRIGGER=automatic",
        "REDROVER_FROM=dc-a",
        "REDROVER_TO=dc-b",
        "REDROVER_RECORD=s.example.com",
        "REDROVER_FROM_VALUE=a.example.com",
        "REDROVER_TO_VALUE=b.example.com",
        "REDROVER_TIMEOUT_SECONDS=20",
        "REDROVER_OUTCOME=switched",
    ] {
        assert!(has(line), "{line}: {environment}");
    }
    let names = environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    let known = ["PATH", "HOME", "LANG", "TZ", "PWD", "SHLVL", "OLDPWD", "_"];
    let others: Vec<_> = names.filter(|n| !n.starts_with("REDROVER_") && !known.contains(n)).collect();
    assert_eq!(others, [""; 0], "the agent's own environment may hold secrets");
    let document: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("stdin")).unwrap()).unwrap();
    let wanted = serde_json::json!({
        "version": 1, "hook": "after", "agent": "a1", "service": "sessions", "topology": "replication",
        "decision": "d-1", "trigger": "automatic", "from": "dc-a", "to": "dc-b", "record": "s.example.com",
        "from_value": "a.example.com", "to_value": "b.example.com", "timeout_seconds": "20",
        "outcome": "switched",
    });
    assert_eq!(document, wanted);
}

#[tokio::test]
async fn a_program_says_no_by_its_status_and_why_in_its_last_line() {
    let error = shell("echo first; echo the cluster is busy >&2; exit 3", LONG).await.unwrap_err();
    assert_eq!(error.to_string(), "/bin/sh ended with exit status: 3: the cluster is busy");
    assert!(!error.may_still_happen());
    let error = shell("kill -9 $$", LONG).await.unwrap_err();
    assert_eq!(error.to_string(), "/bin/sh ended with signal: 9 (SIGKILL)");
    let way = HookWay::Exec { program: "/nowhere/at/all".into(), arguments: Vec::new() };
    let error = called(way, LONG, HookPoint::Before).await.unwrap_err();
    assert!(matches!(error, HookError::Start { .. }), "{error:?}");
    assert!(!error.may_still_happen());
}

#[tokio::test]
async fn what_a_program_says_is_bounded() {
    let said = shell("yes 0123456789 | head -c 3000000; echo; echo the end", LONG).await.unwrap();
    assert_eq!(said, "/bin/sh: the end");
    let said = shell("head -c 100000 /dev/zero | tr '\\0' x", LONG).await.unwrap();
    assert!(said.len() < 300, "{}", said.len());
    // A child that keeps the pipe open keeps nobody waiting.
    let said = shell("sleep 60 & echo done", LONG).await.unwrap();
    assert_eq!(said, "/bin/sh: done");
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("child");
    let script = format!("sleep 600 & echo $! > {}; wait", file.display());
    let error = shell(&script, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "/bin/sh did not end within 1 s");
    assert!(error.may_still_happen());
    let child = fs::read_to_string(&file).unwrap().trim().to_owned();
    let gone = async {
        while is_running(&child) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, gone).await.expect("the child is gone");
}

#[tokio::test]
async fn a_program_has_all_of_its_time() {
    // Its end, and a pipe that a child keeps open beyond it, within the last tenth.
    let said = shell("sleep 20 & sleep 9.2; echo done", Duration::from_secs(10)).await.unwrap();
    assert_eq!(said, "/bin/sh: done");
}

#[tokio::test]
async fn hooks_of_one_point_share_their_time() {
    let stage = Stage::new(Shape::Replication, |_| {});
    let (agent, service, plan) = (&stage.agent.name, &stage.service, &stage.plan);
    let script = |script: &str| {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        Hook { way: HookWay::Exec { program: "/bin/sh".into(), arguments }, timeout: LONG }
    };
    let hooks = [script("echo fine"), script("sleep 600"), script("echo never")];
    let called = async |point| {
        let all = Call { point, agent, service, plan, limit: Duration::from_millis(500) };
        tokio::time::timeout(LONG / 2, call_all(&hooks, &all, &TlsProfiles::new())).await.expect("in time")
    };
    let said = called(HookPoint::After(&Outcome::Switched)).await.unwrap();
    assert_eq!((said.len(), said[0].as_str()), (3, "/bin/sh: fine"), "{said:?}");
    assert!(said[1].starts_with("/bin/sh did not end within 0."), "{said:?}");
    assert_eq!(said[2], "/bin/sh was not called: all together had 0.5 s");
    let error = called(HookPoint::Before).await.unwrap_err();
    assert!(matches!(error, HookError::Late { .. }), "{error:?}");
}

/// A zombie, which nobody has asked after yet, runs no more.
fn is_running(id: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A server that answers one request; what it was asked.
async fn server(answer: &'static str) -> (url::Url, JoinSet<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=secret", listener.local_addr().unwrap()).parse().unwrap();
    let mut asked = JoinSet::new();
    asked.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            let mut buffer = [0; 4096];
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "the request was cut");
            request.extend_from_slice(&buffer[..length]);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Whoever asked may hang up first, and then the connection ends here as well.
        let is_open = answer.contains("content-length: 50");
        if is_open {
            let _ = stream.read(&mut [0]).await;
        }
        String::from_utf8(request).unwrap()
    });
    (url, asked)
}

#[tokio::test]
async fn an_address_says_yes_or_no_by_its_status() {
    let rows = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfine\n", Ok("fine"), false),
        ("HTTP/1.1 204 No Content\r\n\r\n", Ok("done"), false),
        // Its body never ends, and the status says enough.
        ("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nfine\n", Ok("fine"), false),
        ("HTTP/1.1 409 Conflict\r\ncontent-length: 4\r\n\r\nbusy", Err(" answered 409: busy"), false),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            Err(" answered 302"),
            false,
        ),
        ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", Err(" answered 500"), true),
        // The connection ends without an answer.
        ("", Err(" did not answer"), true),
    ];
    for (answer, wanted, may_still_happen) in rows {
        let (url, mut asked) = server(answer).await;
        let name = format!("http://127.0.0.1{}", url.path());
        let login = Some(HttpLogin::Bearer(Secret::new("hunter2")));
        let way = HookWay::Webhook { url, login, ca_file: None };
        let said = called(way, LONG, HookPoint::Promote).await;
        let request = asked.join_next().await.unwrap().unwrap();
        assert!(request.starts_with("POST /hook?key=secret HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer hunter2\r\n"), "{request}");
        assert!(request.contains("\"hook\":\"promote\"") && request.contains("\"to\":\"dc-b\""), "{request}");
        let may = said.as_ref().err().is_some_and(HookError::may_still_happen);
        let said = said.map_err(|error| error.to_string());
        let wanted = match wanted {
            Ok(said) => Ok(format!("{name}: {said}")),
            Err(why) => Err(format!("{name}{why}")),
        };
        assert_eq!((said, may), (wanted, may_still_happen), "{answer}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_means_that_nothing_happens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = called(HookWay::Webhook { url, login: None, ca_file: None }, LONG, HookPoint::Promote).await;
    assert!(!error.unwrap_err().may_still_happen());
}
