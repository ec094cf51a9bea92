//! Reads how to log in to a Redis.

use std::net::IpAddr;
use std::path::PathBuf;

use super::checked::Tls;
use super::read::{Item, Value, Wrong, named, path, readable, secret, text};
use super::secret::Secret;
use crate::types::RecordName;

/// Longest accepted ACL user name in bytes.
const USERNAME_BYTES_MAX: usize = 256;

/// A `redis` block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Login {
    /// The ACL user.
    pub username: Option<String>,
    /// The password, as it was when the configuration was read.
    pub password: Option<Secret>,
    /// The file of the password.
    pub password_file: Option<PathBuf>,
    /// TLS.
    pub tls: Option<Tls>,
}

/// Reads a `redis` block.
pub(super) fn login(item: &Item<'_>) -> Option<Login> {
    let section = item.section(&["username", "password_file", "password_env", "tls"])?;
    let password = secret(&section, "password");
    // What is wrong with it was noted when the secret was read.
    let file = password.as_ref().and_then(|_| section.item("password_file")?.read(path));
    Some(Login {
        username: section.optional("username", username),
        password,
        password_file: file.map(|file| section.sheet.resolve(&file)),
        // A wrong block still is one: otherwise its targets would seem to lack it.
        tls: section.item("tls").map(|item| tls(&item).unwrap_or_default()),
    })
}

fn username(value: &Value) -> Result<String, Wrong> {
    let name = text(value)?;
    if name.len() <= USERNAME_BYTES_MAX && !name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(name.to_owned());
    }
    Err(Wrong::new("is too long or holds a blank", "write the name of the ACL user"))
}

fn tls(item: &Item<'_>) -> Option<Tls> {
    let section = item.section(&["ca_file", "cert_file", "key_file", "server_name"])?;
    for (one, other) in [("cert_file", "key_file"), ("key_file", "cert_file")] {
        if section.item(one).is_some() && section.item(other).is_none() {
            let reason = format!("stands without {other}");
            section.sheet.problem(&section.key_of(one), reason, format!("add {other}"));
        }
    }
    Some(Tls {
        ca_file: readable(&section, "ca_file"),
        cert_file: readable(&section, "cert_file"),
        key_file: readable(&section, "key_file"),
        server_name: section.optional("server_name", server_name),
    })
}

fn server_name(value: &Value) -> Result<String, Wrong> {
    match text(value)?.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => named(|t| RecordName::new(t))(value).map(|name| name.to_string()),
    }
}
