//! What the file says, with the content of the files that it names: two that are equal ask for the same server.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::Secret;

/// Costlier hashes are refused: one verification with 2^16 rounds already takes seconds.
pub const HASH_COST_MAX: u32 = 16;

/// Who may connect and ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Web {
    /// How connections are encrypted; `None` is clear text.
    pub tls: Option<WebTls>,
    /// Who may ask, with the hash of each password; empty is everybody.
    pub users: BTreeMap<String, PasswordHash>,
    /// Headers of every answer.
    pub headers: Vec<(String, String)>,
}

/// How connections are encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct WebTls {
    /// The server's chain of certificates, PEM.
    pub certificates: String,
    /// Its key, PEM.
    pub key: Secret,
    /// Whether clients show a certificate.
    pub clients: ClientCertificates,
    /// The oldest version of TLS.
    pub min: TlsVersion,
    /// The newest.
    pub max: TlsVersion,
    /// The ciphers of TLS 1.2; empty for all that are sound.
    pub ciphers: Vec<WebCipher>,
    /// The curves of the key exchange, the preferred one first; empty for all.
    pub curves: Vec<WebCurve>,
    /// Whether the server's order of ciphers counts, not the client's.
    pub prefers_own_ciphers: bool,
}

impl fmt::Debug for WebTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebTls").field("clients", &self.clients).finish_non_exhaustive()
    }
}

/// What a client must show. The authorities are PEM; an empty list of names allows every certificate of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Nothing.
    None,
    /// Any certificate, and that it has the key; who issued it does not count.
    Any,
    /// Nothing, or a certificate of these authorities.
    VerifiedIfGiven {
        /// Who issues them.
        authorities: String,
        /// The names of which it must have one.
        names: Vec<String>,
    },
    /// A certificate of these authorities.
    Verified {
        /// Who issues them.
        authorities: String,
        /// The names of which it must have one.
        names: Vec<String>,
    },
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

/// A cipher of TLS 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebCipher {
    /// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    EcdsaAes128,
    /// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`.
    EcdsaAes256,
    /// `TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256`.
    EcdsaChacha,
    /// `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
    RsaAes128,
    /// `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`.
    RsaAes256,
    /// `TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256`.
    RsaChacha,
}

/// A curve of the key exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebCurve {
    /// X25519.
    X25519,
    /// P-256.
    P256,
    /// P-384.
    P384,
}

/// A password's bcrypt hash, whose form was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: Secret,
    cost: u32,
}

impl PasswordHash {
    /// Takes `$2y$10$` and 53 letters of bcrypt's alphabet; the cost is 4 to [`HASH_COST_MAX`].
    ///
    /// # Errors
    /// Why it is no such hash, as the predicate of a sentence.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let no_hash = "is not a bcrypt hash";
        let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix));
        let (cost, letters) = rest.and_then(|rest| rest.split_once('$')).ok_or(no_hash)?;
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '/';
        if letters.len() != 53 || !letters.chars().all(is_letter) {
            return Err(no_hash);
        }
        match cost.parse() {
            Ok(cost @ 4..=HASH_COST_MAX) => Ok(Self { text: Secret::new(text), cost }),
            Ok(_) => Err("has a cost that is not from 4 to 16"),
            Err(_) => Err(no_hash),
        }
    }

    /// The hash, for the one place that verifies.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The binary logarithm of the rounds that a verification takes.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.cost
    }
}
