//! What users with the right may change.

use super::database::{Change, Status};
use super::{Place, Source, SyncState, World};

/// Why a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The majority of the nodes is lost.
    NoQuorum,
    /// Another change is under way.
    Busy,
    /// The licence has ended.
    License,
    /// There is no such thing.
    Unknown,
    /// It is no such database.
    NotApplicable,
}

impl World {
    /// Begins a change of a database; the id of the action.
    pub fn begin_change(&mut self, place: Place) -> Result<String, Refusal> {
        let (now, until) = (self.now, self.now.saturating_add(self.timing.change_ms));
        let unix_ms = self.unix_ms(now);
        let cluster = self.clusters.get_mut(place.cluster).ok_or(Refusal::Unknown)?;
        if !cluster.has_majority() {
            return Err(Refusal::NoQuorum);
        }
        let is_licensed = unix_ms < cluster.license_until_unix_ms;
        cluster.state_id += 1;
        let action_uid = format!("5a0d0000-0000-4000-8000-{:012x}", cluster.state_id);
        let database = self.database_mut(place).ok_or(Refusal::Unknown)?;
        if !is_licensed {
            return Err(Refusal::License);
        }
        if database.change.is_some() || database.status != Status::Active {
            return Err(Refusal::Busy);
        }
        database.status = Status::ActiveChangePending;
        database.change = Some(Change { action_uid: action_uid.clone(), until });
        Ok(action_uid)
    }

    /// Switches the copying of a database on or off. A copy that is switched on again begins anew, and loses what was
    /// written to it meanwhile; a member only catches up.
    pub fn set_sync(&mut self, place: Place, state: SyncState) -> Result<(), Refusal> {
        let (now, timing) = (self.now, self.timing);
        let database = self.database_mut(place).ok_or(Refusal::Unknown)?;
        let was = std::mem::replace(&mut database.sync.state, state);
        if was == state {
            return Ok(());
        }
        database.sync.since = now;
        let begins_anew = database.crdt.is_none() && was != SyncState::Paused;
        if state == SyncState::Enabled && begins_anew && !database.sync.sources.is_empty() {
            database.keys.clear();
        }
        for source in &mut database.sync.sources {
            match state {
                SyncState::Enabled if begins_anew => {
                    source.full_copy_until = Some(now.saturating_add(timing.full_sync_ms));
                    source.pending.clear();
                }
                SyncState::Enabled => source.caught_up_at = now.saturating_add(timing.catch_up_ms),
                SyncState::Disabled => {
                    source.full_copy_until = None;
                    source.pending.clear();
                }
                SyncState::Paused | SyncState::Stopped => {}
            }
        }
        Ok(())
    }

    /// Names other sources for a copy; those of this world are found by their address.
    pub fn set_sources(&mut self, place: Place, uris: &[String]) -> Result<(), Refusal> {
        let is_member = self.database(place).ok_or(Refusal::Unknown)?.crdt.is_some();
        if is_member {
            return Err(Refusal::NotApplicable);
        }
        let sources = (1..).zip(uris).map(|(uid, uri)| {
            let from = self.places().into_iter().find(|other| same_end(uri, &self.uri(*other, "")));
            Source::new(uid, uri.clone(), from.filter(|from| *from != place))
        });
        let sources: Vec<_> = sources.collect();
        let until = self.now.saturating_add(self.timing.full_sync_ms);
        let database = self.database_mut(place).ok_or(Refusal::Unknown)?;
        database.sync.sources = sources;
        if database.sync.state == SyncState::Enabled && !database.sync.sources.is_empty() {
            database.keys.clear();
            database.sync.sources.iter_mut().for_each(|source| source.full_copy_until = Some(until));
        }
        Ok(())
    }

    /// Makes a replica the primary shard in the place of the one that is.
    pub fn fail_over_shard(&mut self, cluster: usize, uid: u32) -> Result<(), Refusal> {
        let cluster = self.clusters.get_mut(cluster).ok_or(Refusal::Unknown)?;
        let has_shard = |d: &&mut super::Database| d.shards.iter().any(|shard| shard.uid == uid);
        let database = cluster.databases.iter_mut().find(has_shard).ok_or(Refusal::Unknown)?;
        let slots = database.shards.iter().find(|shard| shard.uid == uid).map(|shard| shard.slots);
        let has_replica = database.shards.iter().any(|s| Some(s.slots) == slots && !s.is_primary);
        if !has_replica {
            return Err(Refusal::NotApplicable);
        }
        for shard in database.shards.iter_mut().filter(|shard| Some(shard.slots) == slots) {
            shard.is_primary = !shard.is_primary;
        }
        cluster.state_id += 1;
        Ok(())
    }
}

/// Whether two addresses name the same end, whatever their logins.
fn same_end(left: &str, right: &str) -> bool {
    let end = |uri: &str| {
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        rest.rsplit_once('@').map_or(rest, |(_, end)| end).to_owned()
    };
    end(left) == end(right)
}
