//! The SDK's client: TLS by rustls and ring, the default credential chain, a role where one is configured, and a deadline
//! for everything.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_route53::Client;
use aws_sdk_route53::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_route53::config::{ConfigBag, Intercept, RuntimeComponents, SharedCredentialsProvider};
use aws_sdk_route53::error::BoxError;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::act::dns::SendBy;
use crate::config::{AssumeRole, Route53};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Time for one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time for all attempts together, credentials included.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// Attempts of a read. A change has one attempt: an unknown outcome is read back, never repeated.
const READ_ATTEMPTS_MAX: u32 = 2;
/// The name of a session in which a role was taken on, as the provider's audit log shows it.
const SESSION_NAME: &str = "redrover";

/// Makes the client. Credentials are those given, else the default chain's; where a role is configured, they only take on
/// that role. They are looked for at the first request.
pub(super) async fn connect(place: &Route53, credentials: Option<SharedCredentialsProvider>) -> Client {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new(place.region.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(READ_ATTEMPTS_MAX))
        .timeout_config(timeouts);
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    let mut base = loader.load().await;
    if let Some(role) = &place.assume_role {
        let credentials = SharedCredentialsProvider::new(assumed(&base, role).await);
        base = base.into_builder().credentials_provider(credentials).build();
    }
    // The endpoint is that of this service: the token service has its own.
    let endpoint = place.endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    let mut config = aws_sdk_route53::config::Builder::from(&base);
    if endpoint.is_some() {
        config.set_endpoint_url(endpoint);
    }
    Client::from_conf(config.build())
}

async fn assumed(base: &SdkConfig, role: &AssumeRole) -> AssumeRoleProvider {
    let builder = AssumeRoleProvider::builder(&role.arn).configure(base).session_name(SESSION_NAME);
    match &role.external_id {
        Some(id) => builder.external_id(id).build().await,
        None => builder.build().await,
    }
}

/// Hands a request to the network unless it is too late, and tells whether it did. Until then nothing can have been
/// applied.
#[derive(Clone)]
pub(super) struct Departure {
    send: SendBy,
    is_departed: Arc<AtomicBool>,
}

impl Departure {
    pub(super) fn by(send: SendBy) -> Self {
        Self { send, is_departed: Arc::default() }
    }

    /// Whether the request may have left.
    pub(super) fn is_departed(&self) -> bool {
        self.is_departed.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Departure").field(&self.is_departed()).finish()
    }
}

impl Intercept for Departure {
    fn name(&self) -> &'static str {
        "Departure"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.send.check()?;
        self.is_departed.store(true, Ordering::Release);
        Ok(())
    }
}
