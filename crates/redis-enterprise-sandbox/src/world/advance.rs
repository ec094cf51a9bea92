//! What happens by itself while time passes: inside one cluster.

use super::database::{Database, ShardState, Status};
use super::{Cluster, World};
use crate::clock::Ms;
use crate::plan::{Policy, Timing};

/// Between two looks at what is due.
const STEP_MS: Ms = 50;
/// Most looks for one way forward, however far it is.
const STEPS_MAX: Ms = 100_000;

impl World {
    /// Lets everything happen that is due up to a moment.
    pub fn advance(&mut self, to: Ms) {
        let step = STEP_MS.max(to.saturating_sub(self.now) / STEPS_MAX);
        while self.now < to {
            self.now = self.now.saturating_add(step).min(to);
            self.settle();
        }
    }

    /// Lets everything happen that is due, or follows from a change.
    pub fn settle(&mut self) {
        let (now, timing) = (self.now, self.timing);
        for cluster in &mut self.clusters {
            cluster.settle(now, &timing);
        }
        self.flow();
    }
}

impl Cluster {
    fn settle(&mut self, now: Ms, timing: &Timing) {
        let is_over = |since: Option<Ms>, ms: Ms| since.is_some_and(|since| now.saturating_sub(since) >= ms);
        for node in &mut self.nodes {
            node.down_since = if node.is_up { None } else { node.down_since.or(Some(now)) };
            if node.is_up && is_over(node.proxy_down_since, timing.proxy_restart_ms) {
                node.proxy_down_since = None;
            }
        }
        let has_majority = self.has_majority();
        self.minority_since = if has_majority { None } else { self.minority_since.or(Some(now)) };
        self.lead(now, timing, has_majority);
        let up: Vec<u32> = self.nodes.iter().filter(|node| node.is_up).map(|node| node.uid).collect();
        let emptied = |node: u32| {
            let node = self.nodes.iter().find(|n| n.uid == node);
            node.is_some_and(|node| is_over(node.maintenance_since, timing.maintenance_ms))
        };
        let proxies: Vec<u32> = self.nodes.iter().filter(|n| n.proxies()).map(|n| n.uid).collect();
        let mut changes = 0;
        for database in &mut self.databases {
            changes += u64::from(database.end_change(now));
            database.notice(now, &up, &proxies);
            if !has_majority {
                continue;
            }
            changes += u64::from(database.promote(now, timing, &up, &emptied));
            changes += u64::from(database.rebind(now, timing, &up, &emptied));
        }
        self.state_id += changes;
    }

    /// Who leads: whoever led, while it can; after a while the first node that can.
    fn lead(&mut self, now: Ms, timing: &Timing, has_majority: bool) {
        let can_lead = |uid: u32| self.nodes.iter().any(|node| node.uid == uid && node.is_up && node.manages);
        if has_majority && self.master.is_some_and(can_lead) {
            self.leaderless_since = None;
            return;
        }
        let since = *self.leaderless_since.get_or_insert(now);
        self.master = None;
        if has_majority && now.saturating_sub(since) >= timing.election_ms {
            self.master = self.nodes.iter().map(|node| node.uid).find(|uid| can_lead(*uid));
        }
    }
}

impl Database {
    fn end_change(&mut self, now: Ms) -> bool {
        let is_over = self.change.as_ref().is_some_and(|change| now >= change.until);
        if is_over {
            self.change = None;
            if self.status == Status::ActiveChangePending {
                self.status = Status::Active;
            }
        }
        is_over
    }

    fn notice(&mut self, now: Ms, up: &[u32], proxies: &[u32]) {
        for shard in &mut self.shards {
            let serves = shard.state == ShardState::Ok && up.contains(&shard.node);
            shard.lost_since = if serves { None } else { shard.lost_since.or(Some(now)) };
        }
        let is_bound = proxies.contains(&self.endpoint_node);
        self.endpoint_lost_since = if is_bound { None } else { self.endpoint_lost_since.or(Some(now)) };
    }

    /// A replica takes the place of a primary shard that is lost, or has to leave its node.
    fn promote(&mut self, now: Ms, timing: &Timing, up: &[u32], emptied: &impl Fn(u32) -> bool) -> bool {
        let is_due = |shard: &super::Shard| {
            let is_lost =
                shard.lost_since.is_some_and(|at| now.saturating_sub(at) >= timing.shard_failover_ms);
            shard.is_primary && (is_lost || emptied(shard.node))
        };
        let Some(lost) = self.shards.iter().position(is_due) else { return false };
        let slots = self.shards[lost].slots;
        let can_follow = |shard: &super::Shard| {
            !shard.is_primary
                && shard.slots == slots
                && shard.state == ShardState::Ok
                && up.contains(&shard.node)
                && !emptied(shard.node)
        };
        let Some(next) = self.shards.iter().position(can_follow) else { return false };
        self.shards[lost].is_primary = false;
        self.shards[next].is_primary = true;
        true
    }

    /// Another node serves the database when its own is lost, or has to be emptied.
    fn rebind(&mut self, now: Ms, timing: &Timing, up: &[u32], emptied: &impl Fn(u32) -> bool) -> bool {
        let is_gone = !up.contains(&self.endpoint_node)
            && self.endpoint_lost_since.is_some_and(|at| now.saturating_sub(at) >= timing.endpoint_rebind_ms);
        if self.policy != Policy::Single || !(is_gone || emptied(self.endpoint_node)) {
            return false;
        }
        let can_serve = |node: &u32| up.contains(node) && !emptied(*node);
        let beside = self.primaries().map(|shard| shard.node).find(can_serve);
        match beside.or_else(|| up.iter().copied().find(can_serve)) {
            Some(node) if node != self.endpoint_node => {
                self.endpoint_node = node;
                self.endpoint_lost_since = None;
                true
            }
            Some(_) | None => false,
        }
    }
}
