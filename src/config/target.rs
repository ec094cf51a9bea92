//! Reads the address of a Redis. No problem repeats the text: it may hold a password.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::checked::{Address, Target};
use super::read::{Value, Wrong, text};
use super::redis::Login;
use crate::types::{RecordName, TargetName};

/// The port of a Redis whose address names none.
const PORT: u16 = 6379;
const HINT: &str = "write it as redis://host:6379, rediss://host:6379, unix:///path or host:6379";

/// Reads one address, and joins it with how to log in there.
pub(super) fn read(value: &Value, login: &Login) -> Result<Target, Wrong> {
    let text = text(value)?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("redis", text));
    let encrypted = match scheme {
        "redis" | "valkey" | "unix" => false,
        "rediss" | "valkeys" => true,
        _ => return Err(Wrong::new("has an unknown scheme", HINT)),
    };
    if login.tls.is_some() && !encrypted {
        let hint = "write rediss:// or valkeys://, or remove the tls block";
        return Err(Wrong::new("is not encrypted, although a tls block applies to it", hint));
    }
    let address = if scheme == "unix" { unix(rest)? } else { tcp(rest)? };
    let shown = match &address {
        Address::Tcp { host, port } if host.contains(':') => format!("{scheme}://[{host}]:{port}"),
        Address::Tcp { host, port } => format!("{scheme}://{host}:{port}"),
        Address::Unix(_) => text.to_owned(),
    };
    let name = TargetName::new(shown).map_err(|error| Wrong::new(error.to_string(), HINT))?;
    Ok(Target {
        name,
        address,
        tls: encrypted.then(|| login.tls.clone().unwrap_or_default()),
        username: login.username.clone(),
        password: login.password.clone(),
        password_file: login.password_file.clone(),
    })
}

/// The name of a target whose address is written like this, as the configuration would have it.
#[must_use]
pub fn target_name(text: &str) -> Option<TargetName> {
    read(&Value::Text(text.to_owned()), &Login::default()).ok().map(|target| target.name)
}

fn unix(path: &str) -> Result<Address, Wrong> {
    if path.starts_with('/') && path.len() > 1 {
        return Ok(Address::Unix(PathBuf::from(path)));
    }
    Err(Wrong::new("names no absolute path", "write it as unix:///run/redis/redis.sock"))
}

fn tcp(rest: &str) -> Result<Address, Wrong> {
    if rest.contains('@') {
        let hint = "remove the part before the @ and name a password_file in the redis block";
        return Err(Wrong::new("holds credentials", hint));
    }
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !matches!(path, "" | "0") {
        return Err(Wrong::new("names a database; probes use database 0", "end it after the port"));
    }
    if place.contains(['?', '#']) {
        return Err(Wrong::new("holds parameters", "end it after the port"));
    }
    let (host, port) = host_and_port(place, Some(PORT))?;
    Ok(Address::Tcp { host, port })
}

/// Reads a host and its port, which has no default.
pub(super) fn host_port(text: &str) -> Result<(String, u16), Wrong> {
    host_and_port(text, None)
}

fn host_and_port(place: &str, default_port: Option<u16>) -> Result<(String, u16), Wrong> {
    if let Some(inner) = place.strip_prefix('[') {
        let (host, port) =
            inner.split_once(']').ok_or_else(|| Wrong::new("lacks the closing bracket", HINT))?;
        let host = host
            .parse::<Ipv6Addr>()
            .map_err(|_| Wrong::new("holds no IPv6 address in its brackets", HINT))?;
        return Ok((host.to_string(), port_of(port, default_port)?));
    }
    if place.matches(':').count() > 1 {
        return Err(Wrong::new(
            "has more than one colon",
            "put an IPv6 address in brackets: redis://[::1]:6379",
        ));
    }
    let cut = place.find(':').unwrap_or(place.len());
    Ok((host_of(&place[..cut])?, port_of(&place[cut..], default_port)?))
}

/// `:6379`, or nothing.
fn port_of(text: &str, default: Option<u16>) -> Result<u16, Wrong> {
    let Some(digits) = text.strip_prefix(':') else {
        if !text.is_empty() {
            return Err(Wrong::new("has no colon before its port", HINT));
        }
        return default.ok_or_else(|| Wrong::new("names no port", HINT));
    };
    let plain = digits.chars().all(|c| c.is_ascii_digit());
    match digits.parse() {
        Ok(port) if plain && port > 0 => Ok(port),
        Ok(_) | Err(_) => Err(Wrong::new("has a port that is not a number from 1 to 65535", HINT)),
    }
}

fn host_of(text: &str) -> Result<String, Wrong> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(address.to_string());
    }
    let name = RecordName::new(text).map_err(|_| Wrong::new("has no valid host", HINT))?;
    // No top-level domain is a number: such a host is a mistyped address.
    let last = name.as_str().rsplit('.').next().unwrap_or_default();
    if last.chars().all(|c| c.is_ascii_digit()) {
        return Err(Wrong::new("has a host that is no IPv4 address", HINT));
    }
    Ok(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(text: &str) -> Option<String> {
        read(&Value::Text(text.to_owned()), &Login::default()).ok().map(|t| t.name.to_string())
    }

    #[test]
    fn addresses_have_one_form() {
        for (text, name) in [
            ("redis://127.0.0.1:6379", Some("redis://127.0.0.1:6379")),
            ("redis://Redis-A.Example.com", Some("redis://redis-a.example.com:6379")),
            ("redis-a:7000", Some("redis://redis-a:7000")),
            ("rediss://h:1/0", Some("rediss://h:1")),
            ("valkey://h:65535/", Some("valkey://h:65535")),
            ("valkeys://[::1]:6380", Some("valkeys://[::1]:6380")),
            ("redis://[0:0::1]", Some("redis://[::1]:6379")),
            ("unix:///run/redis.sock", Some("unix:///run/redis.sock")),
            ("unix://run/redis.sock", None),
            ("unix:///", None),
            ("http://h:1", None),
            ("REDIS://h:1", None),
            ("redis://", None),
            ("redis://h:", None),
            ("redis://h:0", None),
            ("redis://h:+1", None),
            ("redis://h:65536", None),
            ("redis://::1", None),
            ("redis://[::1", None),
            ("redis://[::1]6379", None),
            ("redis://[h]:1", None),
            ("redis://127.0.0.300:1", None),
            ("redis://h:1/3", None),
            ("redis://h:1?x=y", None),
            ("redis://h?x=y", None),
            ("redis://two words:1", None),
        ] {
            assert_eq!(name_of(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn no_problem_repeats_a_credential() {
        for text in [
            "redis://user:hunter2@h:1",
            "redis://:hunter2@h",
            "user:hunter2@h:1",
            "rediss://h:1/0@hunter2",
            "http://user:hunter2@h",
            "unix://hunter2@/x",
            "redis://h:hunter2",
            "redis://[hunter2]:1",
            "hunter2://x",
        ] {
            let problem = read(&Value::Text(text.to_owned()), &Login::default()).unwrap_err();
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
        }
    }
}
