//! The sockets of DNS: UDP and TCP on one port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::hub::Hub;
use crate::names::answer;

/// Attempts to find a port that is free for both.
const BIND_ATTEMPTS_MAX: usize = 32;
/// A client that stays silent this long is let go.
const IDLE: Duration = Duration::from_secs(10);
/// Pause after a socket error, so that a lasting one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// Both sockets.
#[derive(Debug)]
pub struct NameSockets {
    udp: UdpSocket,
    tcp: TcpListener,
    /// Their address.
    pub address: SocketAddr,
}

impl NameSockets {
    /// Binds both; with port 0 a port that is free for both.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            let udp = UdpSocket::bind(address).await?;
            let bound = udp.local_addr()?;
            match TcpListener::bind(bound).await {
                Ok(tcp) => return Ok(Self { udp, tcp, address: bound }),
                Err(error) if address.port() != 0 || attempt == BIND_ATTEMPTS_MAX => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// Answers until it is dropped.
    pub async fn serve(self, hub: Arc<Hub>) {
        tokio::join!(datagrams(&self.udp, &hub), streams(&self.tcp, &hub));
    }
}

async fn datagrams(socket: &UdpSocket, hub: &Hub) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(ERROR_PAUSE).await;
            continue;
        };
        if let Some(reply) = hub.with(|world| answer(world, &buffer[..length]))
            && let Err(error) = socket.send_to(&reply, client).await
        {
            debug!(%error, "an answer was not sent");
        }
    }
}

async fn streams(listener: &TcpListener, hub: &Arc<Hub>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ERROR_PAUSE).await;
            continue;
        };
        let hub = Arc::clone(hub);
        connections.spawn(async move {
            if let Err(error) = one(stream, &hub).await {
                debug!(%error, "a stream ended early");
            }
        });
    }
}

async fn one(mut stream: TcpStream, hub: &Hub) -> io::Result<()> {
    loop {
        let Ok(length) = timeout(IDLE, stream.read_u16()).await else { return Ok(()) };
        let mut message = vec![0; usize::from(length?)];
        timeout(IDLE, stream.read_exact(&mut message)).await??;
        let Some(reply) = hub.with(|world| answer(world, &message)) else { return Ok(()) };
        let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&reply).await?;
    }
}
