//! TLS towards a Redis: one client configuration for each profile, read from its files once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, pem};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::config::{Address, Target, Tls};

/// Why a target's TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file could not be read.
    #[error("could not read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The trusted authorities, or the own certificate, are not usable.
    #[error("could not use the certificates")]
    Certificates {
        /// Why.
        source: rustls::Error,
    },
    /// No authority to trust.
    #[error("found no certificate authority to trust")]
    NoAuthority,
    /// Only one of certificate and key is given.
    #[error("a client certificate and its key come together")]
    HalfIdentity,
    /// The name to verify is no host name and no address.
    #[error("the name to verify is not usable")]
    ServerName {
        /// Why.
        source: InvalidDnsNameError,
    },
    /// A client for HTTP cannot be made of it.
    #[error("could not set up a client for HTTP")]
    Client {
        /// Why.
        source: reqwest::Error,
    },
    /// A unix socket has no host name, and none is configured.
    #[error("TLS over a unix socket needs a server name")]
    NoServerName,
}

/// The client configurations, one for each profile, shared by all connections (and their session tickets with them).
#[derive(Debug, Default)]
pub struct TlsProfiles {
    ready: Mutex<HashMap<Tls, Ready>>,
}

/// A configuration, and the files that it was read from.
#[derive(Debug)]
struct Ready {
    stamps: Stamps,
    config: Arc<ClientConfig>,
}

/// Size and time of the last change of each of a profile's files.
type Stamps = [Option<(u64, SystemTime)>; 3];

fn stamps(tls: &Tls) -> Stamps {
    [&tls.ca_file, &tls.cert_file, &tls.key_file].map(|file| {
        let meta = std::fs::metadata(file.as_ref()?).ok()?;
        Some((meta.len(), meta.modified().ok()?))
    })
}

/// What one connection needs for its handshake.
#[derive(Debug, Clone)]
pub(super) struct TlsIdentity {
    pub config: Arc<ClientConfig>,
    pub name: ServerName<'static>,
}

impl TlsProfiles {
    /// No profiles yet; each is read at its first use.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a target's connections need; `None` when the target speaks without TLS.
    pub(super) fn identity(&self, target: &Target) -> Result<Option<TlsIdentity>, TlsError> {
        let Some(tls) = &target.tls else { return Ok(None) };
        let name = match (&tls.server_name, &target.address) {
            (Some(name), _) => name.clone(),
            (None, Address::Tcp { host, .. }) => host.clone(),
            (None, Address::Unix(_)) => return Err(TlsError::NoServerName),
        };
        let name = ServerName::try_from(name).map_err(|source| TlsError::ServerName { source })?;
        Ok(Some(TlsIdentity { config: self.config(tls)?, name }))
    }

    /// The client configuration of a profile, read again where its files have changed.
    ///
    /// # Errors
    /// A file cannot be read or used, or there is nobody to trust.
    pub fn config(&self, tls: &Tls) -> Result<Arc<ClientConfig>, TlsError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(tls);
        if let Some(known) = ready.get(tls).filter(|known| known.stamps == stamps) {
            return Ok(Arc::clone(&known.config));
        }
        match client_config(tls) {
            Ok(config) => {
                let config = Arc::new(config);
                ready.insert(tls.clone(), Ready { stamps, config: Arc::clone(&config) });
                Ok(config)
            }
            // Certificate and key are replaced one after the other: until both are there, the old pair serves.
            Err(error) => ready.get(tls).map(|known| Arc::clone(&known.config)).ok_or(error),
        }
    }
}

/// A configuration for clients that speak in clear text only, and need none of the authorities that a machine may lack.
///
/// # Errors
/// The TLS library cannot be set up.
pub fn trusting_nobody() -> Result<ClientConfig, TlsError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Certificates { source })
}

fn client_config(tls: &Tls) -> Result<ClientConfig, TlsError> {
    let builder = builder()?.with_root_certificates(authorities(tls.ca_file.as_deref())?);
    match (&tls.cert_file, &tls.key_file) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => {
            let source = |source| TlsError::File { path: key.clone(), source };
            let key = PrivateKeyDer::from_pem_file(key).map_err(source)?;
            let chain = certificates(cert)?;
            builder.with_client_auth_cert(chain, key).map_err(|source| TlsError::Certificates { source })
        }
        (Some(_), None) | (None, Some(_)) => Err(TlsError::HalfIdentity),
    }
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in certificates(file)? {
                store.add(certificate).map_err(|source| TlsError::Certificates { source })?;
            }
        }
        // One unreadable certificate of the system must not cost all of them.
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() { Err(TlsError::NoAuthority) } else { Ok(store) }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let source = |source| TlsError::File { path: path.to_owned(), source };
    CertificateDer::pem_file_iter(path).map_err(source)?.collect::<Result<_, _>>().map_err(source)
}
