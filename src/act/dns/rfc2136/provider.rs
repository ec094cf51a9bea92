//! One service's record at its primary.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RecordType as WireType};
use tokio::time::timeout;

use super::held::{self, Held, Place, Set};
use super::key::{Key, Signed};
use super::session::{NoReply, Session};
use super::update::{self, Step};
use super::{outcome, servers};
use crate::act::dns::wire::{self, Kind};
use crate::act::dns::{Answer, Dns, DnsError, Receipt, RecordChange, SendBy, ask, fit};
use crate::act::verify;
use crate::config::{Record, Rfc2136};
use crate::types::{Clock, RecordState};

/// Time for everything that is asked before a change, or instead of one, connecting included.
const READ_TIMEOUT: Duration = Duration::from_millis(2500);
/// Time for the reply to a change, which the primary writes to its disk first.
const UPDATE_TIMEOUT: Duration = Duration::from_secs(3);
/// Reads of a record that changes under the reader's hands.
const LOOKS_MAX: u32 = 3;

/// A service's record and its fence in a zone.
pub struct Rfc2136Dns {
    primary: Rfc2136,
    zone: Name,
    key: Key,
    record: Place,
    fence: Place,
    /// The record as configured, for its name servers.
    configured: Record,
    clock: Arc<dyn Clock>,
}

impl Rfc2136Dns {
    /// The provider of `record` at the given primary; `clock` is what signatures bear. Nothing is asked yet.
    ///
    /// # Errors
    /// [`DnsError::Misconfigured`] when the fence would have no valid name, or the key cannot be used.
    pub fn new(record: &Record, primary: &Rfc2136, clock: Arc<dyn Clock>) -> Result<Self, DnsError> {
        let fence = record.name.fence().map_err(|error| DnsError::Misconfigured {
            detail: format!("the name of the fence of {} {error}", record.name),
        })?;
        let key = Key::new(&primary.tsig, Arc::clone(&clock));
        Ok(Self {
            primary: primary.clone(),
            zone: wire::name(&primary.zone).map_err(outcome::unfit)?,
            key: key.map_err(|detail| DnsError::Misconfigured { detail })?,
            record: Place::new(record.name.clone(), Kind::Record(record.kind))?,
            fence: Place::new(fence, Kind::Text)?,
            configured: record.clone(),
            clock,
        })
    }

    fn sign(&self, message: Message) -> Result<Signed, DnsError> {
        self.key.sign(message).map_err(|detail| DnsError::Misconfigured { detail })
    }

    async fn query(&self, session: &mut Session, question: Message) -> Result<Message, DnsError> {
        Ok(outcome::answered(session.send(self.sign(question)?).await)?.message)
    }

    async fn set(&self, session: &mut Session, place: &Place) -> Result<Option<Set>, DnsError> {
        let question = ask::question(&place.name, place.kind).map_err(servers::unasked)?;
        held::set(place, &self.query(session, question).await?)
    }

    /// Both sets at one moment: every change of this program changes the fence, and none ever repeats one, so between two
    /// equal reads of it there was none.
    async fn look(&self, session: &mut Session) -> Result<Held, DnsError> {
        let before = self.set(session, &self.fence).await?;
        let record = self.set(session, &self.record).await?;
        let fence = self.set(session, &self.fence).await?;
        let normal = |set: &Option<Set>| set.as_ref().map(|set| set.normal.clone());
        if normal(&before) == normal(&fence) {
            return Ok(Held { record, fence });
        }
        let detail = format!("{} changed while it was read", self.fence.name);
        Err(DnsError::Conflict { detail })
    }

    async fn looked(&self) -> Result<Held, DnsError> {
        let mut session = Session::open(&self.primary).await?;
        for _ in 1..LOOKS_MAX {
            match self.look(&mut session).await {
                Err(DnsError::Conflict { .. }) => {}
                done => return done,
            }
        }
        match self.look(&mut session).await {
            Err(DnsError::Conflict { detail }) => Err(DnsError::Unavailable { detail }),
            done => done,
        }
    }

    async fn send(&self, session: &mut Session, update: Signed) -> Result<(), DnsError> {
        let reply = timeout(UPDATE_TIMEOUT, session.send(update)).await;
        let late = |_| Err(NoReply::Silent(format!("no reply within {UPDATE_TIMEOUT:?}")));
        outcome::changed(reply.unwrap_or_else(late))
    }

    async fn try_rights(&self) -> Result<Vec<DnsError>, DnsError> {
        let (mut session, held) = within(READ_TIMEOUT, async {
            let mut session = Session::open(&self.primary).await?;
            let soa = self.query(&mut session, update::question(&self.zone, WireType::SOA)).await?;
            servers::check_zone(&self.zone, &soa)?;
            let held = self.look(&mut session).await?;
            Ok((session, held))
        })
        .await?;
        let mut lacks = Vec::new();
        for (place, set) in [(&self.record, &held.record), (&self.fence, &held.fence)] {
            let trial = update::trial(&self.zone, place, set.as_ref()).map_err(outcome::unfit)?;
            match self.send(&mut session, self.sign(trial)?).await {
                Ok(()) => {}
                Err(DnsError::Denied { action, detail }) => {
                    let detail = format!("{} {}: {detail}", place.name, place.kind.wire());
                    lacks.push(DnsError::Denied { action, detail });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(lacks)
    }

    /// The zone's name servers: the configured ones, else those that the primary names.
    async fn name_servers(&self) -> Result<Vec<servers::NameServer>, DnsError> {
        if !self.configured.name_servers.is_empty() {
            return Ok(self.configured.name_servers.iter().map(|server| vec![*server]).collect());
        }
        let mut session = Session::open(&self.primary).await?;
        let hosts = self.query(&mut session, update::question(&self.zone, WireType::NS)).await?;
        let mut found = Vec::new();
        for host in servers::hosts(&self.zone, &hosts) {
            let mut addresses = Vec::new();
            if self.zone.zone_of(&host) {
                for kind in [WireType::A, WireType::AAAA] {
                    let answer = self.query(&mut session, update::question(&host, kind)).await?;
                    addresses.extend(servers::addresses(&answer));
                }
            } else {
                addresses = servers::resolved(&host).await;
            }
            found.push(addresses);
        }
        Ok(found)
    }
}

/// Anything that changes nothing, with its deadline.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, DnsError>>) -> Result<T, DnsError> {
    let late = |_| Err(DnsError::Unavailable { detail: format!("no answer within {limit:?}") });
    timeout(limit, work).await.unwrap_or_else(late)
}

#[async_trait]
impl Dns for Rfc2136Dns {
    async fn read(&self) -> Result<RecordState, DnsError> {
        within(READ_TIMEOUT, self.looked()).await.map(|held| held.state())
    }

    async fn change(&self, change: &RecordChange, send: &SendBy) -> Result<Receipt, DnsError> {
        fit::refuse_unfit((&self.record.name, self.configured.kind), &self.fence.name, change)?;
        let (mut session, held) = within(READ_TIMEOUT, async {
            let mut session = Session::open(&self.primary).await?;
            let held = self.look(&mut session).await?;
            Ok((session, held))
        })
        .await?;
        // Prerequisites say nothing about TTLs, so those are compared here. Should somebody change one in between, it is
        // replaced, which no other value can be.
        if held.state() != change.expected {
            return Err(DnsError::Conflict { detail: crate::act::swap::describe(&held.state()) });
        }
        let steps = [
            Step { place: &self.record, held: held.record.as_ref(), wanted: change.wanted.record.as_ref() },
            Step { place: &self.fence, held: held.fence.as_ref(), wanted: change.wanted.fence.as_ref() },
        ];
        let update = update::change(&self.zone, &steps).map_err(outcome::unfit)?;
        let id = format!("{:04x}-{}", update.metadata.id, self.clock.now().unix_seconds());
        let update = self.sign(update)?;
        send.check()?;
        self.send(&mut session, update).await?;
        // The protocol knows no id of a change but that of its message.
        Ok(Receipt { id })
    }

    /// Whether every name server of the zone answers what the primary holds, which is this change or a later one.
    async fn is_visible(&self, _: &Receipt) -> Result<bool, DnsError> {
        let held = self.read().await?;
        let servers = within(verify::DISCOVERY_TIMEOUT, self.name_servers()).await?;
        let each = servers.iter().map(|server| servers::answers(server, [&self.record, &self.fence], &held));
        Ok(futures_util::future::join_all(each).await.into_iter().all(|agrees| agrees))
    }

    async fn check(&self) -> Vec<DnsError> {
        self.try_rights().await.unwrap_or_else(|error| vec![error])
    }

    async fn answers(&self) -> Vec<Answer> {
        let found = within(verify::DISCOVERY_TIMEOUT, self.name_servers()).await;
        // Where the primary does not name them, the system's resolver may.
        let name_servers =
            found.unwrap_or_default().into_iter().flatten().take(verify::SERVERS_MAX).collect();
        verify::answers(&Record { name_servers, ..self.configured.clone() }).await
    }
}
