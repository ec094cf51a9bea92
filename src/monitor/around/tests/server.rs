//! An HTTP server that says exactly what a test tells it to.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::monitor::tests::rig::Papers;

/// Largest request of ours, in bytes.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// What comes of a request.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// These bytes; the connection stays.
    Say(String),
    /// These bytes, and the end of the connection.
    Part(String),
    /// Nothing, for ever.
    Hang,
}

/// A whole answer.
pub(super) fn say(status: u16, body: &str) -> Act {
    Act::Say(format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

type Answers = Arc<dyn Fn(&str) -> Act + Send + Sync>;

/// The server; it ends with this.
pub(super) struct Server {
    pub address: SocketAddr,
    scheme: &'static str,
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers by the path of each request.
    pub async fn start(answers: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(answers)).await
    }

    /// The same, with TLS.
    pub async fn start_tls(papers: &Papers, answers: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        Self::serve(Some(acceptor(&papers.certificate, &papers.key)), Arc::new(answers)).await
    }

    async fn serve(tls: Option<TlsAcceptor>, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let heads = Arc::default();
        let mut tasks = JoinSet::new();
        let seen = Arc::clone(&heads);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (tls, answers, seen) = (tls.clone(), Arc::clone(&answers), Arc::clone(&seen));
                connections.spawn(async move {
                    match tls {
                        None => converse(socket, &answers, &seen).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                converse(socket, &answers, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, scheme, heads, _tasks: tasks }
    }

    pub fn url(&self) -> Url {
        format!("{}://{}", self.scheme, self.address).parse().unwrap()
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The paths of all requests so far.
    pub fn paths(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect()
    }
}

async fn converse(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    answers: &Answers,
    seen: &Mutex<Vec<String>>,
) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read_u8().await {
                Ok(byte) if head.len() < REQUEST_BYTES_MAX => head.push(byte),
                Ok(_) | Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let [method, path, version] = head.lines().next().unwrap().split(' ').collect::<Vec<_>>()[..] else {
            panic!("{head}");
        };
        assert_eq!((method, version), ("GET", "HTTP/1.1"));
        let act = answers(path);
        seen.lock().unwrap().push(head);
        // The client may hang up before it has heard it all.
        match act {
            Act::Say(bytes) => {
                let _ = socket.write_all(bytes.as_bytes()).await;
            }
            Act::Part(bytes) => {
                let _ = socket.write_all(bytes.as_bytes()).await;
                let _ = socket.shutdown().await;
                return;
            }
            Act::Hang => std::future::pending().await,
        }
    }
}

fn acceptor(certificate: &Path, key: &Path) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}
