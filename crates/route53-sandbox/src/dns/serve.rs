//! The sockets of DNS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::service::Service;

use super::answer::Transport;

/// Attempts to find a port that is free for both protocols.
const BIND_ATTEMPTS_MAX: usize = 32;
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// A TCP client that stays silent this long is let go.
const IDLE: Duration = Duration::from_secs(10);
/// Pause after a socket error, so that a lasting one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// UDP and TCP on one port.
#[derive(Debug)]
pub struct Sockets {
    /// Datagrams.
    pub udp: UdpSocket,
    /// Streams.
    pub tcp: TcpListener,
    address: SocketAddr,
}

impl Sockets {
    /// Binds both; with port 0 the system picks the UDP port, and another one while TCP has it taken.
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

    /// The address of both.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Answers datagrams until it is dropped.
pub async fn serve_udp(socket: UdpSocket, service: Arc<Service>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        match answer_datagram(&socket, &service, &mut buffer).await {
            Ok(()) => {}
            Err(error) => {
                warn!(%error, "a datagram could not be answered");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

/// Answers streams until it is dropped.
pub async fn serve_tcp(listener: TcpListener, service: Arc<Service>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let service = Arc::clone(&service);
                connections.spawn(async move {
                    if let Err(error) = answer_stream(stream, &service).await {
                        debug!(%error, "a DNS stream ended early");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "a DNS stream could not be accepted");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

async fn answer_datagram(socket: &UdpSocket, service: &Service, buffer: &mut [u8]) -> io::Result<()> {
    let (length, client) = socket.recv_from(buffer).await?;
    if let Some(reply) = service.resolve(&buffer[..length], Transport::Udp) {
        socket.send_to(&reply, client).await?;
    }
    Ok(())
}

/// Serves messages, each behind its length, until the client closes or stays silent.
async fn answer_stream(mut stream: TcpStream, service: &Service) -> io::Result<()> {
    loop {
        let length = match timeout(IDLE, stream.read_u16()).await {
            Ok(Ok(length)) => length,
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(()),
        };
        let mut message = vec![0; usize::from(length)];
        timeout(IDLE, stream.read_exact(&mut message)).await??;
        let Some(reply) = service.resolve(&message, Transport::Tcp) else { return Ok(()) };
        let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend(reply);
        stream.write_all(&framed).await?;
    }
}
