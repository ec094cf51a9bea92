//! The control endpoint: JSON under `/_sandbox`, no part of the Route 53 API, never signed.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query as Parameters, State};
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
    let identity = world.zones[0].identity();
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

async fn put_policy(State(service): State<Arc<Service>>, body: String) -> Response {
    match Policy::parse(&body) {
        Ok(policy) => {
            service.world().policy = policy;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error).into_response(),
    }
}

async fn delete_policy(State(service): State<Arc<Service>>) -> StatusCode {
    service.world().policy = Policy::default();
    StatusCode::NO_CONTENT
}

async fn records(
    State(service): State<Arc<Service>>,
    Parameters(parameters): Parameters<HashMap<String, String>>,
) -> Response {
    let world = service.world();
    let position = parameters.get("zone_id").map_or(Ok(0), |id| world.position(id));
    let Ok(position) = position else { return StatusCode::NOT_FOUND.into_response() };
    let records: Vec<_> = world.zones[position].records().iter().map(RecordSpec::from).collect();
    Json(json!({ "records": records })).into_response()
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    action: EditAction,
    record: RecordSpec,
    #[serde(default)]
    zone_id: Option<String>,
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
    match service.edit(edit.zone_id.as_deref(), key, set) {
        Some(change_id) => Json(json!({ "change_id": change_id })).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
