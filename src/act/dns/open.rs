//! The front door: from a record's configuration to its provider.

use std::sync::Arc;

use super::cloud_dns::CloudDnsProvider;
use super::embedded::{EmbeddedDns, EmbeddedZone};
use super::resolvers::Seen;
use super::rfc2136::Rfc2136Dns;
use super::route53::Route53Dns;
use super::{Dns, DnsError};
use crate::config::{Provider, Record};
use crate::types::SystemClock;

/// Names another metadata server than the one that Google's instances know; Google's own programs obey it too.
const METADATA_HOST: &str = "GCE_METADATA_HOST";

/// Opens the provider that holds `record`. Nothing is asked of it yet.
///
/// # Errors
/// The record cannot be held there: [`DnsError::Misconfigured`] says why.
pub async fn open(record: &Record, embedded: Option<&Arc<EmbeddedZone>>) -> Result<Arc<dyn Dns>, DnsError> {
    let provider = provider(record, embedded).await?;
    Ok(Arc::new(Seen { provider, record: record.clone() }))
}

async fn provider(record: &Record, embedded: Option<&Arc<EmbeddedZone>>) -> Result<Arc<dyn Dns>, DnsError> {
    match &record.provider {
        Provider::Route53(place) => Ok(Arc::new(Route53Dns::connect(record, place).await?)),
        Provider::Rfc2136(place) => {
            let clock = Arc::new(SystemClock::new());
            Ok(Arc::new(Rfc2136Dns::new(record, place, clock)?))
        }
        Provider::CloudDns(place) => {
            let (clock, host) = (Arc::new(SystemClock::new()), std::env::var(METADATA_HOST).ok());
            Ok(Arc::new(CloudDnsProvider::new(record, place, host, clock)?))
        }
        Provider::Embedded => {
            let zone = embedded.ok_or_else(|| DnsError::Misconfigured {
                detail: format!(
                    "{} is held by the embedded name server, which is not configured",
                    record.name
                ),
            })?;
            Ok(Arc::new(EmbeddedDns::new(zone, record)?))
        }
    }
}
