//! One request at a time: who may pass, what goes wrong, what is executed, what is written down.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

use crate::api::{Answer, Query, Request, reply};
use crate::clock::Now;
use crate::control::{Asked, Bucket, Fault, FaultKind, Faults, Policy};
use crate::dns::{Transport, Turns, answer};
use crate::identity::Keys;
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
    /// The hosted zones; the first is the public one, which DNS serves.
    pub zones: Vec<Zone>,
    /// What happened.
    pub history: History,
    /// What is to go wrong.
    pub faults: Faults,
    /// What is allowed.
    pub policy: Policy,
    /// Who may ask.
    pub keys: Keys,
    bucket: Option<Bucket>,
    turns: Turns,
}

impl Service {
    /// A service with an empty history.
    pub fn new(
        zones: Vec<Zone>,
        keys: Keys,
        throttle: Option<ThrottleOptions>,
        state: Option<StateFile>,
    ) -> Self {
        let bucket = throttle.map(|options| Bucket::new(options, Now::read().instant));
        let world = World {
            zones,
            history: History::default(),
            faults: Faults::default(),
            policy: Policy::default(),
            keys,
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

    /// Edits one set behind the API's back, and gives back the change's id; `None` for a zone that is not there.
    pub fn edit(&self, zone_id: Option<&str>, key: SetKey, set: Option<RecordSet>) -> Option<String> {
        let now = Now::read();
        let mut world = self.world();
        let position = match zone_id {
            Some(id) => world.position(id).ok()?,
            None => 0,
        };
        let (info, effects) = world.zones[position].edit(key, set, now);
        let id = world.zones[position].identity().id.clone();
        world.history.applied(now.stamp, (&info.id, &id), Source::Foreign, &effects);
        info!(change = info.id, "a foreign edit was applied");
        self.save(&world);
        Some(info.id)
    }

    /// Answers one DNS message; `None` for what is no question.
    pub fn resolve(&self, message: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let world = &mut *self.world();
        answer(message, transport, &mut world.zones[0], &mut world.turns)
    }

    fn admit(&self, request: &Request) -> Result<Option<Fault>, Refusal> {
        let caller = request.caller.clone()?;
        let mut world = self.world();
        world.keys.check(&caller)?;
        if world.bucket.as_mut().is_some_and(|bucket| !bucket.take(Now::read().instant)) {
            return Err(Refusal::Throttling);
        }
        Ok(world.faults.take(request.operation(), request.zone_id()))
    }

    fn execute(&self, request: Request) -> Answer {
        let operation = request.operation();
        if let Err(refusal) = self.allowed(&request) {
            return self.refuse(operation, &refusal, request.changes());
        }
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

    /// Asks the policy, once the request is known to be about something that is there.
    fn allowed(&self, request: &Request) -> Result<(), Refusal> {
        let world = self.world();
        if let Some(id) = request.zone_id() {
            world.position(id)?;
        }
        if let Query::Change { batch: Err(refusal), .. } = &request.query {
            return Err(refusal.clone());
        }
        let (operation, resource) = (request.operation(), request.resource());
        world.policy.check(&Asked { operation, resource: &resource, changes: request.changes() })
    }

    fn change(&self, zone_id: &str, changes: &[Change], comment: Option<String>) -> Result<String, Refusal> {
        let now = Now::read();
        let mut world = self.world();
        let position = world.position(zone_id)?;
        let (info, effects) = world.zones[position].submit(changes, comment, now)?;
        world.history.applied(now.stamp, (&info.id, zone_id), Source::Api, &effects);
        info!(change = info.id, changes = effects.len(), "a change was applied");
        self.save(&world);
        Ok(reply::change(&info))
    }

    fn list(&self, zone_id: &str, list: Result<crate::api::ListQuery, Refusal>) -> Result<String, Refusal> {
        let world = self.world();
        let zone = &world.zones[world.position(zone_id)?];
        let list = list?;
        Ok(reply::page(&zone.page(list.start.as_ref(), list.sets_max), list.sets_max))
    }

    fn get_change(&self, id: &str) -> Result<String, Refusal> {
        let now = Now::read();
        let info = self.world().zones.iter_mut().find_map(|zone| zone.change(id, now));
        info.map(|info| reply::get_change(&info)).ok_or_else(|| Refusal::NoSuchChange(id.to_owned()))
    }

    fn get_zone(&self, zone_id: &str) -> Result<String, Refusal> {
        let world = self.world();
        let zone = &world.zones[world.position(zone_id)?];
        Ok(reply::zone(zone.identity(), zone.records().len()))
    }

    fn refuse(&self, operation: Operation, refusal: &Refusal, changes: &[Change]) -> Answer {
        let reason = (refusal.code(), refusal.to_string());
        info!(operation = operation.as_str(), code = reason.0, message = reason.1, "a request was refused");
        self.world().history.refused(Now::read().stamp, operation.as_str(), (reason.0, &reason.1), changes);
        Answer::refused(refusal)
    }

    /// Writes the state file while the zone is locked, so that files appear in the order of the changes.
    fn save(&self, world: &World) {
        if let Some(Err(error)) = self.state.as_ref().map(|state| state.save(&world.zones[0])) {
            warn!(%error, "the state file could not be written");
        }
    }
}

impl World {
    /// Where the zone of an id is.
    pub fn position(&self, id: &str) -> Result<usize, Refusal> {
        let found = self.zones.iter().position(|zone| zone.identity().id == id);
        found.ok_or_else(|| Refusal::NoSuchHostedZone(id.to_owned()))
    }
}
