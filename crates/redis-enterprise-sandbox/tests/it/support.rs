//! One started sandbox and the clients that drive it.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::sync::Arc;
use std::time::Duration;

use redis_enterprise_sandbox::{Options, Plan, Running, Sandbox};
use reqwest::{Client, Method, redirect};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No wait of a test lasts longer; only a failing test reaches it.
pub const LIMIT: Duration = Duration::from_secs(10);

pub const VIEWER: (&str, &str) = ("viewer@sandbox.test", "viewer-password");
pub const MEMBER: (&str, &str) = ("member@sandbox.test", "member-password");

/// What a request was answered.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn code(&self) -> String {
        self.json()["error_code"].as_str().unwrap_or_default().to_owned()
    }
}

pub struct Rig {
    pub running: Running,
    client: Client,
}

impl Rig {
    pub async fn standard() -> Self {
        Self::start(Plan::standard()).await
    }

    pub async fn with(json: Value) -> Self {
        Self::start(Plan::parse(&json.to_string()).unwrap()).await
    }

    async fn start(plan: Plan) -> Self {
        let running = Sandbox::start(Options::new(plan)).await.unwrap();
        let clusters = running.hello()["clusters"].as_object().unwrap();
        let pems: Vec<_> = clusters.values().map(|c| c["certificate"].as_str().unwrap().to_owned()).collect();
        Self { client: client(&pems), running }
    }

    /// The URL of a node.
    pub fn node(&self, cluster: &str, node: u32) -> String {
        self.running.hello()["clusters"][cluster]["nodes"][node.to_string()].as_str().unwrap().to_owned()
    }

    /// Asks the node that leads at the start, which is the second one.
    pub async fn get(&self, cluster: &str, path: &str) -> Got {
        self.ask(cluster, 2, Method::GET, path, Some(VIEWER), None).await.unwrap()
    }

    /// Asks a node.
    pub async fn get_of(&self, cluster: &str, node: u32, path: &str) -> Got {
        self.ask(cluster, node, Method::GET, path, Some(VIEWER), None).await.unwrap()
    }

    /// Sends a change.
    pub async fn write(&self, cluster: &str, method: Method, path: &str, body: Value) -> Got {
        self.ask(cluster, 2, method, path, Some(MEMBER), Some(body)).await.unwrap()
    }

    pub async fn ask(
        &self,
        cluster: &str,
        node: u32,
        method: Method,
        path: &str,
        user: Option<(&str, &str)>,
        body: Option<Value>,
    ) -> reqwest::Result<Got> {
        let mut request = self.client.request(method, format!("{}{path}", self.node(cluster, node)));
        if let Some((user, password)) = user {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Got { status, headers, text: response.text().await? })
    }

    /// Gets a URL without a login.
    pub async fn fetch(&self, url: &str) -> Got {
        let response = self.client.get(url).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, text: response.text().await.unwrap() }
    }

    /// Sends a request to the control endpoint.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Got {
        let url = format!("{}/_sandbox/{path}", self.running.hello()["control"].as_str().unwrap());
        let response = self.client.request(method, url).json(&body).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, text: response.text().await.unwrap() }
    }

    /// Changes the state.
    pub async fn change(&self, target: &str, change: Value) {
        let got = self.control(Method::POST, "changes", json!({"target": target, "change": change})).await;
        assert_eq!(got.status, 204, "{target}: {}", got.text);
    }

    /// Moves the clock forward.
    pub async fn skip(&self, ms: u64) {
        assert_eq!(self.control(Method::POST, "clock", json!({"skip_ms": ms})).await.status, 200);
    }

    /// The status and the code of an availability, asked of the node that leads at the start.
    pub async fn availability(&self, cluster: &str, uid: u32, query: &str) -> (u16, String) {
        let got = self.get(cluster, &format!("/v1/bdbs/{uid}/availability{query}")).await;
        let code = if got.text.is_empty() { String::new() } else { got.code() };
        (got.status, code)
    }

    /// The address of a database.
    pub fn address(&self, cluster: &str, uid: u32) -> String {
        let database = &self.running.hello()["clusters"][cluster]["databases"][uid.to_string()];
        format!("{}:{}", database["address"].as_str().unwrap(), database["port"])
    }

    /// Sends lines to a database on one connection, and returns what came back.
    pub async fn redis(&self, cluster: &str, uid: u32, lines: &[&str]) -> Vec<String> {
        let mut stream = TcpStream::connect(self.address(cluster, uid)).await.unwrap();
        stream.write_all(format!("{}\r\nQUIT\r\n", lines.join("\r\n")).as_bytes()).await.unwrap();
        let mut reply = String::new();
        timeout(LIMIT, stream.read_to_string(&mut reply)).await.unwrap().unwrap();
        let mut replies: Vec<String> = reply.lines().map(str::to_owned).collect();
        replies.pop();
        replies
    }
}

/// A client that believes these certificates only, and follows no redirect.
pub fn client(pems: &[String]) -> Client {
    let mut roots = RootCertStore::empty();
    for pem in pems {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Client::builder()
        .tls_backend_preconfigured(builder.with_root_certificates(roots).with_no_client_auth())
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(LIMIT)
        .build()
        .unwrap()
}
