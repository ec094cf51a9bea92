//! Connections of a database's clients.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tracing::debug;

use super::hub::Hub;
use super::tls::Papers;
use crate::resp::{Parsed, Session, parse};
use crate::world::{Door, Place};

/// Most bytes of commands that are not yet whole.
const PENDING_BYTES_MAX: usize = 4 << 20;
const CHUNK_BYTES: usize = 16 * 1024;
/// Most clients of one database at once.
const CLIENTS_MAX: u64 = 10_000;

/// Serves one client of a database at a node.
pub async fn redis(hub: Arc<Hub>, papers: Arc<Papers>, place: Place, node: u32, stream: TcpStream) {
    let tls = hub.with(|world| world.database(place).map(|database| database.tls));
    let _open = Open::new(&hub, place);
    let session = Session::new(place, node);
    let served = match tls {
        None => return,
        Some(false) => serve(&hub, session, stream).await,
        Some(true) => {
            let Ok(acceptor) = papers.acceptor(0) else { return };
            match acceptor.accept(stream).await {
                Ok(stream) => serve(&hub, session, stream).await,
                Err(error) => Err(error),
            }
        }
    };
    if let Err(error) = served {
        debug!(%error, "a client's connection ended early");
    }
}

async fn serve(
    hub: &Hub,
    mut session: Session,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<()> {
    let is_full =
        hub.with(|world| world.database(session.place).is_some_and(|d| d.counts.open > CLIENTS_MAX));
    if is_full {
        return stream.write_all(b"-ERR max number of clients reached\r\n").await;
    }
    let (mut pending, mut chunk) = (Vec::new(), vec![0; CHUNK_BYTES]);
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(());
        }
        pending.extend_from_slice(&chunk[..count]);
        let (mut out, mut used) = (Vec::new(), 0);
        loop {
            match parse(&pending[used..]) {
                Parsed::Partial => break,
                Parsed::Broken(why) => {
                    stream.write_all(format!("-ERR Protocol error: {why}\r\n").as_bytes()).await?;
                    return Ok(());
                }
                Parsed::Command(command, length) => {
                    used += length;
                    let door = hub.with(|world| world.redis_door(session.place, session.node));
                    if door == Door::Silent {
                        return std::future::pending().await;
                    }
                    out.extend(hub.with(|world| session.execute(world, &command)));
                }
            }
        }
        pending.drain(..used);
        stream.write_all(&out).await?;
        if session.is_over || pending.len() > PENDING_BYTES_MAX {
            return Ok(());
        }
    }
}

/// A connection, counted as long as it is open.
struct Open<'a> {
    hub: &'a Hub,
    place: Place,
}

impl<'a> Open<'a> {
    fn new(hub: &'a Hub, place: Place) -> Self {
        hub.with(|world| {
            if let Some(database) = world.database_mut(place) {
                database.counts.connections += 1;
                database.counts.open += 1;
            }
        });
        Self { hub, place }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let place = self.place;
        self.hub.with(|world| {
            if let Some(database) = world.database_mut(place) {
                database.counts.open = database.counts.open.saturating_sub(1);
            }
        });
    }
}
