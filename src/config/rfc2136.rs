//! A record at a primary name server that takes dynamic updates (RFC 2136), and the key that signs them (RFC 8945).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Secret;
use super::read::{Item, Section, Value, Wrong, choice, named, secret, text};
use super::target::host_port;
use crate::types::RecordName;

/// Where the record lives at its primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rfc2136 {
    /// The primary: a host name, or an IP address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The zone; the record lies in it.
    pub zone: RecordName,
    /// The key for all that is asked of the primary.
    pub tsig: Tsig,
}

/// A key that this agent shares with the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tsig {
    /// The name that the primary knows it by.
    pub name: RecordName,
    /// How it signs.
    pub algorithm: TsigAlgorithm,
    /// The key itself in base64, which was checked.
    pub secret: Secret,
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TsigAlgorithm {
    /// `hmac-sha256`.
    HmacSha256,
    /// `hmac-sha512`.
    HmacSha512,
}

/// Reads `server`, `zone` and `tsig` of a `record` block.
pub(super) fn read(record: &Section<'_>) -> Option<Rfc2136> {
    let server = record.required("server", "server: 10.0.0.53:53", server);
    let zone = record.required("zone", "zone: example.com", named(|t| RecordName::new(t)));
    let example = "tsig: {name: redrover, algorithm: hmac-sha256, secret_file: …}";
    let tsig = record.required_item("tsig", example).and_then(|item| tsig(&item));
    let (host, port) = server?;
    Some(Rfc2136 { host, port, zone: zone?, tsig: tsig? })
}

fn server(value: &Value) -> Result<(String, u16), Wrong> {
    let place = host_port(text(value)?);
    place
        .map_err(|wrong| Wrong::new(wrong.reason, "write it as 10.0.0.53:53, the primary's address and port"))
}

fn tsig(item: &Item<'_>) -> Option<Tsig> {
    let section = item.section(&["name", "algorithm", "secret_file", "secret_env"])?;
    let algorithms = [("hmac-sha256", TsigAlgorithm::HmacSha256), ("hmac-sha512", TsigAlgorithm::HmacSha512)];
    let name = section.required("name", "name: redrover", named(|t| RecordName::new(t)));
    let algorithm = section.required("algorithm", "algorithm: hmac-sha256", choice(&algorithms));
    let secret = key(&section);
    Some(Tsig { name: name?, algorithm: algorithm?, secret: secret? })
}

fn key(section: &Section<'_>) -> Option<Secret> {
    let Some(item) = section.item("secret_file").or(section.item("secret_env")) else {
        section.sheet.problem(&section.key, "has no secret", "add secret_file or secret_env");
        return None;
    };
    let secret = secret(section, "secret")?;
    if STANDARD.decode(secret.expose()).is_ok_and(|key| !key.is_empty()) {
        return Some(secret);
    }
    let hint = "keep there only what stands between the quotes after secret in the primary's key";
    section.sheet.problem(&item.key, "leads to a text that is not base64", hint);
    None
}
