//! The paths, and the one that can be chosen.

use std::fmt;
use std::str::FromStr;

/// Where Alertmanager posts.
pub(super) const WEBHOOK: &str = "/webhook/alertmanager";
/// Whether the process is alive.
pub(super) const HEALTHY: &str = "/-/healthy";
/// Whether every service has been looked at.
pub(super) const READY: &str = "/-/ready";
/// Where a reload is asked for.
pub(super) const RELOAD: &str = "/-/reload";
/// Where models are asked for anew.
pub(super) const RETRAIN: &str = "/api/v1/models/retrain";

/// First parts of paths that are redrover's own.
const OWN: [&str; 6] = ["-", "api", "discover", "scrape", "static", "webhook"];

/// The path of the series, `/metrics` if nothing else is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryPath(String);

/// Why a text is no path for the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as /metrics: parts of letters, digits and -._~, the first none of redrover's own")]
pub struct TelemetryPathError;

impl TelemetryPath {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TelemetryPath {
    fn default() -> Self {
        Self("/metrics".to_owned())
    }
}

impl FromStr for TelemetryPath {
    type Err = TelemetryPathError;

    fn from_str(text: &str) -> Result<Self, TelemetryPathError> {
        let parts = text.strip_prefix('/').ok_or(TelemetryPathError)?;
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let is_part =
            |part: &str| !part.is_empty() && part.chars().any(|c| c != '.') && part.chars().all(is_letter);
        let is_good = parts.split('/').all(is_part) && !parts.split('/').take(1).any(|p| OWN.contains(&p));
        if is_good { Ok(Self(text.to_owned())) } else { Err(TelemetryPathError) }
    }
}

impl fmt::Display for TelemetryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_and_nobody_elses() {
        for (text, good) in [
            ("/metrics", true),
            ("/redrover/metrics", true),
            ("/probe-1.0_x~", true),
            ("/api-metrics", true),
            ("metrics", false),
            ("", false),
            ("/", false),
            ("/metrics/", false),
            ("/a//b", false),
            ("/../x", false),
            ("/{name}", false),
            ("/a b", false),
            ("/-/metrics", false),
            ("/api/metrics", false),
            ("/scrape", false),
            ("/webhook/alertmanager", false),
        ] {
            assert_eq!(text.parse::<TelemetryPath>().is_ok(), good, "{text}");
        }
    }
}
