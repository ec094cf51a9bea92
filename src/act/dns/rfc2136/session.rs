//! One TCP connection to the primary, on which one question follows the other.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::key::{Doubt, Reply, Signed};
use crate::act::dns::DnsError;
use crate::act::dns::ask::exchange;
use crate::config::Rfc2136;

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Why there is no reply to a message of which bytes may have left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoReply {
    /// Nothing came back.
    #[error("{0}")]
    Silent(String),
    /// Something came back that is not to be believed.
    #[error(transparent)]
    Doubted(#[from] Doubt),
}

/// An open connection, which is reset at its end. After an error it is of no further use.
pub(super) struct Session {
    stream: TcpStream,
}

impl Session {
    /// Connects. A host name is looked up by the system, and its addresses are tried in turn.
    pub(super) async fn open(place: &Rfc2136) -> Result<Self, DnsError> {
        let (host, port) = (place.host.as_str(), place.port);
        let unsent = |why| DnsError::Unavailable { detail: format!("{host} port {port}: {why}") };
        match timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await {
            Ok(Ok(stream)) => {
                // What is given up must not be sent later: the record may be another one by then.
                stream.set_zero_linger().map_err(|error| unsent(error.to_string()))?;
                Ok(Self { stream })
            }
            Ok(Err(error)) => Err(unsent(error.to_string())),
            Err(_) => Err(unsent(format!("no connection within {CONNECT_TIMEOUT:?}"))),
        }
    }

    /// Sends a message and takes the reply. The caller sets the deadline.
    pub(super) async fn send(&mut self, signed: Signed) -> Result<Reply, NoReply> {
        let reply = exchange(&mut self.stream, &signed.bytes).await;
        Ok(signed.reply(&reply.map_err(|error| NoReply::Silent(error.to_string()))?)?)
    }
}
