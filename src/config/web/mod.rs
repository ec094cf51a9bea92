//! The file of `--web.config.file`: who may connect and ask, in the form that all exporters of Prometheus share
//! (exporter-toolkit).
//!
//! Absent on purpose: what the certificates and the hashes hold, which is for the server that uses them.

mod file;
mod headers;
mod rules;
mod tls;
mod users;

#[cfg(test)]
mod tests;

pub use file::{LoadedWeb, load_web};
pub use rules::{
    ClientCertificates, HASH_COST_MAX, PasswordHash, TlsVersion, Web, WebCipher, WebCurve, WebTls,
};
