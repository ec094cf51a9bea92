//! Which path leads where.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{mpsc, oneshot};

use super::Metrics;
use super::error::ApiError;
use super::page::page_response;
use super::{metrics, scrape, webhook};
use crate::config::Config;
use crate::control::{ControlHandle, View};
use crate::monitor::{Exporter, Names, Pictures};
use crate::types::Clock;

/// A reload that was asked for over HTTP; answered with what came of it.
pub type ReloadRequest = oneshot::Sender<Result<(), String>>;

/// What the handlers share.
#[derive(Clone)]
pub struct Serve {
    /// The way into control.
    pub control: ControlHandle,
    /// The published picture.
    pub view: View,
    /// What clusters said of themselves.
    pub pictures: Pictures,
    /// The present configuration.
    pub config: Arc<ArcSwap<Config>>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The house's own numbers.
    pub metrics: Metrics,
    /// Which names the pages have.
    pub names: Names,
    /// The targets that may be scraped.
    pub exporter: Arc<ArcSwap<Exporter>>,
    /// Where a reload is asked for.
    pub reload: mpsc::Sender<ReloadRequest>,
}

/// All paths.
pub fn router(serve: Serve) -> Router {
    Router::new()
        .route("/metrics", get(published))
        .route("/scrape", get(scrape::scrape))
        .route("/discover", get(scrape::discover))
        .route("/discover-cluster-nodes", get(scrape::discover))
        .route("/webhook/alertmanager", post(notify))
        .route("/-/healthy", get(|| async { "redrover is healthy\n" }))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload).put(reload))
        .with_state(serve)
}

async fn published(State(serve): State<Serve>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (content_type, page) = metrics::scrape(&serve, accept);
    page_response(&headers, content_type, page)
}

async fn notify(State(serve): State<Serve>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match webhook::receive(&serve, &parts.headers, body).await {
        Ok(received) => {
            serve.metrics.notified(received.result);
            received.into_response()
        }
        Err(error) => {
            serve.metrics.notified(error.label());
            tracing::warn!(%error, "a notification was refused");
            error.into_response()
        }
    }
}

/// Ready once every service has been looked at.
async fn ready(State(serve): State<Serve>) -> Response {
    let waiting = serve.config.load().services.iter().filter(|s| serve.view.of(&s.name).is_none()).count();
    match waiting {
        0 => "redrover is ready\n".into_response(),
        n => (StatusCode::SERVICE_UNAVAILABLE, format!("{n} service(s) have not been looked at yet\n"))
            .into_response(),
    }
}

async fn reload(State(serve): State<Serve>) -> Response {
    let (reply, answer) = oneshot::channel();
    if serve.reload.send(reply).await.is_err() {
        return ApiError::Unavailable("the program is stopping".to_owned()).into_response();
    }
    match answer.await {
        Ok(Ok(())) => "reloaded\n".into_response(),
        Ok(Err(problems)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{problems}\n")).into_response(),
        Err(_) => ApiError::Unavailable("the program is stopping".to_owned()).into_response(),
    }
}
