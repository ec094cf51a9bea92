//! A listener that follows the state: it is there, it is not, it says nothing, or it hangs up.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::warn;

use super::hub::Hub;
use crate::world::{Door, World};

/// Attempts to find a port that is free at several addresses.
const BIND_ATTEMPTS_MAX: usize = 64;
/// Pause after a socket error, so that a lasting one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// Listeners on one port, one for each address.
#[derive(Debug)]
pub struct Bound {
    /// The port.
    pub port: u16,
    /// The listeners, in the order of the addresses.
    pub listeners: Vec<TcpListener>,
}

/// Binds one port at all addresses; with port 0 a free one.
pub async fn bind_all(addresses: &[Ipv4Addr], port: u16) -> io::Result<Bound> {
    let mut attempt = 1;
    loop {
        match try_bind(addresses, port).await {
            Ok(bound) => return Ok(bound),
            Err(error) if port != 0 || attempt == BIND_ATTEMPTS_MAX => return Err(error),
            Err(_) => attempt += 1,
        }
    }
}

async fn try_bind(addresses: &[Ipv4Addr], mut port: u16) -> io::Result<Bound> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = TcpListener::bind((*address, port)).await?;
        port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(Bound { port, listeners })
}

/// Keeps a listener as the state has it, until it is dropped. Connections end with the listener; what has been accepted
/// is silent while the door is, for it asks before it answers.
pub async fn keep<S, F>(hub: Arc<Hub>, listener: TcpListener, door: impl Fn(&World) -> Door + Send, serve: S)
where
    S: Fn(TcpStream) -> F + Send,
    F: Future<Output = ()> + Send + 'static,
{
    let Ok(address) = listener.local_addr() else { return };
    let mut changes = hub.changes();
    let mut listener = Some(listener);
    let (mut served, mut held) = (JoinSet::new(), Vec::new());
    loop {
        changes.mark_unchanged();
        let door = hub.with(|world| door(world));
        if matches!(door, Door::Shut | Door::Reset) {
            (served, held) = (JoinSet::new(), Vec::new());
        }
        if door == Door::Shut {
            listener = None;
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = bound(&mut listener, address).await else { continue };
        let accepted = tokio::select! {
            accepted = open.accept() => accepted,
            _ = changes.changed() => continue,
        };
        while served.try_join_next().is_some() {}
        match (accepted, door) {
            (Ok((stream, _)), Door::Open) => {
                served.spawn(serve(stream));
            }
            (Ok((stream, _)), Door::Silent) => held.push(stream),
            // A lingering time of zero sends a reset.
            (Ok((stream, _)), Door::Reset | Door::Shut) => drop(stream.set_zero_linger()),
            (Err(error), _) => {
                warn!(%error, %address, "a connection could not be accepted");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

async fn bound(listener: &mut Option<TcpListener>, address: SocketAddr) -> Option<&TcpListener> {
    if listener.is_none() {
        match TcpListener::bind(address).await {
            Ok(bound) => *listener = Some(bound),
            Err(error) => {
                warn!(%error, %address, "the port cannot be bound again");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
    listener.as_ref()
}
