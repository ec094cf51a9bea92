//! `GET /`: what there is, for a person who came by.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::paths::{HEALTHY, READY, TelemetryPath};

/// The page loads nothing, and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// The page. All that stands in it is the program's own, or was checked to hold no special character.
pub(super) fn page(telemetry: &TelemetryPath) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    let links: String = [
        (telemetry.as_str(), "the series of all targets and services, for Prometheus"),
        (HEALTHY, "whether the agent is alive"),
        (READY, "whether every service has been looked at"),
    ]
    .iter()
    .map(|(path, what)| format!("<li><a href=\"{path}\">{path}</a>: {what}</li>\n"))
    .collect();
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>redrover</title>\n\
         <style>body {{ font-family: sans-serif; margin: 2em; max-width: 45em }}</style></head>\n\
         <body>\n<h1>redrover</h1>\n<p>Watches Redis in several datacenters. Version {version}.</p>\n\
         <ul>\n{links}</ul>\n</body>\n</html>\n"
    );
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, body).into_response()
}
