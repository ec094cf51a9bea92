//! One Redis address, and how to talk to it.

use std::path::PathBuf;

use crate::config::Secret;
use crate::types::TargetName;

/// One Redis address, with all that is needed to talk to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The address as shown to people.
    pub name: TargetName,
    /// The address itself.
    pub address: Address,
    /// TLS, when the scheme asks for it.
    pub tls: Option<Tls>,
    /// The ACL user.
    pub username: Option<String>,
    /// The password, as it was when the configuration was read.
    pub password: Option<Secret>,
    /// The file of the password; it is read again at every connection.
    pub password_file: Option<PathBuf>,
}

/// Where a Redis listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host name or an IP address, and a port.
    Tcp {
        /// Host name, or IP address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
}

/// TLS towards a Redis.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Tls {
    /// Certificate authorities to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The client certificate, a PEM file; together with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// The client key, a PEM file.
    pub key_file: Option<PathBuf>,
    /// The name to verify, where it differs from the address.
    pub server_name: Option<String>,
}
