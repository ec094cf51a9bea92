//! The rules in force.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio_rustls::TlsAcceptor;

use super::refusal::WebError;
use super::tls;
use super::users::Users;
use crate::config::{ClientCertificates, LoadedWeb, Problem, Web};

/// Who may connect and ask, ready for use.
pub struct WebRules {
    from: Web,
    /// Takes connections with TLS; `None` is clear text.
    pub(in crate::serve) acceptor: Option<TlsAcceptor>,
    /// Who may ask; `None` is everybody.
    pub(super) users: Option<Arc<Users>>,
    /// Headers of every answer.
    pub(super) headers: HeaderMap,
    /// What is doubtful in the file.
    pub(super) warnings: Vec<Problem>,
}

impl Default for WebRules {
    /// Everybody, in clear text.
    fn default() -> Self {
        Self {
            from: Web::default(),
            acceptor: None,
            users: None,
            headers: HeaderMap::new(),
            warnings: Vec::new(),
        }
    }
}

impl WebRules {
    pub(super) fn new(loaded: LoadedWeb) -> Result<Self, WebError> {
        let LoadedWeb { web, warnings } = loaded;
        let acceptor = web.tls.as_ref().map(tls::acceptor).transpose()?;
        let users = match web.users.is_empty() {
            true => None,
            false => Some(Arc::new(Users::new(web.users.clone())?)),
        };
        let header = |(name, value): &(String, String)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        };
        let headers = web.headers.iter().filter_map(header).collect();
        Ok(Self { from: web, acceptor, users, headers, warnings })
    }

    /// Whether they are what this file asks for.
    pub(super) fn are_of(&self, web: &Web) -> bool {
        self.from == *web
    }

    /// How many users there are.
    pub(super) fn users_count(&self) -> usize {
        self.from.users.len()
    }

    /// What these rules protect and the file does not.
    pub(super) fn lost_in(&self, web: &Web) -> Option<&'static str> {
        let verifies = |web: &Web| {
            matches!(web.tls.as_ref().map(|tls| &tls.clients), Some(ClientCertificates::Verified { .. }))
        };
        if self.from.tls.is_some() && web.tls.is_none() {
            return Some("TLS");
        }
        if verifies(&self.from) && !verifies(web) {
            return Some("certificates of clients");
        }
        (!self.from.users.is_empty() && web.users.is_empty()).then_some("users")
    }
}
