//! A proxy in front of a name server, TCP only, that spoils the updates that pass through it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What happens to each update from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It passes.
    None,
    /// The connection breaks before the server has seen it.
    LoseRequest,
    /// The server applies it, and then the connection breaks.
    LoseReply,
    /// The server applies it, and its reply stays in the proxy.
    KeepReply,
    /// The server applies it, and its reply says something else.
    AlterReply,
}

/// A running proxy.
pub struct DnsProxy {
    address: SocketAddr,
    fault: Arc<Mutex<Fault>>,
    _tasks: JoinSet<()>,
}

impl DnsProxy {
    /// Starts a proxy in front of a server.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let fault = Arc::new(Mutex::new(Fault::None));
        let shared = Arc::clone(&fault);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let fault = Arc::clone(&shared);
                connections.spawn(async move {
                    // A connection that breaks is what this is for.
                    let _ = pass(client, server, &fault).await;
                });
            }
        });
        Self { address, fault, _tasks: tasks }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the fault.
    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, fault: &Mutex<Fault>) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    loop {
        let request = message(&mut client).await?;
        let is_update = request.get(2).is_some_and(|flags| (flags >> 3) & 0xf == 5);
        let fault =
            if is_update { *fault.lock().unwrap_or_else(PoisonError::into_inner) } else { Fault::None };
        if fault == Fault::LoseRequest {
            return Ok(());
        }
        send(&mut server, &request).await?;
        let mut reply = message(&mut server).await?;
        match fault {
            Fault::None | Fault::LoseRequest => {}
            Fault::LoseReply => return Ok(()),
            Fault::KeepReply => std::future::pending().await,
            // NOERROR becomes NXRRSET; the signature is that of the former.
            Fault::AlterReply => reply[3] |= 8,
        }
        send(&mut client, &reply).await?;
    }
}

async fn message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn send(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await
}
