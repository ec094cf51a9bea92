//! HTTP/1: the REST API of a node with all that can be wrong with it, and plain routers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Response, StatusCode, header};
use futures_util::stream;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::debug;

use super::hub::Hub;
use super::tls::Papers;
use crate::rest::{Ask, Reply, answer};
use crate::world::{Door, RestFault};

/// Largest accepted body, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// One piece of an answer that never ends.
const PIECE: &[u8] = &[b'a'; 16 * 1024];

/// Serves one connection of the REST API of a node.
pub async fn rest(hub: Arc<Hub>, papers: Arc<Papers>, cluster: usize, node: u32, stream: TcpStream) {
    let (is_plain, turn) = hub.with(|world| {
        let cluster = &world.clusters[cluster];
        (cluster.is_plain, cluster.certificate)
    });
    if is_plain {
        return connection(hub, cluster, node, stream).await;
    }
    let Ok(acceptor) = papers.acceptor(turn) else { return };
    match acceptor.accept(stream).await {
        Ok(stream) => connection(hub, cluster, node, stream).await,
        Err(error) => debug!(%error, "a handshake failed"),
    }
}

async fn connection(
    hub: Arc<Hub>,
    cluster: usize,
    node: u32,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let service =
        service_fn(move |request: Request<Incoming>| respond(Arc::clone(&hub), cluster, node, request));
    let served =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        debug!(%error, "a connection ended early");
    }
}

async fn respond(
    hub: Arc<Hub>,
    cluster: usize,
    node: u32,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), BODY_BYTES_MAX).await.map_err(io::Error::other)?;
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
    let ask = Ask {
        cluster,
        node,
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        authorization: authorization.map(str::to_owned),
        body: body.to_vec(),
    };
    let (door, fault, reply) = hub.with(|world| {
        let (door, fault) = (world.rest_door(cluster, node), world.clusters[cluster].rest.clone());
        (door, fault, answer(world, &ask))
    });
    if door == Door::Silent {
        return std::future::pending().await;
    }
    Ok(match fault {
        RestFault::None | RestFault::Refused | RestFault::Silent | RestFault::Reset => whole(reply),
        RestFault::Slow(ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            whole(reply)
        }
        RestFault::Status(status) => {
            text(status, "upstream connect error or disconnect/reset before headers")
        }
        RestFault::Garbage => text(200, "<html><title>Sign in</title>"),
        RestFault::Truncated => {
            let bytes = reply.body.unwrap_or_default().to_string().into_bytes();
            let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
            let pieces = [Ok(half), Err(io::Error::other("the answer is cut on purpose"))];
            Response::new(Body::from_stream(stream::iter(pieces)))
        }
        RestFault::Endless => {
            let pieces = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(PIECE)));
            Response::new(Body::from_stream(pieces))
        }
    })
}

fn text(status: u16, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
}

fn whole(reply: Reply) -> Response<Body> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let body = match &reply.body {
        Some(body) => {
            response = response.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    response.body(body).unwrap_or_else(|_| text(500, "the sandbox wrote a header that is none"))
}

/// Serves a router until it is dropped.
pub async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let mut builder = http1::Builder::new();
            let served =
                builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
            if let Err(error) = served {
                debug!(%error, "a connection ended early");
            }
        });
    }
}
