//! The paths of the API, and answers as HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::oneshot;

use crate::sandbox::Tasks;
use crate::service::Service;
use crate::zone::Refusal;

use super::request::{Query, Request};
use super::{authorization, reply};

/// What a request gets.
#[derive(Debug)]
pub enum Answer {
    /// A document.
    Document {
        /// The HTTP status.
        status: u16,
        /// The request's id.
        request_id: String,
        /// The XML.
        body: String,
    },
    /// Nothing: the connection closes.
    HangUp,
}

/// Marks a response in whose place the connection is to be closed.
#[derive(Debug, Clone, Copy)]
pub struct HangUp;

#[derive(Debug, Clone)]
struct Edge {
    service: Arc<Service>,
    tasks: Arc<Tasks>,
}

/// The routes of the API.
pub fn router(service: Arc<Service>, tasks: Arc<Tasks>) -> Router {
    let sets = post(change).get(list);
    Router::new()
        .route("/2013-04-01/hostedzone/{id}/rrset", sets.clone())
        .route("/2013-04-01/hostedzone/{id}/rrset/", sets)
        .route("/2013-04-01/hostedzone/{id}", get(get_zone))
        .route("/2013-04-01/change/{id}", get(get_change))
        .fallback(unknown)
        .with_state(Edge { service, tasks })
}

async fn change(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    edge.serve(&headers, Query::change(id, &body)).await
}

async fn list(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    Parameters(parameters): Parameters<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    edge.serve(&headers, Query::list(id, &parameters)).await
}

async fn get_change(State(edge): State<Edge>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    edge.serve(&headers, Query::GetChange { id }).await
}

async fn get_zone(State(edge): State<Edge>, Path(zone_id): Path<String>, headers: HeaderMap) -> Response {
    edge.serve(&headers, Query::GetHostedZone { zone_id }).await
}

async fn unknown() -> Response {
    Answer::refused(&Refusal::UnknownOperation).into_response()
}

impl Edge {
    /// Runs the request apart from its connection: a client that gives up does not stop the service.
    async fn serve(&self, headers: &HeaderMap, query: Query) -> Response {
        let caller = authorization::caller(headers, "route53");
        let (sender, receiver) = oneshot::channel();
        let service = Arc::clone(&self.service);
        self.tasks.spawn(async move {
            let answer = service.serve(Request { caller, query }).await;
            // A receiver that is gone is a client that gave up.
            drop(sender.send(answer));
        });
        receiver.await.unwrap_or(Answer::HangUp).into_response()
    }
}

impl Answer {
    /// A success.
    pub fn ok(body: String) -> Self {
        Self::Document { status: 200, request_id: request_id(), body }
    }

    /// A refusal.
    pub fn refused(refusal: &Refusal) -> Self {
        let request_id = request_id();
        let body = reply::refusal(refusal, &request_id);
        Self::Document { status: refusal.status(), request_id, body }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Document { status, request_id, body } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let headers = [("content-type", "text/xml".to_owned()), ("x-amzn-requestid", request_id)];
                (status, headers, body).into_response()
            }
            Self::HangUp => {
                let mut response = StatusCode::BAD_GATEWAY.into_response();
                response.extensions_mut().insert(HangUp);
                response
            }
        }
    }
}

/// Ids only need to differ; counting them keeps runs comparable.
fn request_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("00000000-0000-4000-8000-{:012x}", LAST.fetch_add(1, Ordering::Relaxed) + 1)
}
