//! Handshakes by the rules, with real certificates.

use std::path::PathBuf;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::WebKeeper;
use crate::serve::Metrics;

/// A folder with an authority `ca.pem`, and `server`, `client` and `stranger` with `.pem` and `.key`; the stranger is of
/// another authority.
pub(in crate::serve) struct Papers(TempDir);

impl Papers {
    pub(in crate::serve) fn new() -> Self {
        let papers = Self(tempfile::tempdir().unwrap());
        let issuer = papers.authority("ca");
        papers.issue(&issuer, "server", &[SanType::DnsName("localhost".try_into().unwrap())]);
        let names = [
            SanType::DnsName("prometheus.example.com".try_into().unwrap()),
            SanType::DnsName("*.wild.example.com".try_into().unwrap()),
            SanType::IpAddress([10, 9, 0, 1].into()),
            SanType::URI("spiffe://example.com/prometheus".try_into().unwrap()),
        ];
        papers.issue(&issuer, "client", &names);
        papers.issue(&papers.authority("other"), "stranger", &names);
        papers
    }

    /// Writes the rules.
    pub(in crate::serve) fn write(&self, rules: &str) -> PathBuf {
        let path = self.path("web.yml");
        std::fs::write(&path, rules).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn authority(&self, name: &str) -> Issuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), params.self_signed(&key).unwrap().pem()).unwrap();
        Issuer::new(params, key)
    }

    fn issue(&self, issuer: &Issuer<'static, KeyPair>, name: &str, names: &[SanType]) {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.subject_alt_names = names.to_vec();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap().pem();
        std::fs::write(self.path(&format!("{name}.pem")), certificate).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn keeper(&self, rules: &str) -> WebKeeper {
        let metrics = Metrics::register(Registry::default());
        WebKeeper::open(Some(self.write(rules)), metrics).unwrap()
    }

    fn certificates(&self, name: &str) -> Vec<CertificateDer<'static>> {
        let path = self.path(&format!("{name}.pem"));
        CertificateDer::pem_file_iter(path).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// A client that trusts the authority, and shows a certificate if it has one.
    fn client(&self, name: Option<&str>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificates("ca").remove(0)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.unwrap().with_root_certificates(roots);
        let Some(name) = name else { return builder.with_no_client_auth() };
        let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key"))).unwrap();
        builder.with_client_auth_cert(self.certificates(name), key).unwrap()
    }
}

/// Whether a byte reaches the client.
async fn is_let_in(keeper: &WebKeeper, client: ClientConfig) -> bool {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let acceptor = keeper.rules().acceptor.clone().unwrap();
    let serve = async {
        let Ok(mut stream) = acceptor.accept(far).await else { return };
        let _ = stream.write_all(b"x").await;
        let _ = stream.shutdown().await;
    };
    let ask = async {
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(client)).connect(name, near).await.ok()?;
        stream.read_u8().await.ok()
    };
    tokio::join!(serve, ask).1 == Some(b'x')
}

#[tokio::test]
async fn each_kind_of_client_authentication_lets_in_whom_it_says() {
    let papers = Papers::new();
    let verify = |kind: &str, names: &str| format!("client_auth_type: {kind}, client_ca_file: ca.pem{names}");
    let required = |names: &str| verify("RequireAndVerifyClientCert", names);
    // Who gets in of: nobody's, a client's and a stranger's certificate.
    let rows = [
        (String::new(), [true, true, true]),
        ("client_auth_type: NoClientCert".to_owned(), [true, true, true]),
        ("client_auth_type: RequestClientCert".to_owned(), [true, true, true]),
        ("client_auth_type: RequireAnyClientCert".to_owned(), [false, true, true]),
        (verify("VerifyClientCertIfGiven", ""), [true, true, false]),
        (verify("VerifyClientCertIfGiven", ", client_allowed_sans: [x]"), [true, false, false]),
        (required(""), [false, true, false]),
        (required(", client_allowed_sans: [prometheus.example.com]"), [false, true, false]),
        (required(", client_allowed_sans: [x, 10.9.0.1]"), [false, true, false]),
        (required(", client_allowed_sans: ['spiffe://example.com/prometheus']"), [false, true, false]),
        (required(", client_allowed_sans: ['*.wild.example.com']"), [false, true, false]),
        (required(", client_allowed_sans: [a.wild.example.com]"), [false, false, false]),
        (required(", client_allowed_sans: [example.com, 10.9.0.2]"), [false, false, false]),
    ];
    for (clients, wanted) in rows {
        let comma = if clients.is_empty() { "" } else { ", " };
        let rules =
            format!("{{tls_server_config: {{cert_file: server.pem, key_file: server.key{comma}{clients}}}}}");
        let keeper = papers.keeper(&rules);
        for (name, wanted) in [None, Some("client"), Some("stranger")].into_iter().zip(wanted) {
            assert_eq!(is_let_in(&keeper, papers.client(name)).await, wanted, "{clients} {name:?}");
        }
    }
}

#[tokio::test]
async fn versions_ciphers_and_curves_are_kept_to() {
    use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
    use rustls::version::{TLS12, TLS13};
    let papers = Papers::new();
    let client = |version, change: fn(&mut rustls::crypto::CryptoProvider)| {
        let mut provider = default_provider();
        change(&mut provider);
        let mut roots = RootCertStore::empty();
        roots.add(papers.certificates("ca").remove(0)).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        builder.with_root_certificates(roots).with_no_client_auth()
    };
    let chacha = "cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]";
    for (rules, new, old, aes_only, x25519_only) in [
        ("min_version: TLS12", true, true, true, true),
        ("min_version: TLS13", true, false, false, true),
        ("max_version: TLS12", false, true, true, false),
        (chacha, true, true, false, true),
        ("curve_preferences: [CurveP256, CurveP384]", true, true, true, false),
    ] {
        let keeper = papers.keeper(&format!(
            "{{tls_server_config: {{cert_file: server.pem, key_file: server.key, {rules}}}}}"
        ));
        assert_eq!(is_let_in(&keeper, client(&TLS13, |_| {})).await, new, "{rules}");
        assert_eq!(is_let_in(&keeper, client(&TLS12, |_| {})).await, old, "{rules}");
        let aes = client(&TLS12, |provider| {
            provider.cipher_suites = vec![cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
        });
        assert_eq!(is_let_in(&keeper, aes).await, aes_only, "{rules}");
        let x25519 = client(&TLS13, |provider| provider.kx_groups = vec![kx_group::X25519]);
        assert_eq!(is_let_in(&keeper, x25519).await, x25519_only, "{rules}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let papers = Papers::new();
    let open = |rules: &str| {
        let metrics = Metrics::register(Registry::default());
        let error = WebKeeper::open(Some(papers.write(rules)), metrics).err().unwrap();
        format!("{:#}", anyhow::Error::from(error))
    };
    for (rules, told) in [
        ("cert_file: client.pem, key_file: server.key", "cert_file with key_file cannot be used"),
        ("cert_file: server.key, key_file: server.key", "cert_file holds none"),
        ("cert_file: server.pem, key_file: server.pem", "key_file cannot be read as PEM"),
        (
            "cert_file: server.pem, key_file: server.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: server.key",
            "client_ca_file holds none",
        ),
    ] {
        let found = open(&format!("{{tls_server_config: {{{rules}}}}}"));
        assert!(found.contains(told), "{rules}: {found}");
    }
}
