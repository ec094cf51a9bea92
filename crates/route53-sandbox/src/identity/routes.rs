//! The paths of both services, beside those of Route 53.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::json;

use crate::api::authorization;
use crate::clock::Now;
use crate::service::Service;

use super::{metadata, sts};

/// The routes.
pub fn router(service: Arc<Service>) -> Router {
    let role = format!("/latest/meta-data/iam/security-credentials/{}", metadata::ROLE);
    Router::new()
        .route("/", post(assume))
        .route("/latest/api/token", put(session))
        .route("/latest/meta-data/iam/security-credentials/", get(role_name))
        .route("/latest/meta-data/iam/security-credentials-extended/", get(absent))
        .route(&role, get(role_keys))
        .route("/_sandbox/keys", get(issued))
        .with_state(service)
}

async fn assume(State(service): State<Arc<Service>>, headers: HeaderMap, body: String) -> Response {
    // A form is written as a query is.
    let uri = format!("/?{body}").parse::<Uri>().ok();
    let form = uri.and_then(|uri| Query::<HashMap<String, String>>::try_from_uri(&uri).ok());
    let Some(Query(form)) = form else { return StatusCode::BAD_REQUEST.into_response() };
    let caller = authorization::caller(&headers, "sts").ok();
    let answer = sts::answer(&form, caller, &mut service.world().keys, Now::read().stamp);
    let xml = [("content-type", "text/xml")];
    match answer {
        Ok(document) => (xml, document).into_response(),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, xml, sts::refusal(&refusal)).into_response()
        }
    }
}

async fn session(headers: HeaderMap) -> Response {
    match metadata::session(&headers) {
        Some(token) => ([("x-aws-ec2-metadata-token-ttl-seconds", "21600")], token).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn role_name(headers: HeaderMap) -> Response {
    match metadata::is_in_session(&headers) {
        true => metadata::ROLE.into_response(),
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn role_keys(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    match metadata::is_in_session(&headers) {
        true => Json(metadata::credentials(&mut service.world().keys, Now::read().stamp)).into_response(),
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// The newer paths are not imitated: a client then takes the older ones.
async fn absent() -> StatusCode {
    StatusCode::NOT_FOUND
}

async fn issued(State(service): State<Arc<Service>>) -> Response {
    Json(json!({ "keys": service.world().keys.issued() })).into_response()
}
