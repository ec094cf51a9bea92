//! A line to a server on which everything that the server says arrives late, or not at all.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Pieces that are on their way at most.
const PIECES_MAX: usize = 4096;

/// A running line.
pub struct SlowLine {
    address: SocketAddr,
    is_open: watch::Sender<bool>,
    delay: watch::Sender<Duration>,
    _tasks: JoinSet<()>,
}

impl SlowLine {
    /// A line to a server whose words take so long.
    pub async fn start(server: SocketAddr, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (is_open, opened) = watch::channel(true);
        let (delay, delayed) = watch::channel(delay);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let (pieces, arriving) = mpsc::channel(PIECES_MAX);
                let (opened, delayed) = (opened.clone(), delayed.clone());
                connections.spawn(async move {
                    // The end of either way ends the connection.
                    tokio::select! {
                        () = forward(from_client, to_server) => {}
                        () = depart(from_server, delayed, pieces) => {}
                        () = arrive(to_client, arriving, opened) => {}
                    }
                });
            }
        });
        Self { address, is_open, delay, _tasks: tasks }
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From here on the server's words take so long.
    pub fn delay(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }

    /// From here on nothing arrives.
    pub fn stall(&self) {
        self.is_open.send_replace(false);
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let _ = tokio::io::copy(&mut from, &mut to).await;
}

async fn depart(
    mut from: OwnedReadHalf,
    delay: watch::Receiver<Duration>,
    pieces: mpsc::Sender<(Instant, Vec<u8>)>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer).await
        && length > 0
    {
        let at = Instant::now() + *delay.borrow();
        if pieces.send((at, buffer[..length].to_vec())).await.is_err() {
            return;
        }
    }
}

async fn arrive(
    mut to: OwnedWriteHalf,
    mut pieces: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut opened: watch::Receiver<bool>,
) {
    while let Some((at, piece)) = pieces.recv().await {
        tokio::time::sleep_until(at).await;
        if opened.wait_for(|is_open| *is_open).await.is_err() || to.write_all(&piece).await.is_err() {
            return;
        }
    }
}
