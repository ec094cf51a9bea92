//! The paths of the control endpoint.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::change::Order;
use super::orders::carry_out;
use crate::clock::Ms;
use crate::edge::Hub;
use crate::plan::{Timing, Variants};
use crate::world::{Requests, truth};

/// The routes of the control endpoint.
pub fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/_sandbox/health", get(async || Json(json!({"status": "ok"}))))
        .route("/_sandbox/truth", get(tell_truth))
        .route("/_sandbox/requests", get(requests).delete(forget_requests))
        .route("/_sandbox/changes", post(change))
        .route("/_sandbox/clock", post(skip))
        .route("/_sandbox/timing", put(set_timing))
        .route("/_sandbox/variants", put(set_variants))
        .with_state(hub)
}

async fn tell_truth(State(hub): State<Arc<Hub>>) -> Response {
    let told = hub.with(|world| json!({"now_ms": world.now, "databases": truth(world)}));
    Json(told).into_response()
}

async fn requests(State(hub): State<Arc<Hub>>) -> Response {
    Json(hub.with(|world| json!(world.requests))).into_response()
}

async fn forget_requests(State(hub): State<Arc<Hub>>) -> StatusCode {
    hub.with(|world| world.requests = Requests::default());
    StatusCode::NO_CONTENT
}

/// One order, or several that are carried out together.
#[derive(Deserialize)]
#[serde(untagged)]
enum Orders {
    Several(Vec<Order>),
    One(Order),
}

async fn change(State(hub): State<Arc<Hub>>, Json(orders): Json<Orders>) -> Response {
    let orders = match orders {
        Orders::Several(orders) => orders,
        Orders::One(order) => vec![order],
    };
    let done = hub.with(|world| orders.iter().try_for_each(|order| carry_out(world, order)));
    hub.announce();
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    skip_ms: Ms,
}

async fn skip(State(hub): State<Arc<Hub>>, Json(skip): Json<Skip>) -> Response {
    hub.clock().skip(skip.skip_ms);
    let now = hub.with(|world| world.now);
    hub.announce();
    Json(json!({"now_ms": now})).into_response()
}

async fn set_timing(State(hub): State<Arc<Hub>>, Json(timing): Json<Timing>) -> StatusCode {
    hub.with(|world| world.timing = timing);
    StatusCode::NO_CONTENT
}

async fn set_variants(State(hub): State<Arc<Hub>>, Json(variants): Json<Variants>) -> Json<Value> {
    hub.with(|world| world.variants = variants);
    hub.announce();
    Json(json!(variants))
}
