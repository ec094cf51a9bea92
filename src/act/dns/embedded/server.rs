//! The name server: UDP and TCP on one port. It owns its sockets and connections; whoever awaits `serve` owns the server.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::answer::{self, Reply, Transport};
use super::limit::{Limiter, Ruling};
use super::metrics::DnsMetrics;
use super::zone::EmbeddedZone;

/// Connections at once; resolvers use TCP seldom, and each one costs a file descriptor that monitoring needs too.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// Of those, connections of one address: nobody takes them all.
pub(super) const CONNECTIONS_OF_ONE_MAX: usize = 16;
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
    metrics: DnsMetrics,
    udp: UdpSocket,
    tcp: TcpListener,
}

impl EmbeddedServer {
    /// Binds UDP and TCP at the configured address, and returns the address in use (it differs for port 0).
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn bind(zone: &Arc<EmbeddedZone>, metrics: DnsMetrics) -> io::Result<(Self, SocketAddr)> {
        let listen = zone.settings().listen;
        let mut tries = if listen.port() == 0 { BIND_TRIES } else { 1 };
        loop {
            let tcp = TcpListener::bind(listen).await?;
            let address = tcp.local_addr()?;
            tries -= 1;
            match UdpSocket::bind(address).await {
                Ok(udp) => return Ok((Self { zone: Arc::clone(zone), metrics, udp, tcp }, address)),
                Err(error) if tries == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Serves until `shutdown` is ready. Dropping the future stops the server too.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = shutdown => {}
            () = datagrams(&self.udp, &self.zone, &self.metrics) => {}
            () = connections(&self.tcp, &self.zone, &self.metrics) => {}
            () = refresh(&self.zone) => {}
        }
    }
}

async fn datagrams(socket: &UdpSocket, zone: &EmbeddedZone, metrics: &DnsMetrics) {
    let mut limiter = zone.settings().rate_limit.clone().map(Limiter::new);
    let start = Instant::now();
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
        let Some(reply) = answer::reply(&zone.table(), &buffer[..length], Transport::Udp) else { continue };
        let rule = |limiter: &mut Limiter| limiter.rule(client.ip(), reply.about(), start.elapsed());
        let ruling = limiter.as_mut().map_or(Ruling::Send, rule);
        metrics.ruled(ruling);
        let code = reply.code();
        let bytes = match ruling {
            Ruling::Send => reply.bytes(),
            Ruling::Cut => reply.cut(),
            Ruling::Drop => None,
        };
        let Some(bytes) = bytes else { continue };
        metrics.answered(Transport::Udp, code);
        if let Err(error) = socket.send_to(&bytes, client).await {
            tracing::debug!(%error, %client, "a DNS answer could not be sent");
        }
    }
}

/// The connections that are open, by address.
type Open = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

/// One connection's place among those of its address.
struct Place {
    open: Open,
    client: IpAddr,
}

impl Place {
    fn take(open: &Open, client: IpAddr) -> Option<Self> {
        let mut places = open.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = places.entry(client).or_insert(0);
        if *taken >= CONNECTIONS_OF_ONE_MAX {
            return None;
        }
        *taken += 1;
        Some(Self { open: Arc::clone(open), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&self.client) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.client);
            }
        }
    }
}

async fn connections(listener: &TcpListener, zone: &Arc<EmbeddedZone>, metrics: &DnsMetrics) {
    let mut tasks = JoinSet::new();
    let open = Open::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a DNS connection could not be accepted");
                sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let place = Place::take(&open, client.ip()).filter(|_| tasks.len() < CONNECTIONS_MAX);
        let Some(place) = place else {
            tracing::debug!(%client, "too many DNS connections; closed");
            continue;
        };
        let (zone, metrics) = (Arc::clone(zone), metrics.clone());
        tasks.spawn(async move {
            let _place = place;
            drop(timeout(CONNECTION_LIFE, converse(stream, &zone, &metrics)).await);
        });
    }
}

async fn converse(mut stream: TcpStream, zone: &EmbeddedZone, metrics: &DnsMetrics) {
    loop {
        let Ok(Ok(query)) = timeout(CONNECTION_IDLE, receive(&mut stream)).await else { return };
        let Some(reply) = answer::reply(&zone.table(), &query, Transport::Tcp) else { return };
        metrics.answered(Transport::Tcp, reply.code());
        let Some(bytes) = framed(reply) else { return };
        let Ok(Ok(())) = timeout(CONNECTION_IDLE, stream.write_all(&bytes)).await else { return };
    }
}

fn framed(reply: Reply) -> Option<Vec<u8>> {
    let bytes = reply.bytes()?;
    let length = u16::try_from(bytes.len()).ok()?;
    Some([&length.to_be_bytes(), &bytes[..]].concat())
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
