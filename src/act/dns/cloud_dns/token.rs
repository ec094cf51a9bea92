//! The access token: from the metadata server of the instance, or for the key of a service account.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::http::{self, Answer};
use super::outcome::Request;
use crate::act::dns::DnsError;
use crate::config::Secret;
use crate::types::{Clock, Moment};

/// What a token may be used for.
const SCOPE: &str = "https://www.googleapis.com/auth/ndev.clouddns.readwrite";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Where an instance's metadata server is; `GCE_METADATA_HOST` names another.
const METADATA_HOST: &str = "metadata.google.internal";
const METADATA_PATH: &str = "computeMetadata/v1/instance/service-accounts/default/token";
/// How long an assertion is good: as long as the service lets it be.
const ASSERTION_SECONDS: u64 = 3600;
/// A token is asked for anew after so long, whatever is said of its life.
const LIFE_SECONDS_MAX: u64 = 12 * 3600;
/// A token is not used in its last minute.
const SPARE: Duration = Duration::from_secs(60);
const TOKEN: &str = "an access token";

/// Gets tokens, and keeps the last until shortly before its end.
pub(super) struct Tokens {
    source: Source,
    client: Client,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<Kept>>,
}

enum Source {
    Metadata { url: String },
    Account(Account),
}

/// A service account, and the key that signs for it.
struct Account {
    email: String,
    key_id: Option<String>,
    token_uri: String,
    key: Arc<dyn SigningKey>,
}

struct Kept {
    token: Secret,
    until: Moment,
}

/// The key file, as the service's console hands it out.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    token_uri: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    /// The token's source: `key` is a key file, and without one `metadata_host` is asked, or the host that all instances
    /// know.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when the key file cannot be used. Nothing of it is told.
    pub(super) fn new(
        key: Option<&Secret>,
        metadata_host: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DnsError> {
        let source = match key {
            Some(key) => Source::Account(Account::read(key)?),
            None => {
                let host = metadata_host.unwrap_or_else(|| METADATA_HOST.to_owned());
                Source::Metadata { url: format!("http://{host}/{METADATA_PATH}") }
            }
        };
        let is_clear = match &source {
            Source::Metadata { .. } => true,
            Source::Account(account) => account.token_uri.starts_with("http://"),
        };
        Ok(Self { client: http::client(is_clear)?, source, clock, kept: Mutex::default() })
    }

    /// A token that is good for a while yet. Whoever waits here for another's request takes its token.
    pub(super) async fn token(&self) -> Result<Secret, DnsError> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some(kept) =
            kept.as_ref().filter(|kept| now.mono < kept.until.mono && now.wall < kept.until.wall)
        {
            return Ok(kept.token.clone());
        }
        let granted = self.ask(now).await?;
        let life = Duration::from_secs(granted.expires_in.min(LIFE_SECONDS_MAX)).saturating_sub(SPARE);
        let token = Secret::new(granted.access_token);
        *kept = Some(Kept { token: token.clone(), until: now.plus(life) });
        Ok(token)
    }

    /// Forgets the token: it was refused.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn ask(&self, now: Moment) -> Result<Granted, DnsError> {
        let request = match &self.source {
            Source::Metadata { url } => self.client.get(url).header("Metadata-Flavor", "Google"),
            Source::Account(account) => {
                let assertion = account.assertion(now.unix_seconds())?;
                let form = format!("grant_type={}&assertion={assertion}", GRANT.replace(':', "%3A"));
                let kind = "application/x-www-form-urlencoded";
                self.client.post(&account.token_uri).header("content-type", kind).body(form)
            }
        };
        let Answer { status, body } = http::send(request, Request::Read).await?;
        let words = |status| format!("{status} from the server that gives tokens");
        match status {
            200 => serde_json::from_slice(&body).map_err(|_| DnsError::Unavailable {
                detail: "the answer of the server that gives tokens cannot be read".to_owned(),
            }),
            400..=499 if status != 429 => Err(DnsError::Denied { action: TOKEN, detail: words(status) }),
            _ => Err(DnsError::Unavailable { detail: words(status) }),
        }
    }
}

impl Account {
    fn read(file: &Secret) -> Result<Self, DnsError> {
        let bad = |why: &str| DnsError::Misconfigured { detail: format!("the key file {why}") };
        // The library's words may repeat the text.
        let file: KeyFile =
            serde_json::from_str(file.expose()).map_err(|_| bad("is not that of a service account"))?;
        if file.kind != "service_account" {
            return Err(bad("is not that of a service account"));
        }
        if !file.token_uri.starts_with("https://") && !is_local(&file.token_uri) {
            return Err(bad("names a token_uri without TLS"));
        }
        let key = PrivateKeyDer::from_pem_slice(file.private_key.as_bytes());
        let key = key.ok().and_then(|key| any_supported_type(&key).ok());
        let key = key.ok_or_else(|| bad("holds no private key that can be used"))?;
        Ok(Self { email: file.client_email, key_id: file.private_key_id, token_uri: file.token_uri, key })
    }

    /// A signed statement that the account asks for a token.
    fn assertion(&self, now_seconds: u64) -> Result<String, DnsError> {
        let head = serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = serde_json::json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": now_seconds,
            "exp": now_seconds + ASSERTION_SECONDS,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&head), encode(&claims));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signature = signer.and_then(|signer| signer.sign(text.as_bytes()).ok());
        match signature {
            Some(signature) => Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))),
            None => {
                Err(DnsError::Misconfigured { detail: "the key file's key is not an RSA key".to_owned() })
            }
        }
    }
}

/// Whether a URL leads to this machine: there a stand-in needs no TLS.
fn is_local(url: &str) -> bool {
    url.parse::<url::Url>().is_ok_and(|url| match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(_)) | None => false,
    })
}
