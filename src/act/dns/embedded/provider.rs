//! The embedded zone as a provider: one instance for each record.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use async_trait::async_trait;

use super::EmbeddedZone;
use super::zone::check;
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy, fit, wire};
use crate::act::verify;
use crate::config::Record;
use crate::types::{RecordName, RecordState, RecordType};

/// One record of the embedded zone.
pub struct EmbeddedDns {
    zone: Arc<EmbeddedZone>,
    name: RecordName,
    fence: RecordName,
    kind: RecordType,
    record: Record,
}

impl EmbeddedDns {
    /// The provider of `record`. The zone answers for it while it is one of those that the zone holds.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when it cannot lie in the zone.
    pub fn new(zone: &Arc<EmbeddedZone>, record: &Record) -> Result<Self, DnsError> {
        check(zone.settings(), record, &[])?;
        let name = record.name.clone();
        let fence = name.fence().map_err(|error| DnsError::Misconfigured { detail: error.to_string() })?;
        Ok(Self { zone: Arc::clone(zone), name, fence, kind: record.kind, record: record.clone() })
    }

    async fn blocking<T: Send + 'static, E: Into<DnsError> + Send + 'static>(
        &self,
        work: impl FnOnce(&EmbeddedZone) -> Result<T, E> + Send + 'static,
    ) -> Result<T, DnsError> {
        let zone = Arc::clone(&self.zone);
        let done = tokio::task::spawn_blocking(move || work(&zone)).await;
        // A worker that died says nothing about how far it came.
        done.map_err(|error| DnsError::Unknown { detail: wire::chain(&error) })?.map_err(Into::into)
    }
}

#[async_trait]
impl Dns for EmbeddedDns {
    async fn read(&self) -> Result<RecordState, DnsError> {
        let (name, kind) = (self.name.clone(), self.kind);
        self.blocking(move |zone| zone.read(&name, kind)).await
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        fit::refuse_unfit((&self.name, self.kind), &self.fence, change)?;
        let (name, kind, change, send) = (self.name.clone(), self.kind, change.clone(), send.clone());
        let serial = self
            .blocking(move |zone| {
                send.check()?;
                zone.change(&name, kind, &change).map_err(DnsError::from)
            })
            .await?;
        Ok(Receipt { id: serial.to_string() })
    }

    async fn is_visible(&self, receipt: &Receipt) -> Result<bool, DnsError> {
        let serial: u64 = receipt.id.parse().map_err(|_| DnsError::Misconfigured {
            detail: format!("{:?} is no receipt of the embedded zone", receipt.id),
        })?;
        Ok(self.zone.table().serial() >= serial)
    }

    async fn check(&self) -> Vec<DnsError> {
        self.read().await.err().into_iter().collect()
    }

    async fn answers(&self) -> Vec<Answer> {
        if !self.record.name_servers.is_empty() {
            return verify::answers(&self.record).await;
        }
        // The name server is this program: no other has to be found.
        let mut own = self.zone.settings().listen;
        if own.ip().is_unspecified() {
            own.set_ip(if own.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        verify::answers(&Record { name_servers: vec![own], ..self.record.clone() }).await
    }
}
