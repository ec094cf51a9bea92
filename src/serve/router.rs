//! Which path leads where.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use tokio::sync::{mpsc, oneshot};

use super::error::ApiError;
use super::page::page_response;
use super::paths::{HEALTHY, READY, RELOAD, RETRAIN, TelemetryPath, WEBHOOK};
use super::web::{WebKeeper, gate};
use super::{Metrics, landing, metrics, retrain, scrape, webhook};
use crate::config::Config;
use crate::control::{ControlHandle, LedgerHandle, View};
use crate::monitor::{Exporter, Names, Pictures};
use crate::store::Door;
use crate::types::Clock;

/// A reload that was asked for over HTTP.
#[derive(Debug)]
pub struct ReloadRequest {
    /// Who asked.
    pub by: IpAddr,
    /// Answered with what came of it.
    pub reply: oneshot::Sender<Result<(), String>>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller(pub(super) IpAddr);

/// What the handlers share.
#[derive(Clone)]
pub struct Serve {
    /// The way into control.
    pub control: ControlHandle,
    /// Where those who are turned away are noted.
    pub ledger: LedgerHandle,
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
    /// Who may connect and ask.
    pub web: WebKeeper,
    /// The path of the series.
    pub telemetry: TelemetryPath,
}

/// All paths, behind one gate; an unknown path is no way around it.
pub fn router(serve: Serve) -> Router {
    Router::new()
        .route("/", get(landing))
        .route(serve.telemetry.as_str(), get(published))
        .route("/scrape", get(scrape::scrape))
        .route("/discover", get(scrape::discover))
        .route("/discover-cluster-nodes", get(scrape::discover))
        .route(WEBHOOK, post(notify))
        .route(HEALTHY, get(|| async { "redrover is healthy\n" }))
        .route(READY, get(ready))
        .route(RELOAD, post(reload).put(reload))
        .route(RETRAIN, post(retrain::retrain))
        .layer(from_fn_with_state(serve.clone(), gate))
        .with_state(serve)
}

async fn landing(State(serve): State<Serve>) -> Response {
    landing::page(&serve.telemetry)
}

async fn published(State(serve): State<Serve>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (content_type, page) = metrics::scrape(&serve, accept);
    page_response(&headers, content_type, page)
}

async fn notify(State(serve): State<Serve>, caller: Option<Extension<Caller>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match webhook::receive(&serve, &parts.headers, body).await {
        Ok(received) => {
            serve.metrics.notified(received.result);
            received.into_response()
        }
        Err(error) => {
            serve.metrics.notified(error.label());
            if matches!(error, ApiError::Unauthorized) {
                serve.ledger.denied(Door::Webhook, address(caller));
            }
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

async fn reload(State(serve): State<Serve>, caller: Option<Extension<Caller>>) -> Response {
    let by = address(caller);
    let (reply, answer) = oneshot::channel();
    if serve.reload.send(ReloadRequest { by, reply }).await.is_err() {
        return ApiError::Unavailable("the program is stopping".to_owned()).into_response();
    }
    match answer.await {
        Ok(Ok(())) => "reloaded\n".into_response(),
        Ok(Err(problems)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{problems}\n")).into_response(),
        Err(_) => ApiError::Unavailable("the program is stopping".to_owned()).into_response(),
    }
}

/// Where a request comes from; nowhere, where it came by no socket.
pub(super) fn address(caller: Option<Extension<Caller>>) -> IpAddr {
    caller.map_or(Ipv4Addr::UNSPECIFIED.into(), |Extension(Caller(address))| address)
}
