//! From the rules to a server of TLS.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, IpAddr, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion,
};
use tokio_rustls::TlsAcceptor;
use webpki::EndEntityCert;

use super::refusal::WebError;
use crate::config::{ClientCertificates, TlsVersion, WebCipher, WebCurve, WebTls};

const CERTIFICATES: &str = "tls_server_config.cert_file";
const KEY: &str = "tls_server_config.key_file";
const AUTHORITIES: &str = "tls_server_config.client_ca_file";
/// HTTP/2 is not offered: where a body is refused early, its clients see a broken stream and not the answer.
const PROTOCOL: &[u8] = b"http/1.1";

/// Takes connections as the rules ask.
pub(super) fn acceptor(tls: &WebTls) -> Result<TlsAcceptor, WebError> {
    let provider = Arc::new(provider(tls));
    let unusable = |what| move |source| WebError::Certificates { what, source };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(tls))
        .map_err(unusable("tls_server_config"))?;
    let chain = certificates(CERTIFICATES, &tls.certificates)?;
    let pem = |source| WebError::Pem { what: KEY, source };
    let key = PrivateKeyDer::from_pem_slice(tls.key.expose().as_bytes()).map_err(pem)?;
    let builder = match clients(&tls.clients, &provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(unusable("tls_server_config: cert_file with key_file"))?;
    config.ignore_client_order = tls.prefers_own_ciphers;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn provider(tls: &WebTls) -> CryptoProvider {
    let mut provider = default_provider();
    if !tls.ciphers.is_empty() {
        let chosen: Vec<_> = tls.ciphers.iter().map(|cipher| suite(*cipher)).collect();
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(chosen);
    }
    if !tls.curves.is_empty() {
        provider.kx_groups = tls.curves.iter().map(|curve| group(*curve)).collect();
    }
    provider
}

fn suite(cipher: WebCipher) -> SupportedCipherSuite {
    match cipher {
        WebCipher::EcdsaAes128 => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        WebCipher::EcdsaAes256 => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        WebCipher::EcdsaChacha => cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        WebCipher::RsaAes128 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        WebCipher::RsaAes256 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        WebCipher::RsaChacha => cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }
}

fn group(curve: WebCurve) -> &'static dyn SupportedKxGroup {
    match curve {
        WebCurve::X25519 => kx_group::X25519,
        WebCurve::P256 => kx_group::SECP256R1,
        WebCurve::P384 => kx_group::SECP384R1,
    }
}

fn versions(tls: &WebTls) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(TlsVersion::V13, &TLS13), (TlsVersion::V12, &TLS12)];
    let range = tls.min..=tls.max;
    all.into_iter().filter(|(version, _)| range.contains(version)).map(|(_, known)| known).collect()
}

fn certificates(what: &'static str, text: &str) -> Result<Vec<CertificateDer<'static>>, WebError> {
    let found = CertificateDer::pem_slice_iter(text.as_bytes());
    let found = found.collect::<Result<Vec<_>, _>>().map_err(|source| WebError::Pem { what, source })?;
    if found.is_empty() { Err(WebError::Empty(what)) } else { Ok(found) }
}

type Verifier = Arc<dyn ClientCertVerifier>;

fn clients(
    clients: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Verifier>, WebError> {
    let (authorities, names, is_mandatory) = match clients {
        ClientCertificates::None => return Ok(None),
        ClientCertificates::Any => return Ok(Some(Arc::new(AnyCertificate(Arc::clone(provider))))),
        ClientCertificates::VerifiedIfGiven { authorities, names } => (authorities, names, false),
        ClientCertificates::Verified { authorities, names } => (authorities, names, true),
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(AUTHORITIES, authorities)? {
        let unusable = |source| WebError::Certificates { what: AUTHORITIES, source };
        roots.add(certificate).map_err(unusable)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if is_mandatory { builder } else { builder.allow_unauthenticated() };
    let verifier = builder.build().map_err(|source| WebError::Authorities { source })?;
    if names.is_empty() {
        return Ok(Some(verifier));
    }
    Ok(Some(Arc::new(Named { names: names.clone(), verifier })))
}

/// Takes any certificate whose key the client has.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _client: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes what another takes, if it has one of these names.
#[derive(Debug)]
struct Named {
    names: Vec<String>,
    verifier: Verifier,
}

impl Named {
    /// Whether the certificate names one of them: as it is written, so that a wildcard stands for nothing but itself.
    fn has_one(&self, certificate: &CertificateDer<'_>) -> Result<bool, Error> {
        let broken = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
        let parsed = EndEntityCert::try_from(certificate).map_err(broken)?;
        let has = |name: &String| {
            let address = IpAddr::try_from(name.as_str()).ok();
            parsed.valid_dns_names().any(|dns| dns == name)
                || parsed.valid_uri_names().any(|uri| uri == name)
                || address.is_some_and(|ip| {
                    parsed.verify_is_valid_for_subject_name(&ServerName::IpAddress(ip)).is_ok()
                })
        };
        Ok(self.names.iter().any(has))
    }
}

impl ClientCertVerifier for Named {
    fn offer_client_auth(&self) -> bool {
        self.verifier.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        client: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(client, chain, now)?;
        if self.has_one(client)? {
            return Ok(verified);
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
