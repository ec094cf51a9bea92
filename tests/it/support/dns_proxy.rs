//! A proxy in front of a name server, TCP only, that delays or spoils the updates that pass through it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// What happens to each update from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It passes.
    None,
    /// It waits for a second one, and both pass at once.
    Meet,
    /// The next two meet; all others pass.
    MeetOnce,
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
    passage: Arc<Passage>,
    _tasks: JoinSet<()>,
}

struct Passage {
    server: SocketAddr,
    fault: Mutex<Fault>,
    barrier: Barrier,
}

impl DnsProxy {
    /// Starts a proxy in front of a server.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let passage = Passage { server, fault: Mutex::new(Fault::None), barrier: Barrier::new(2) };
        let passage = Arc::new(passage);
        let shared = Arc::clone(&passage);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let passage = Arc::clone(&shared);
                connections.spawn(async move {
                    // A connection that breaks is what this is for.
                    let _ = pass(client, &passage).await;
                });
            }
        });
        Self { address, passage, _tasks: tasks }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the fault.
    pub fn set(&self, fault: Fault) {
        self.passage.set(fault);
    }
}

impl Passage {
    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

async fn pass(mut client: TcpStream, passage: &Passage) -> io::Result<()> {
    let mut server = TcpStream::connect(passage.server).await?;
    loop {
        let request = message(&mut client).await?;
        let is_update = request.get(2).is_some_and(|flags| (flags >> 3) & 0xf == 5);
        let set = *passage.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = if is_update { set } else { Fault::None };
        match fault {
            Fault::Meet => {
                passage.barrier.wait().await;
            }
            Fault::MeetOnce => {
                passage.barrier.wait().await;
                // Before either goes on: whoever wins comes with the next one soon.
                passage.set(Fault::None);
            }
            Fault::LoseRequest => return Ok(()),
            Fault::None | Fault::LoseReply | Fault::KeepReply | Fault::AlterReply => {}
        }
        send(&mut server, &request).await?;
        let mut reply = message(&mut server).await?;
        match fault {
            Fault::None | Fault::Meet | Fault::MeetOnce | Fault::LoseRequest => {}
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
