//! The accept loop: bounded connections, a deadline for request heads, and a graceful end.

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::router::Caller;

/// Connections served at the same time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 512;
/// A caller has so long to send the head of a request.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// A caller has so long for a whole connection; Prometheus and Alertmanager simply come again.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(300);
/// Requests under way have so long to end when the program stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Serves until cancelled, then lets requests under way end.
pub async fn serve(listener: TcpListener, router: Router, cancelled: CancellationToken) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let permit = tokio::select! {
            () = cancelled.cancelled() => break,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = cancelled.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, caller) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: a busy loop would make it worse.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone().layer(Extension(Caller(caller.ip()))));
        let cancelled = cancelled.clone();
        connections.spawn(async move {
            let _permit = permit;
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE);
            let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
            let ended = tokio::time::timeout(CONNECTION_DEADLINE, async {
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = cancelled.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            });
            if let Ok(Err(error)) = ended.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_LIMIT, drained).await.is_err() {
        tracing::warn!("requests were cut off at the end");
    }
}
