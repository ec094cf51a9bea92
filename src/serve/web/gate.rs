//! The gate before every path: users, and the headers of every answer.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::users::Answer;
use crate::config::WebhookAuth;
use crate::serve::auth::basic;
use crate::serve::paths::WEBHOOK;
use crate::serve::router::{Caller, Serve};
use crate::store::Door;

/// Lets a request through, or answers for the handler.
pub(in crate::serve) async fn gate(State(serve): State<Serve>, request: Request, next: Next) -> Response {
    let rules = serve.web.rules();
    // A browser asks without a login first: only who showed a wrong one is worth writing down.
    let has_tried = request.headers().contains_key(header::AUTHORIZATION);
    let caller = request.extensions().get::<Caller>().copied();
    let answer = match &rules.users {
        Some(users) if !has_own_lock(&serve, request.uri().path()) => match login(request.headers()) {
            Some((user, password)) => users.ask(&user, &password).await,
            None => Answer::Wrong,
        },
        Some(_) | None => Answer::Right,
    };
    let mut response = match answer {
        Answer::Right => next.run(request).await,
        Answer::Wrong => {
            serve.metrics.refused("unauthorized");
            if let Some(Caller(address)) = caller.filter(|_| has_tried) {
                serve.ledger.denied(Door::Web, address);
            }
            let challenge = HeaderValue::from_static("Basic realm=\"redrover\", charset=\"UTF-8\"");
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], "unauthorized\n")
                .into_response()
        }
        Answer::Busy => {
            serve.metrics.refused("busy");
            let text = "too many passwords are being verified; come again\n";
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    };
    for (name, value) in &rules.headers {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// A webhook with a token or a login of its own asks for that: one request cannot carry two.
fn has_own_lock(serve: &Serve, path: &str) -> bool {
    path == WEBHOOK && serve.config.load().webhook.auth != WebhookAuth::Open
}

fn login(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let (user, password) = basic(headers)?;
    Some((String::from_utf8(user).ok()?, password))
}
