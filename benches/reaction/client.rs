//! A client of Redis that only wants to write, by a few bytes of its own.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Deadline of one try.
const LIMIT: Duration = Duration::from_millis(200);

/// Sends one command and takes the first bytes of the answer; nothing where there is none in time.
pub async fn command(server: SocketAddr, words: &[&str]) -> Option<String> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let mut bytes = format!("*{}\r\n", words.len());
        for word in words {
            bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(bytes.as_bytes()).await.ok()?;
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    };
    timeout(LIMIT, exchange).await.ok().flatten()
}

/// Whether a write is taken.
pub async fn can_write(server: SocketAddr) -> bool {
    command(server, &["SET", "a-key", "a-value"]).await.is_some_and(|answer| answer.starts_with("+OK"))
}
