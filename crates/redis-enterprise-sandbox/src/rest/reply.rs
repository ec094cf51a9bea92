//! Requests and answers, without their connections.

use serde_json::{Value, json};

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The index of the cluster.
    pub cluster: usize,
    /// The node that was asked.
    pub node: u32,
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers beside those of every answer.
    pub headers: Vec<(&'static str, String)>,
    /// The body; most errors and a good availability have none.
    pub body: Option<Value>,
}

impl Reply {
    /// A document.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: Some(body) }
    }

    /// A status without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// An error as most of the API writes it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error_code": code, "message": message});
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    /// An error as databases write it.
    pub fn described(status: u16, code: &str, description: &str) -> Self {
        let body = json!({"error_code": code, "description": description});
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
