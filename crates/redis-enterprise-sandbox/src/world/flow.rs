//! What flows between databases: writes on their way, and full copies.

use super::sync::Write;
use super::{Place, SyncState, World};
use crate::clock::Ms;

/// Most writes of a link that are on their way; the oldest are lost first, and a test needs a handful.
const PENDING_MAX: usize = 10_000;

impl World {
    /// Writes to a database, and sends the write to those that copy it. Whether it was written.
    pub fn write(&mut self, place: Place, key: Vec<u8>, value: Option<(Vec<u8>, Option<Ms>)>) -> bool {
        let write = Write { at: self.now, key: key.clone(), value: value.clone() };
        let Some(database) = self.database_mut(place) else { return false };
        let is_written = database.keys.set(key, value);
        let copies = self.clusters.iter_mut().flat_map(|cluster| &mut cluster.databases);
        let sources = copies.flat_map(|database| &mut database.sync.sources);
        for source in sources.filter(|source| source.from == Some(place)) {
            if source.pending.len() == PENDING_MAX {
                source.pending.pop_front();
            }
            source.pending.push_back(write.clone());
        }
        is_written
    }

    /// Lets everything flow that can.
    pub fn flow(&mut self) {
        for place in self.places() {
            let count = self.database(place).map_or(0, |database| database.sync.sources.len());
            for index in 0..count {
                self.flow_from(place, index);
            }
        }
    }

    fn flow_from(&mut self, place: Place, index: usize) {
        let (now, timing) = (self.now, self.timing);
        let is_reached = self.reaches(place, index);
        let Some(database) = self.database_mut(place) else { return };
        let state = database.sync.state;
        let Some(source) = database.sync.sources.get_mut(index) else { return };
        if !is_reached {
            source.lost_since.get_or_insert(now);
            return;
        }
        if source.lost_since.take().is_some() {
            source.caught_up_at = source.caught_up_at.max(now.saturating_add(timing.catch_up_ms));
        }
        if state != SyncState::Enabled {
            return;
        }
        if let Some(until) = source.full_copy_until {
            let Some(from) = source.from.filter(|_| now >= until) else { return };
            source.full_copy_until = None;
            source.pending.clear();
            source.applied_until = now;
            let keys = self.database(from).map(|database| database.keys.clone());
            if let (Some(keys), Some(database)) = (keys, self.database_mut(place)) {
                database.keys = keys;
            }
            return;
        }
        if now < source.caught_up_at {
            return;
        }
        let behind = source.behind_ms.max(timing.link_delay_ms);
        let mut arrived = Vec::new();
        while source.pending.front().is_some_and(|write| write.at.saturating_add(behind) <= now) {
            arrived.extend(source.pending.pop_front());
        }
        let oldest = source.pending.front().map_or(now, |write| write.at);
        source.applied_until = oldest.min(now.saturating_sub(source.behind_ms));
        for write in arrived {
            database.keys.set(write.key, write.value);
        }
    }

    /// Whether a database reaches one of its sources.
    fn reaches(&self, place: Place, index: usize) -> bool {
        let source = self.database(place).and_then(|database| database.sync.sources.get(index));
        source.is_some_and(|source| {
            let is_isolated = |at: Place| self.clusters.get(at.cluster).is_none_or(|c| c.is_isolated);
            let is_open = |from: Place| {
                !(from.cluster != place.cluster && (is_isolated(from) || is_isolated(place)))
                    && self.is_endpoint_good(from)
            };
            !source.is_cut && source.from.is_some_and(is_open)
        })
    }
}
