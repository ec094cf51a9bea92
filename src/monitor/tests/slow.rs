//! A Redis that answers every command late, behind a line that holds back each request.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::reasons;
use super::rig::{AMPLE, Server, monitor_every, site, target, with_login};
use crate::monitor::{SiteClient as _, WriteCanary};
use crate::types::{CanaryResult, GapReason, TargetSnapshot};

/// Deadline of a command.
const DEADLINE: Duration = Duration::from_millis(700);

/// A line to a Redis that delivers every request so late.
struct SlowLine {
    port: u16,
    _tasks: JoinSet<()>,
}

impl SlowLine {
    async fn to(server: &Server, delay: Duration) -> Self {
        let (listener, behind) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), server.port);
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                lines.spawn(carry(client, behind, delay));
            }
        });
        Self { port, _tasks: tasks }
    }
}

async fn carry(client: TcpStream, behind: u16, delay: Duration) {
    let server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            tokio::time::sleep(delay).await;
            // Either end may have gone.
            if to_server.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    };
    let answers = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        () = requests => {}
        _ = answers => {}
    }
}

async fn look(delay: Duration, interval: Duration) -> TargetSnapshot {
    let server = Server::start(&["--requirepass", "hunter2"]).await;
    let line = SlowLine::to(&server, delay).await;
    let slow = with_login(target("127.0.0.1", line.port), None, "hunter2");
    let (monitor, _) = monitor_every(interval, vec![slow]);
    monitor.look(&site("dc-a"), DEADLINE, WriteCanary::Write).await.targets.remove(0)
}

#[tokio::test]
async fn a_redis_that_answers_each_command_in_time_serves() {
    let delay = Duration::from_millis(300);
    let seen = look(delay, AMPLE).await;
    assert_eq!(reasons(&seen), [None; 3], "{seen:?}");
    // AUTH, PING, INFO, SET and GET: far more than one deadline.
    assert!(seen.elapsed >= delay * 5 && delay * 5 > DEADLINE, "{:?}", seen.elapsed);
    assert!(seen.ping.unwrap() < DEADLINE);
    assert!(matches!(seen.canary, CanaryResult::Written(took) if took >= delay * 2));
}

#[tokio::test]
async fn one_that_misses_the_deadline_of_a_command_does_not() {
    let seen = look(DEADLINE * 2, AMPLE).await;
    // AUTH is the first of the commands.
    assert_eq!(reasons(&seen)[0], Some(GapReason::Timeout));
    assert!((DEADLINE..DEADLINE * 2).contains(&seen.elapsed), "{:?}", seen.elapsed);
}

#[tokio::test]
async fn no_look_outlasts_the_interval() {
    let interval = Duration::from_millis(1100);
    let seen = look(Duration::from_millis(400), interval).await;
    assert_eq!(reasons(&seen), [None, Some(GapReason::Timeout), Some(GapReason::Timeout)]);
    assert!((interval..interval + DEADLINE).contains(&seen.elapsed), "{:?}", seen.elapsed);
}
