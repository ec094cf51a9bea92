//! The control endpoint: JSON under `/_sandbox`, no part of the Route 53 API, never signed.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::json;

use crate::records::RecordSpec;
use crate::service::Service;

use super::{Faults, Policy};

/// The routes of the control endpoint.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/_sandbox/health", get(health))
        .route("/_sandbox/history", get(history))
        .route("/_sandbox/faults", get(faults).put(put_faults).delete(delete_faults))
        .route("/_sandbox/policy", put(put_policy).delete(delete_policy))
        .route("/_sandbox/records", get(records).put(put_record))
        .with_state(service)
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    let world = service.world();
    let identity = world.zone.identity();
    Json(json!({ "status": "ok", "zone": identity.name.to_string(), "zone_id": identity.id })).into_response()
}

async fn history(State(service): State<Arc<Service>>) -> Response {
    Json(&service.world().history).into_response()
}

async fn faults(State(service): State<Arc<Service>>) -> Response {
    Json(&service.world().faults).into_response()
}

async fn put_faults(State(service): State<Arc<Service>>, Json(faults): Json<Faults>) -> StatusCode {
    service.world().faults = faults;
    StatusCode::NO_CONTENT
}

async fn delete_faults(State(service): State<Arc<Service>>) -> StatusCode {
    service.world().faults = Faults::default();
    StatusCode::NO_CONTENT
}

async fn put_policy(State(service): State<Arc<Service>>, Json(policy): Json<Policy>) -> StatusCode {
    service.world().policy = policy;
    StatusCode::NO_CONTENT
}

async fn delete_policy(State(service): State<Arc<Service>>) -> StatusCode {
    service.world().policy = Policy::default();
    StatusCode::NO_CONTENT
}

async fn records(State(service): State<Arc<Service>>) -> Response {
    let world = service.world();
    let records: Vec<_> = world.zone.records().iter().map(RecordSpec::from).collect();
    Json(json!({ "records": records })).into_response()
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    action: EditAction,
    record: RecordSpec,
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum EditAction {
    Set,
    Delete,
}

async fn put_record(State(service): State<Arc<Service>>, Json(edit): Json<Edit>) -> Response {
    let set = match edit.record.to_set() {
        Ok(set) => set,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))).into_response();
        }
    };
    let key = set.key.clone();
    let set = match edit.action {
        EditAction::Set => Some(set),
        EditAction::Delete => None,
    };
    let change_id = service.edit(key, set);
    Json(json!({ "change_id": change_id })).into_response()
}
