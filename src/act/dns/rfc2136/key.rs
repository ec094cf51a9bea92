//! The shared key: what leaves is signed, and what comes back counts only when its signature is right.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm as WireAlgorithm, TsigError};
use hickory_proto::rr::{Name, TSigVerifier, TSigner};

use crate::act::dns::ask::is_reply;
use crate::config::{Tsig, TsigAlgorithm};
use crate::types::Clock;

/// How far the clocks of both sides may differ, seconds; the value that RFC 8945, section 10, recommends.
pub(super) const FUDGE_SECONDS: u16 = 300;

/// The key, and the clock that its signatures bear.
pub(super) struct Key {
    signer: TSigner,
    clock: Arc<dyn Clock>,
}

/// A signed message, and what its reply is checked with.
pub(super) struct Signed {
    /// The message as it is sent.
    pub(super) bytes: Vec<u8>,
    question: Message,
    verifier: TSigVerifier,
}

/// A reply that only the holder of the key can have written.
#[derive(Debug)]
pub(super) struct Reply {
    /// The message.
    pub(super) message: Message,
    /// What the primary found wrong with the question's signature.
    pub(super) error: Option<TsigError>,
}

/// Why bytes are not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    /// The primary, or somebody who pretends to be it, says without a signature that ours is of no use.
    #[error("the server says, unsigned, {0}")]
    Rejected(&'static str),
    /// It is no signed reply to the question.
    #[error("{0}")]
    Unproven(String),
}

impl Key {
    /// The key of a configuration.
    ///
    /// # Errors
    /// Words for a person: name or secret cannot be used.
    pub(super) fn new(tsig: &Tsig, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let name = Name::from_ascii(format!("{}.", tsig.name))
            .map_err(|_| format!("{} is no name of a key", tsig.name))?;
        let secret = STANDARD.decode(tsig.secret.expose());
        let secret = secret.map_err(|_| format!("the secret of the key {} is not base64", tsig.name))?;
        let algorithm = match tsig.algorithm {
            TsigAlgorithm::HmacSha256 => WireAlgorithm::HmacSha256,
            TsigAlgorithm::HmacSha512 => WireAlgorithm::HmacSha512,
        };
        let signer = TSigner::new(secret, algorithm, name, FUDGE_SECONDS).map_err(|e| e.to_string())?;
        Ok(Self { signer, clock })
    }

    /// Signs a message.
    ///
    /// # Errors
    /// Words for a person: it cannot be put into bytes, or into one message of TCP.
    pub(super) fn sign(&self, mut message: Message) -> Result<Signed, String> {
        let question = message.clone();
        let now = self.clock.now().unix_seconds();
        let verifier = message.finalize(&self.signer, now).map_err(|error| error.to_string())?;
        let verifier = verifier.ok_or("the library gives nothing to check the reply with")?;
        let bytes = message.to_vec().map_err(|error| error.to_string())?;
        if bytes.len() > usize::from(u16::MAX) {
            return Err("the message is longer than 65535 bytes".to_owned());
        }
        Ok(Signed { bytes, question, verifier })
    }
}

impl Signed {
    /// Takes the reply to this message.
    pub(super) fn reply(mut self, bytes: &[u8]) -> Result<Reply, Doubt> {
        let unproven = |text: &str| Doubt::Unproven(text.to_owned());
        // The library's check relies on a message that can be read, with one signature at its end.
        let message = Message::from_vec(bytes).map_err(|error| unproven(&error.to_string()))?;
        if !is_reply(&self.question, &message) {
            return Err(unproven("the reply is to another question"));
        }
        let Some(tsig) = message.signature().map(|record| &record.data) else {
            return Err(unproven(&format!("the reply ({:?}) is not signed", message.metadata.response_code)));
        };
        let error = tsig.error;
        match error {
            Some(TsigError::BadKey) if tsig.mac.is_empty() => {
                return Err(Doubt::Rejected(
                    "that it does not know the key (BADKEY): are its name and algorithm right?",
                ));
            }
            Some(TsigError::BadSig) if tsig.mac.is_empty() => {
                return Err(Doubt::Rejected(
                    "that the signature is wrong (BADSIG): is the secret the same there?",
                ));
            }
            Some(_) | None => {}
        }
        let checked = self.verifier.verify(bytes);
        checked.map_err(|error| Doubt::Unproven(format!("the reply's signature is wrong: {error}")))?;
        if message.metadata.truncation {
            return Err(unproven("the reply was cut, although it came by TCP"));
        }
        Ok(Reply { message, error })
    }
}
