//! The accept loop: bounded connections, deadlines for handshakes and request heads, and a graceful end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use super::Metrics;
use super::router::Caller;
use super::web::WebKeeper;

/// Connections served at the same time, over all addresses; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 512;
/// A caller has so long for the handshake of TLS.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// A caller has so long to send the head of its first request. When there is no room, one that asked nothing for so long is
/// shown out.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// From one request to the next: a Prometheus that scrapes every five minutes keeps its connection.
const IDLE_DEADLINE: Duration = Duration::from_secs(330);
/// An older connection is closed after its next answer; Prometheus and Alertmanager simply come again.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(3600);
/// A request under way when its connection is to be closed has so long to end: the longest scrape, and some.
const LAST_ANSWER_DEADLINE: Duration = Duration::from_secs(80);
/// Requests under way have so long to end when the program stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// What answers, on as many addresses as there are listeners.
#[derive(Clone)]
pub struct Server {
    router: Router,
    web: WebKeeper,
    metrics: Metrics,
    permits: Arc<Semaphore>,
}

impl Server {
    /// Answers with these paths, to whom these rules let in.
    #[must_use]
    pub fn new(router: Router, web: WebKeeper, metrics: Metrics) -> Self {
        Self::with_limit(router, web, metrics, CONNECTIONS_MAX)
    }

    fn with_limit(router: Router, web: WebKeeper, metrics: Metrics, connections_max: usize) -> Self {
        Self { router, web, metrics, permits: Arc::new(Semaphore::new(connections_max)) }
    }

    /// Serves until cancelled, then lets requests under way end.
    pub async fn run(self, listener: TcpListener, cancelled: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            let permit = tokio::select! {
                () = cancelled.cancelled() => break,
                permit = Arc::clone(&self.permits).acquire_owned() => permit,
            };
            let accepted = tokio::select! {
                () = cancelled.cancelled() => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = listener.accept() => accepted,
            };
            let (stream, caller) = match accepted {
                Ok((stream, from)) => {
                    // The last part of a page is not held back until the caller has acknowledged what came before.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "answers may be held back");
                    }
                    (stream, Caller(from.ip()))
                }
                Err(error) => {
                    // Out of file descriptors, most likely: a busy loop would make it worse.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (server, cancelled) = (self.clone(), cancelled.clone());
            connections.spawn(async move {
                let _permit = permit;
                server.connection(stream, caller, cancelled).await;
            });
        }
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_LIMIT, drained).await.is_err() {
            tracing::warn!("requests were cut off at the end");
        }
    }

    /// One connection, by the rules that are in force when it is opened.
    async fn connection(&self, stream: TcpStream, caller: Caller, cancelled: CancellationToken) {
        let Some(acceptor) = self.web.rules().acceptor.clone() else {
            return self.http(stream, caller, cancelled).await;
        };
        let handshake = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream));
        let shaken = tokio::select! {
            () = cancelled.cancelled() => return,
            shaken = handshake => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => self.http(stream, caller, cancelled).await,
            Ok(Err(error)) => {
                self.metrics.refused("tls");
                tracing::debug!(%error, "a handshake failed");
            }
            Err(_) => {
                self.metrics.refused("tls");
                tracing::debug!("a handshake took too long");
            }
        }
    }

    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        caller: Caller,
        cancelled: CancellationToken,
    ) {
        let answers = TowerToHyperService::new(self.router.clone().layer(Extension(caller)));
        let requests = AtomicU64::new(0);
        let asked = &requests;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            asked.fetch_add(1, Ordering::Relaxed);
            answers.call(request)
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(IDLE_DEADLINE);
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        let began = Instant::now();
        let mut looks = interval_at(began + HEAD_DEADLINE, HEAD_DEADLINE);
        let (mut before, mut ending) = (0, None::<Instant>);
        loop {
            let is_over = tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                () = cancelled.cancelled(), if ending.is_none() => true,
                _ = looks.tick() => {
                    let now = requests.load(Ordering::Relaxed);
                    let is_idle = std::mem::replace(&mut before, now) == now;
                    if now == 0 || ending.is_some_and(|since| since.elapsed() > LAST_ANSWER_DEADLINE) {
                        return tracing::debug!("a connection was open for too long");
                    }
                    let is_full = self.permits.available_permits() == 0;
                    (is_full && is_idle) || began.elapsed() > CONNECTION_AGE_MAX
                }
            };
            if is_over && ending.is_none() {
                ending = Some(Instant::now());
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::web::tests::Papers;
    use axum::routing::get;
    use prometheus_client::registry::Registry;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const CONNECTIONS: usize = 3;

    /// Starts a server for as many connections, and returns where it listens.
    async fn start(web: impl FnOnce(Metrics) -> WebKeeper, tasks: &mut JoinSet<()>) -> std::net::SocketAddr {
        let metrics = Metrics::register(Registry::default());
        let router = Router::new().route("/", get(async || "here"));
        let server = Server::with_limit(router, web(metrics.clone()), metrics, CONNECTIONS);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tasks.spawn(server.run(listener, CancellationToken::new()));
        address
    }

    async fn ask(mut stream: TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_shown_out_and_makes_room() {
        let mut tasks = JoinSet::new();
        let address = start(WebKeeper::open_to_all, &mut tasks).await;
        let mut silent = Vec::new();
        for _ in 0..CONNECTIONS {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let began = Instant::now();
        let answer = ask(TcpStream::connect(address).await.unwrap()).await;
        assert!(answer.ends_with("here"), "{answer}");
        assert!(began.elapsed() >= HEAD_DEADLINE, "it waited for room: {:?}", began.elapsed());
        assert!(began.elapsed() < 2 * HEAD_DEADLINE, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_never_ends_is_ended() {
        let mut tasks = JoinSet::new();
        let papers = Papers::new();
        let file = papers.write("{tls_server_config: {cert_file: server.pem, key_file: server.key}}");
        let address = start(|metrics| WebKeeper::open(Some(file), metrics).unwrap(), &mut tasks).await;
        let began = Instant::now();
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
        assert!(began.elapsed() >= HANDSHAKE_DEADLINE, "{:?}", began.elapsed());
        assert!(began.elapsed() < 2 * HANDSHAKE_DEADLINE, "{:?}", began.elapsed());
    }

    /// Asks, and reads one answer; the connection stays.
    async fn ask_and_stay(stream: &mut TcpStream) -> std::io::Result<()> {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_for_the_longest_interval_while_there_is_room() {
        let mut tasks = JoinSet::new();
        let address = start(WebKeeper::open_to_all, &mut tasks).await;
        let mut kept = TcpStream::connect(address).await.unwrap();
        for _ in 0..3 {
            ask_and_stay(&mut kept).await.expect("it is open still");
            tokio::time::sleep(Duration::from_secs(301)).await;
        }
        ask_and_stay(&mut kept).await.expect("it is open still");
        let began = Instant::now();
        assert_eq!(kept.read(&mut [0; 1]).await.unwrap(), 0, "nothing more is asked: it is closed");
        assert!(began.elapsed() >= IDLE_DEADLINE - HEAD_DEADLINE, "{:?}", began.elapsed());
        assert!(began.elapsed() < IDLE_DEADLINE + 2 * HEAD_DEADLINE, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn kept_connections_make_room_for_who_waits() {
        let mut tasks = JoinSet::new();
        let address = start(WebKeeper::open_to_all, &mut tasks).await;
        let mut kept = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(address).await.unwrap();
            ask_and_stay(&mut stream).await.unwrap();
            kept.push(stream);
        }
        let began = Instant::now();
        let answer = ask(TcpStream::connect(address).await.unwrap()).await;
        assert!(answer.ends_with("here"), "{answer}");
        assert!(began.elapsed() < 3 * HEAD_DEADLINE, "{:?}", began.elapsed());
    }
}
