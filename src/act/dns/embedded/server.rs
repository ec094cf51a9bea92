//! The name server: UDP and TCP on one port. It owns its sockets and connections; whoever awaits `serve` owns the server.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::EmbeddedZone;
use super::answer::Transport;

/// Connections at once; resolvers use TCP seldom, and each one costs a file descriptor that monitoring needs too.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// A connection that stays silent, or does not take its answer, is closed (RFC 7766, section 6.2.3).
const CONNECTION_IDLE: Duration = Duration::from_secs(5);
/// Nobody keeps a place for longer.
const CONNECTION_LIFE: Duration = Duration::from_secs(60);
/// How long another process's change stays unseen at most.
const REFRESH_INTERVAL: Duration = Duration::from_millis(500);
/// Rest after a socket error, so that a lasting one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(100);
/// The largest query; a datagram cannot be larger.
const QUERY_BYTES_MAX: usize = 4096;
/// Tries to find one free port for both protocols, when any port will do.
const BIND_TRIES: usize = 16;

/// The bound name server, not serving yet.
pub struct EmbeddedServer {
    zone: Arc<EmbeddedZone>,
    udp: UdpSocket,
    tcp: TcpListener,
}

impl EmbeddedServer {
    /// Binds UDP and TCP at the configured address, and returns the address in use (it differs for port 0).
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn bind(zone: &Arc<EmbeddedZone>) -> io::Result<(Self, SocketAddr)> {
        let listen = zone.settings().listen;
        let mut tries = if listen.port() == 0 { BIND_TRIES } else { 1 };
        loop {
            let tcp = TcpListener::bind(listen).await?;
            let address = tcp.local_addr()?;
            tries -= 1;
            match UdpSocket::bind(address).await {
                Ok(udp) => return Ok((Self { zone: Arc::clone(zone), udp, tcp }, address)),
                Err(error) if tries == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Serves until `shutdown` is ready. Dropping the future stops the server too.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = shutdown => {}
            () = datagrams(&self.udp, &self.zone) => {}
            () = connections(&self.tcp, &self.zone) => {}
            () = refresh(&self.zone) => {}
        }
    }
}

async fn datagrams(socket: &UdpSocket, zone: &EmbeddedZone) {
    let mut buffer = vec![0; QUERY_BYTES_MAX];
    loop {
        let (length, client) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::warn!(%error, "a DNS datagram could not be received");
                sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let Some(answer) = zone.answers().answer(&buffer[..length], Transport::Udp) else { continue };
        if let Err(error) = socket.send_to(&answer, client).await {
            tracing::debug!(%error, %client, "a DNS answer could not be sent");
        }
    }
}

async fn connections(listener: &TcpListener, zone: &Arc<EmbeddedZone>) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) if open.len() < CONNECTIONS_MAX => {
                let zone = Arc::clone(zone);
                open.spawn(async move { drop(timeout(CONNECTION_LIFE, converse(stream, &zone)).await) });
            }
            Ok((_, client)) => tracing::debug!(%client, "too many DNS connections; closed"),
            Err(error) => {
                tracing::warn!(%error, "a DNS connection could not be accepted");
                sleep(ERROR_PAUSE).await;
            }
        }
    }
}

async fn converse(mut stream: TcpStream, zone: &EmbeddedZone) {
    loop {
        let Ok(Ok(query)) = timeout(CONNECTION_IDLE, receive(&mut stream)).await else { return };
        let Some(answer) = zone.answers().answer(&query, Transport::Tcp) else { return };
        let Ok(length) = u16::try_from(answer.len()) else { return };
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend(answer);
        let Ok(Ok(())) = timeout(CONNECTION_IDLE, stream.write_all(&bytes)).await else { return };
    }
}

async fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = usize::from(stream.read_u16().await?);
    if length > QUERY_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut query = vec![0; length];
    stream.read_exact(&mut query).await?;
    Ok(query)
}

async fn refresh(zone: &Arc<EmbeddedZone>) {
    loop {
        sleep(REFRESH_INTERVAL).await;
        if let Err(error) = zone.refresh().await {
            tracing::warn!(%error, "the embedded zone could not be refreshed; the last answers stay");
        }
    }
}
