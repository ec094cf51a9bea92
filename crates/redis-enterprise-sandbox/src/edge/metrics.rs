//! The listener of the metrics.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tracing::debug;

use super::hub::Hub;
use super::tls::Papers;
use crate::metrics::page;
use crate::plan::Role;
use crate::rest::{Ask, caller};
use crate::world::World;

/// Serves one connection of the metrics of a node.
pub async fn metrics(hub: Arc<Hub>, papers: Arc<Papers>, cluster: usize, node: u32, stream: TcpStream) {
    let (is_plain, turn) = hub.with(|world| {
        let cluster = &world.clusters[cluster];
        (cluster.is_plain, cluster.certificate)
    });
    let router = Router::new().fallback(async move |request: Request| {
        let authorization = request.headers().get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
        let ask = Ask {
            cluster,
            node,
            method: request.method().to_string(),
            target: request.uri().to_string(),
            authorization: authorization.map(str::to_owned),
            body: Vec::new(),
        };
        hub.with(|world| answer(world, &ask))
    });
    if is_plain {
        return connection(router, stream).await;
    }
    let Ok(acceptor) = papers.acceptor(turn) else { return };
    match acceptor.accept(stream).await {
        Ok(stream) => connection(router, stream).await,
        Err(error) => debug!(%error, "a handshake failed"),
    }
}

async fn connection(router: Router, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let mut builder = http1::Builder::new();
    let service = TowerToHyperService::new(router);
    if let Err(error) = builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await
    {
        debug!(%error, "a connection ended early");
    }
}

fn answer(world: &mut World, ask: &Ask) -> Response {
    let cluster = &world.clusters[ask.cluster];
    let only = match (ask.target.as_str(), cluster.profile.metrics_v2) {
        ("/v2", true) => None,
        ("/v2/node", true) => Some(ask.node),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if cluster.settings.metrics_auth {
        match caller(world, ask) {
            Ok(caller) if caller.role >= Role::ClusterViewer => {}
            Ok(_) => return StatusCode::FORBIDDEN.into_response(),
            Err(_) => return StatusCode::UNAUTHORIZED.into_response(),
        }
    }
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, Bytes::from(page(world, ask.cluster, only))).into_response()
}
