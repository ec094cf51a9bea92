//! `POST /api/v1/models/retrain?service=…`: the models of a service, or of all, anew. Whoever may reload may ask for it.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::error::ApiError;
use super::router::{Caller, Serve, address};
use crate::learn::Models;
use crate::types::ServiceName;

/// Leaves the order where the learner finds it with its next row; the models are made aside, one after the other.
pub(super) async fn retrain(
    State(serve): State<Serve>,
    RawQuery(query): RawQuery,
    caller: Option<Extension<Caller>>,
) -> Response {
    let service = match asked(query.as_deref().unwrap_or_default()) {
        Ok(service) => service,
        Err(error) => return error.into_response(),
    };
    let is_known = |name: &ServiceName| serve.config.load().services.iter().any(|s| s.name == *name);
    if let Some(name) = service.as_ref().filter(|name| !is_known(name)) {
        return ApiError::Malformed(format!("there is no service {name}")).into_response();
    }
    let (models, order) = (Models::new(&serve.config.load().agent.data_dir), service.clone());
    let left = tokio::task::spawn_blocking(move || models.order(order.as_ref())).await;
    if let Err(error) = left.map_err(anyhow::Error::from).and_then(|left| Ok(left?)) {
        tracing::warn!(%error, "an order to retrain cannot be kept");
        return ApiError::Unavailable(
            "the order cannot be kept: nothing is learned from yet, or the disk fails".to_owned(),
        )
        .into_response();
    }
    let by = address(caller);
    let of = service.as_ref().map_or("all", |service| service.as_str());
    tracing::info!(%by, service = of, "somebody asked for new models");
    let body = serde_json::json!({ "retraining": of }).to_string();
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Whose models are asked for; nothing: of all. A parameter with another name is a mistake and not "all".
fn asked(query: &str) -> Result<Option<ServiceName>, ApiError> {
    let mut service = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "service" || service.is_some() {
            return Err(ApiError::Malformed("name at most one service, as in ?service=sessions".to_owned()));
        }
        let checked = ServiceName::new(value.as_ref());
        service = Some(checked.map_err(|error| ApiError::Malformed(error.to_string()))?);
    }
    Ok(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_service_or_all_and_no_misspelling() {
        let sessions = ServiceName::new("sessions").unwrap();
        assert_eq!(asked("").unwrap(), None);
        assert_eq!(asked("service=sessions").unwrap(), Some(sessions));
        for query in ["services=sessions", "service=", "service=a&service=b", "service=*"] {
            assert!(asked(query).is_err(), "{query}");
        }
    }
}
