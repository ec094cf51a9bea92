//! Why the web rules cannot be used.

use rustls::pki_types::pem;

use crate::config::Problems;

/// Why the file of `--web.config.file` has no effect.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The file is wrong, or one that it names cannot be read.
    #[error(transparent)]
    File(#[from] Problems),
    /// What should be PEM is not.
    #[error("{what} cannot be read as PEM")]
    Pem {
        /// Certificates, key or authorities.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// A file of PEM holds nothing of what was looked for.
    #[error("{0} holds none")]
    Empty(&'static str),
    /// The certificates cannot be used, or do not fit the key.
    #[error("{what} cannot be used")]
    Certificates {
        /// Certificates and key, or authorities.
        what: &'static str,
        /// Why.
        source: rustls::Error,
    },
    /// No certificate of a client could be verified with the authorities.
    #[error("tls_server_config.client_ca_file cannot be used")]
    Authorities {
        /// Why.
        source: rustls::server::VerifierBuilderError,
    },
    /// The machine gives no random numbers.
    #[error("no random numbers can be had")]
    Random,
    /// A running server would protect less than it did, which half a file may ask for as well.
    #[error("the file no longer asks for {0}; a running server keeps that: start it anew if it is meant")]
    Weaker(&'static str),
    /// The file could not be read in time, or the reader died.
    #[error("the file could not be read")]
    Reader {
        /// Why.
        source: tokio::task::JoinError,
    },
}
