//! The way to a server: name, socket, TLS; each step knows how to say what went wrong.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::error::RedisError;
use super::guard::Bytes;
use super::tls::TlsIdentity;
use crate::config::Address;

/// When one call ends, and how long it had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub end: Instant,
    pub deadline: Duration,
}

/// What becomes of bytes that have not left yet when a connection is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    /// The system goes on sending them.
    Finish,
    /// They are dropped: an order that nobody waits for any more must not arrive later.
    Reset,
}

/// Opens a byte stream to an address, with TLS where there is an identity.
pub(super) async fn open(
    address: &Address,
    tls: Option<&TlsIdentity>,
    ends: Ends,
    farewell: Farewell,
) -> Result<Box<dyn Bytes>, RedisError> {
    let stream: Box<dyn Bytes> = match address {
        Address::Tcp { host, port } => {
            let stream = tcp(host, *port, ends).await?;
            if farewell == Farewell::Reset {
                stream.set_zero_linger().map_err(|source| RedisError::Connect { source })?;
            }
            Box::new(stream)
        }
        Address::Unix(path) => {
            let socket = timeout_at(ends.end, UnixStream::connect(path)).await;
            let socket = socket.map_err(|_| RedisError::ConnectTimeout { deadline: ends.deadline })?;
            Box::new(socket.map_err(|source| RedisError::Connect { source })?)
        }
    };
    let Some(tls) = tls else { return Ok(stream) };
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    match timeout_at(ends.end, connector.connect(tls.name.clone(), stream)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(source)) => Err(RedisError::Handshake { source }),
        Err(_) => Err(RedisError::Handshake { source: io::ErrorKind::TimedOut.into() }),
    }
}

/// Tries the host's addresses in turn, each with an equal share of what time is left.
pub(super) async fn tcp(host: &str, port: u16, ends: Ends) -> Result<TcpStream, RedisError> {
    let late = || RedisError::Resolve { source: io::ErrorKind::TimedOut.into() };
    let addresses = timeout_at(ends.end, lookup_host((host, port))).await.map_err(|_| late())?;
    let addresses: Vec<_> = addresses.map_err(|source| RedisError::Resolve { source })?.collect();
    // Of several addresses, one that is silent outweighs one that refuses: "refused" must mean that nobody listens.
    let mut silent = None;
    let mut last = RedisError::Resolve { source: io::ErrorKind::NotFound.into() };
    for (tried, address) in addresses.iter().enumerate() {
        let shares = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = ends.end.saturating_duration_since(Instant::now()) / shares;
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(|source| RedisError::Connect { source })?;
                return Ok(stream);
            }
            Ok(Err(source)) => last = RedisError::Connect { source },
            Err(_) => silent = Some(RedisError::ConnectTimeout { deadline: ends.deadline }),
        }
    }
    Err(silent.unwrap_or(last))
}
