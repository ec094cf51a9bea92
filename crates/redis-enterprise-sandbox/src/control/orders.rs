//! Carrying changes out.

use super::change::{
    Change, ChangeError, ClusterChange, DatabaseChange, LinkChange, NodeChange, Order, UserChange,
};
use crate::world::{Place, Refusal, ShardState, Source, Status, SyncState, World};

const DAY_MS: u64 = 86_400_000;

/// Carries out an order; what follows from it at once, happens at once.
pub fn carry_out(world: &mut World, order: &Order) -> Result<(), ChangeError> {
    let missing = || ChangeError::Missing(order.target.clone());
    match Change::read(order)? {
        Change::Cluster(name, change) => of_cluster(world, &name, change),
        Change::Node(name, uid, change) => of_node(world, &name, uid, change),
        Change::Database(name, uid, change) => of_database(world, &name, uid, change),
        Change::Shard(name, uid, state) => of_shard(world, &name, uid, state),
        Change::User(name, user, change) => of_user(world, &name, &user, change),
        Change::Link(from, to, change) => of_link(world, &from, &to, change),
    }
    .ok_or_else(missing)?;
    world.settle();
    Ok(())
}

fn of_cluster(world: &mut World, name: &str, change: ClusterChange) -> Option<()> {
    let (now, index) = (world.unix_ms(world.now), world.cluster_named(name)?);
    let cluster = &mut world.clusters[index];
    match change {
        ClusterChange::Isolate => cluster.is_isolated = true,
        ClusterChange::Rejoin => cluster.is_isolated = false,
        ClusterChange::Rest(fault) => cluster.rest = fault,
        ClusterChange::Dns(fault) => cluster.dns = fault,
        ClusterChange::RotateCertificate => cluster.certificate += 1,
        ClusterChange::LicenseDays(days) => {
            let length = days.unsigned_abs().saturating_mul(DAY_MS);
            cluster.license_until_unix_ms =
                if days < 0 { now.saturating_sub(length) } else { now.saturating_add(length) };
        }
        ClusterChange::Settings(settings) => cluster.settings = settings,
        ClusterChange::ForgetTokens => {
            cluster.accounts.iter_mut().for_each(crate::world::Account::forget_tokens);
        }
    }
    Some(())
}

fn of_node(world: &mut World, name: &str, uid: u32, change: NodeChange) -> Option<()> {
    let (now, index) = (world.now, world.cluster_named(name)?);
    let cluster = &mut world.clusters[index];
    let node = cluster.nodes.iter_mut().find(|node| node.uid == uid)?;
    match change {
        NodeChange::Down => node.is_up = false,
        NodeChange::Up => (node.is_up, node.proxy_down_since) = (true, None),
        NodeChange::ProxyDown => node.proxy_down_since = Some(now),
        NodeChange::ManagementDown => node.manages = false,
        NodeChange::ManagementUp => node.manages = true,
        NodeChange::MaintenanceOn => node.maintenance_since = Some(now),
        NodeChange::MaintenanceOff => node.maintenance_since = None,
        NodeChange::Version(version) => node.version = Some(version),
    }
    cluster.state_id += 1;
    Some(())
}

fn of_database(world: &mut World, name: &str, uid: u32, change: DatabaseChange) -> Option<()> {
    let (now, place) = (world.now, Place { cluster: world.cluster_named(name)?, uid });
    let database = world.database_mut(place)?;
    match change {
        DatabaseChange::Status(status) => (database.status, database.change) = (status, None),
        DatabaseChange::StopTraffic => database.is_stopped = true,
        DatabaseChange::ResumeTraffic => database.is_stopped = false,
        DatabaseChange::AwaitRecovery => {
            (database.status, database.awaits_recovery) = (Status::Recovery, true);
        }
        DatabaseChange::Recover => (database.status, database.awaits_recovery) = (Status::Active, false),
        DatabaseChange::Wire(fault) => database.wire = fault,
        DatabaseChange::Sync(SyncState::Stopped) => {
            (database.sync.state, database.sync.since) = (SyncState::Stopped, now);
        }
        DatabaseChange::Sync(state) => return sync(world, place, state),
        DatabaseChange::FullCopyMs(ms) => {
            database.keys.clear();
            let until = now.saturating_add(ms);
            database.sync.sources.iter_mut().for_each(|source| source.full_copy_until = Some(until));
        }
        DatabaseChange::LoseShards => {
            database.shards.iter_mut().for_each(|shard| shard.state = ShardState::Down);
        }
    }
    Some(())
}

fn sync(world: &mut World, place: Place, state: SyncState) -> Option<()> {
    match world.set_sync(place, state) {
        Ok(()) => Some(()),
        Err(
            Refusal::NoQuorum | Refusal::Busy | Refusal::License | Refusal::Unknown | Refusal::NotApplicable,
        ) => None,
    }
}

fn of_shard(world: &mut World, name: &str, uid: u32, state: ShardState) -> Option<()> {
    let index = world.cluster_named(name)?;
    let mut shards = world.clusters[index].databases.iter_mut().flat_map(|database| &mut database.shards);
    shards.find(|shard| shard.uid == uid)?.state = state;
    Some(())
}

fn of_user(world: &mut World, name: &str, user: &str, change: UserChange) -> Option<()> {
    let index = world.cluster_named(name)?;
    let account = world.clusters[index].accounts.iter_mut().find(|account| account.name == user)?;
    match change {
        UserChange::Status(crate::world::AccountStatus::Active) => account.unlock(),
        UserChange::Status(status) => (account.status, account.locked_until) = (status, None),
        UserChange::Password(password) => account.password = password,
    }
    Some(())
}

fn of_link(world: &mut World, from: &str, to: &str, change: LinkChange) -> Option<()> {
    let (from, to) = (world.cluster_named(from)?, world.cluster_named(to)?);
    let between = |at: usize, source: &Source, start: usize, end: usize| {
        at == end && source.from.is_some_and(|place| place.cluster == start)
    };
    for (at, cluster) in world.clusters.iter_mut().enumerate() {
        for source in cluster.databases.iter_mut().flat_map(|database| &mut database.sync.sources) {
            let (along, against) = (between(at, source, from, to), between(at, source, to, from));
            match change {
                LinkChange::Cut if along || against => source.is_cut = true,
                LinkChange::Heal if along || against => (source.is_cut, source.behind_ms) = (false, 0),
                LinkChange::BehindMs(ms) if along => source.behind_ms = ms,
                LinkChange::Cut | LinkChange::Heal | LinkChange::BehindMs(_) => {}
            }
        }
    }
    Some(())
}
