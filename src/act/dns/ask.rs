//! One question to one name server: by UDP, and by TCP when the answer does not fit. No cache, no recursion.
//!
//! Nothing here has a deadline of its own: the caller sets it, and dropping the future ends everything.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::wire::{self, Kind};
use crate::types::RecordName;

/// A lost datagram is asked for again after so long.
const RESEND_INTERVAL: Duration = Duration::from_millis(700);
/// What this side accepts in one datagram (DNS flag day 2020).
const UDP_ANSWER_BYTES_MAX: u16 = 1232;

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum AskError {
    /// The network's reason.
    Io(io::Error),
    /// The message cannot be written, or read.
    Message(String),
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The message that asks for a set.
pub(crate) fn question(name: &RecordName, kind: Kind) -> Result<Message, AskError> {
    let name = wire::name(name).map_err(|error| AskError::Message(error.to_string()))?;
    let mut message = Message::query();
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(name, kind.wire()));
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_ANSWER_BYTES_MAX).set_version(0);
    message.set_edns(edns);
    Ok(message)
}

/// Asks by UDP, and again by TCP when the answer was cut.
pub(crate) async fn ask(server: SocketAddr, question: &Message) -> Result<Message, AskError> {
    let reply = by_udp(server, question).await?;
    if reply.metadata.truncation { by_tcp(server, question).await } else { Ok(reply) }
}

async fn by_udp(server: SocketAddr, question: &Message) -> Result<Message, AskError> {
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    // A fresh socket has a fresh port, and a connected one takes datagrams from this server only.
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    let bytes = encoded(question)?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        socket.send(&bytes).await?;
        let resend = Instant::now() + RESEND_INTERVAL;
        while let Ok(received) = timeout_at(resend, socket.recv(&mut buffer)).await {
            let length = received?;
            // A datagram that is no answer to this question is none at all.
            match Message::from_vec(&buffer[..length]) {
                Ok(reply) if is_reply(question, &reply) => return Ok(reply),
                Ok(_) | Err(_) => {}
            }
        }
    }
}

/// Asks by TCP.
pub(crate) async fn by_tcp(server: SocketAddr, question: &Message) -> Result<Message, AskError> {
    let bytes = encoded(question)?;
    let reply = exchange(&mut TcpStream::connect(server).await?, &bytes).await?;
    match Message::from_vec(&reply) {
        Ok(reply) if is_reply(question, &reply) => Ok(reply),
        Ok(_) => Err(AskError::Message("the reply is to another question".to_owned())),
        Err(error) => Err(AskError::Message(error.to_string())),
    }
}

/// Sends one message by TCP and takes the next that comes.
pub(crate) async fn exchange(stream: &mut TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await?;
    let mut reply = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut reply).await?;
    Ok(reply)
}

fn encoded(message: &Message) -> Result<Vec<u8>, AskError> {
    message.to_vec().map_err(|error| AskError::Message(error.to_string()))
}

/// Whether a message answers that question.
pub(crate) fn is_reply(question: &Message, reply: &Message) -> bool {
    // Some servers leave the question out of an error.
    let is_bare_error = reply.queries.is_empty() && reply.metadata.response_code != ResponseCode::NoError;
    reply.metadata.id == question.metadata.id
        && reply.metadata.message_type == MessageType::Response
        && reply.metadata.op_code == question.metadata.op_code
        && (reply.queries == question.queries || is_bare_error)
}
