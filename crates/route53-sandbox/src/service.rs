//! One request at a time: who may pass, what goes wrong, what is executed, what is written down.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

use crate::api::{Answer, Query, Request, authorization, reply};
use crate::clock::Now;
use crate::control::{Bucket, Fault, FaultKind, Faults, Policy};
use crate::dns::{Transport, Turns, answer};
use crate::options::ThrottleOptions;
use crate::records::{RecordSet, SetKey};
use crate::state::StateFile;
use crate::zone::{Change, History, Refusal, Source, Zone};

/// The imitated operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Operation {
    /// The only one that writes.
    #[default]
    ChangeResourceRecordSets,
    /// Reads what was last accepted, `PENDING` included.
    ListResourceRecordSets,
    /// Tells `PENDING` from `INSYNC`.
    GetChange,
    /// Names the delegated servers.
    GetHostedZone,
}

impl Operation {
    /// The name in the API reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChangeResourceRecordSets => "ChangeResourceRecordSets",
            Self::ListResourceRecordSets => "ListResourceRecordSets",
            Self::GetChange => "GetChange",
            Self::GetHostedZone => "GetHostedZone",
        }
    }
}

/// The whole sandbox behind its edges.
#[derive(Debug)]
pub struct Service {
    world: Mutex<World>,
    state: Option<StateFile>,
}

/// Everything that changes; one lock, so that changes of the zone happen one after the other.
#[derive(Debug)]
pub struct World {
    /// The hosted zone.
    pub zone: Zone,
    /// What happened.
    pub history: History,
    /// What is to go wrong.
    pub faults: Faults,
    /// What is allowed.
    pub policy: Policy,
    bucket: Option<Bucket>,
    turns: Turns,
}

impl Service {
    /// A service with an empty history.
    pub fn new(zone: Zone, throttle: Option<ThrottleOptions>, state: Option<StateFile>) -> Self {
        let bucket = throttle.map(|options| Bucket::new(options, Now::read().instant));
        let world = World {
            zone,
            history: History::default(),
            faults: Faults::default(),
            policy: Policy::default(),
            bucket,
            turns: Turns::default(),
        };
        Self { world: Mutex::new(world), state }
    }

    /// The world, locked. No update leaves it half done, so a poisoned lock is as good as any.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one request of the Route 53 API.
    pub async fn serve(&self, request: Request) -> Answer {
        let operation = request.operation();
        let fault = match self.admit(&request) {
            Ok(fault) => fault,
            Err(refusal) => return self.refuse(operation, &refusal, &[]),
        };
        if let Some(fault) = &fault {
            info!(operation = operation.as_str(), fault = fault.fault.as_str(), "a fault strikes");
            tokio::time::sleep(fault.delay()).await;
        }
        let kind = fault.map(|fault| fault.fault);
        if kind == Some(FaultKind::LoseRequest) {
            let reason = ("lose_request", "the connection was closed before the request was executed");
            self.world().history.refused(Now::read().stamp, operation.as_str(), reason, &[]);
            return Answer::HangUp;
        }
        if let Some(refusal) = kind.and_then(FaultKind::refusal) {
            return self.refuse(operation, &refusal, &[]);
        }
        let answer = self.execute(request);
        if kind == Some(FaultKind::LoseReply) { Answer::HangUp } else { answer }
    }

    /// Edits one set behind the API's back, and gives back the change's id.
    pub fn edit(&self, key: SetKey, set: Option<RecordSet>) -> String {
        let now = Now::read();
        let mut world = self.world();
        let (info, effects) = world.zone.edit(key, set, now);
        world.history.applied(now.stamp, &info.id, Source::Foreign, &effects);
        info!(change = info.id, "a foreign edit was applied");
        self.save(&world.zone);
        info.id
    }

    /// Answers one DNS message; `None` for what is no question.
    pub fn resolve(&self, message: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let world = &mut *self.world();
        answer(message, transport, &mut world.zone, &mut world.turns)
    }

    fn admit(&self, request: &Request) -> Result<Option<Fault>, Refusal> {
        authorization::check(request.authorization.as_deref())?;
        let mut world = self.world();
        if world.bucket.as_mut().is_some_and(|bucket| !bucket.take(Now::read().instant)) {
            return Err(Refusal::Throttling);
        }
        Ok(world.faults.take(request.operation()))
    }

    fn execute(&self, request: Request) -> Answer {
        let operation = request.operation();
        let (result, changes) = match request.query {
            Query::Change { zone_id, batch } => match batch {
                Ok(batch) => (self.change(&zone_id, &batch.changes, batch.comment), batch.changes),
                Err(refusal) => (Err(refusal), Vec::new()),
            },
            Query::List { zone_id, list } => (self.list(&zone_id, list), Vec::new()),
            Query::GetChange { id } => (self.get_change(&id), Vec::new()),
            Query::GetHostedZone { zone_id } => (self.get_zone(&zone_id), Vec::new()),
        };
        match result {
            Ok(body) => Answer::ok(body),
            Err(refusal) => self.refuse(operation, &refusal, &changes),
        }
    }

    fn change(&self, zone_id: &str, changes: &[Change], comment: Option<String>) -> Result<String, Refusal> {
        let now = Now::read();
        let mut world = self.world();
        world.check_zone(zone_id)?;
        world.policy.check(zone_id, changes)?;
        let (info, effects) = world.zone.submit(changes, comment, now)?;
        world.history.applied(now.stamp, &info.id, Source::Api, &effects);
        info!(change = info.id, changes = effects.len(), "a change was applied");
        self.save(&world.zone);
        Ok(reply::change(&info))
    }

    fn list(&self, zone_id: &str, list: Result<crate::api::ListQuery, Refusal>) -> Result<String, Refusal> {
        let world = self.world();
        world.check_zone(zone_id)?;
        let list = list?;
        Ok(reply::page(&world.zone.page(list.start.as_ref(), list.sets_max), list.sets_max))
    }

    fn get_change(&self, id: &str) -> Result<String, Refusal> {
        let info = self.world().zone.change(id, Now::read());
        info.map(|info| reply::get_change(&info)).ok_or_else(|| Refusal::NoSuchChange(id.to_owned()))
    }

    fn get_zone(&self, zone_id: &str) -> Result<String, Refusal> {
        let world = self.world();
        world.check_zone(zone_id)?;
        Ok(reply::zone(world.zone.identity(), world.zone.records().len()))
    }

    fn refuse(&self, operation: Operation, refusal: &Refusal, changes: &[Change]) -> Answer {
        let reason = (refusal.code(), refusal.to_string());
        info!(operation = operation.as_str(), code = reason.0, message = reason.1, "a request was refused");
        self.world().history.refused(Now::read().stamp, operation.as_str(), (reason.0, &reason.1), changes);
        Answer::refused(refusal)
    }

    /// Writes the state file while the zone is locked, so that files appear in the order of the changes.
    fn save(&self, zone: &Zone) {
        if let Some(Err(error)) = self.state.as_ref().map(|state| state.save(zone)) {
            warn!(%error, "the state file could not be written");
        }
    }
}

impl World {
    fn check_zone(&self, id: &str) -> Result<(), Refusal> {
        if self.zone.identity().id == id { Ok(()) } else { Err(Refusal::NoSuchHostedZone(id.to_owned())) }
    }
}
