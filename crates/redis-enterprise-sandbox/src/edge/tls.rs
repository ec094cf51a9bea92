//! Certificates: each cluster signs its own, and all its nodes show the same.

use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// They could not be signed.
    #[error("a certificate could not be made")]
    Sign(#[from] rcgen::Error),
    /// They could not be used.
    #[error("a certificate could not be used")]
    Use(#[from] rustls::Error),
}

/// The certificate of a cluster.
#[derive(Debug)]
pub struct Papers {
    names: Vec<String>,
    shown: Mutex<Shown>,
}

#[derive(Debug, Clone)]
struct Shown {
    turn: u32,
    pem: String,
    config: Arc<ServerConfig>,
}

impl Papers {
    /// A certificate for these names and addresses; the first one is its subject.
    pub fn new(names: Vec<String>) -> Result<Self, TlsError> {
        let shown = Mutex::new(make(&names, 0)?);
        Ok(Self { names, shown })
    }

    /// The certificate, which is its own authority, as PEM.
    pub fn pem(&self) -> String {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).pem.clone()
    }

    /// What shows the certificate of this turn; a new turn has a new one.
    pub fn acceptor(&self, turn: u32) -> Result<TlsAcceptor, TlsError> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.turn != turn {
            *shown = make(&self.names, turn)?;
        }
        Ok(TlsAcceptor::from(Arc::clone(&shown.config)))
    }
}

fn make(names: &[String], turn: u32) -> Result<Shown, TlsError> {
    let mut params = CertificateParams::new(names.to_vec())?;
    let subject = names.first().map_or("sandbox", String::as_str);
    params.distinguished_name.push(DnType::CommonName, subject);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Shown { turn, pem: certificate.pem(), config: Arc::new(config) })
}
