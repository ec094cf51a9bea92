//! Version profiles: what differs between releases, as data.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a release does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The version that nodes tell.
    pub software_version: String,
    /// Whether databases tell their availability.
    #[serde(default = "yes")]
    pub availability: bool,
    /// Whether followers redirect the question for it, which later releases answer themselves.
    #[serde(default)]
    pub availability_redirects: bool,
    /// The status of an endpoint that is not at the node that was asked: 503, and 500 in releases with the fault.
    #[serde(default = "unavailable")]
    pub local_error_status: u16,
    /// Whether availability can be asked with a limit for the lag.
    #[serde(default)]
    pub lag_check: bool,
    /// Whether the code of an unavailable database tells why.
    #[serde(default)]
    pub composed_codes: bool,
    /// Whether there are reports of health under `/v4`.
    #[serde(default)]
    pub v4: bool,
    /// Whether a database tells that its traffic was stopped.
    #[serde(default)]
    pub traffic_flag: bool,
    /// Whether traffic can be stopped.
    #[serde(default = "yes")]
    pub stop_traffic: bool,
    /// Whether there are metrics of the second generation.
    #[serde(default = "yes")]
    pub metrics_v2: bool,
    /// Whether Basic authentication can be switched off.
    #[serde(default)]
    pub basic_auth_optional: bool,
    /// The scheme of tokens in `Authorization`.
    #[serde(default = "scheme")]
    pub token_scheme: String,
}

impl Profile {
    /// The profile of that name.
    pub fn named(name: &str) -> Option<Self> {
        let text = include_str!("../../fixtures/profiles.json");
        let mut profiles: BTreeMap<String, Self> = serde_json::from_str(text).ok()?;
        profiles.remove(name)
    }
}

fn yes() -> bool {
    true
}

fn unavailable() -> u16 {
    503
}

fn scheme() -> String {
    "JWT".to_owned()
}
