//! What was asked of the REST API, for tests that care how a client behaves.

use std::collections::VecDeque;

use serde::Serialize;

use crate::clock::Ms;

/// Most requests that are remembered.
const REQUESTS_MAX: usize = 10_000;

/// One request; never its credentials.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// When.
    pub at_ms: Ms,
    /// Of which cluster.
    pub cluster: String,
    /// Of which node.
    pub node: u32,
    /// The method.
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// The user it named.
    pub user: Option<String>,
    /// What it was answered.
    pub status: u16,
}

/// The last requests, oldest first.
#[derive(Debug, Default, Serialize)]
pub struct Requests {
    requests: VecDeque<Request>,
}

impl Requests {
    /// Remembers one.
    pub fn push(&mut self, request: Request) {
        if self.requests.len() == REQUESTS_MAX {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
    }
}
