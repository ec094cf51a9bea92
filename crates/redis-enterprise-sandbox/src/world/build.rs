//! From a plan to the state at the start, where everything is well.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::cluster::DnsFault;
use super::database::{Counts, Membership, WireFault};
use super::{
    Account, Cluster, Database, Keys, Node, Place, Requests, RestFault, Shard, ShardState, Source, Status,
    Sync, SyncState, World,
};
use crate::clock::Ms;
use crate::plan::{ClusterPlan, DatabasePlan, Plan, Profile};

/// How long a licence lasts at the start.
const LICENSE_MS: Ms = 300 * 86_400_000;
const SLOTS: u32 = 16_384;

/// The ports that were found free.
#[derive(Debug, Default)]
pub struct Ports {
    /// Of the REST API of each cluster.
    pub rest: Vec<u16>,
    /// Of the metrics of each cluster.
    pub metrics: Vec<u16>,
    /// Of each database, by its cluster and its number.
    pub databases: BTreeMap<(usize, u32), u16>,
}

impl World {
    /// The state at the start.
    pub fn new(plan: &Plan, ports: &Ports, started_unix_ms: u64) -> Self {
        let clusters = plan.clusters.iter().enumerate().map(|(i, c)| cluster(i, c, ports, started_unix_ms));
        let mut world = Self {
            now: 0,
            started_unix_ms,
            timing: plan.timing,
            variants: plan.variants,
            clusters: clusters.collect(),
            requests: Requests::default(),
        };
        world.link(plan);
        world
    }

    /// The address of a node, for everybody.
    pub fn address(cluster: usize, node: u32) -> Ipv4Addr {
        let octet = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        Ipv4Addr::new(
            127,
            30,
            octet(u32::try_from(cluster).unwrap_or(u32::MAX)).saturating_add(1),
            octet(node),
        )
    }

    fn link(&mut self, plan: &Plan) {
        for place in self.places() {
            let planned = plan.clusters[place.cluster].databases.iter().find(|d| d.uid == place.uid);
            let sources = match planned {
                Some(planned) if planned.crdt.is_some() => self.fellows(place),
                Some(planned) => self.origins(planned),
                None => Vec::new(),
            };
            if let Some(database) = self.database_mut(place) {
                database.sync.state =
                    if sources.is_empty() { SyncState::Disabled } else { SyncState::Enabled };
                database.sync.sources = sources;
            }
        }
    }

    /// The other members of an Active-Active database.
    fn fellows(&self, place: Place) -> Vec<Source> {
        let guid = |place| Some(self.database(place)?.crdt.as_ref()?.guid.clone());
        let others = self.places().into_iter().filter(|other| *other != place && guid(*other) == guid(place));
        let source = |other: Place| {
            let crdt = self.database(other)?.crdt.as_ref()?;
            Some(Source::new(crdt.replica_id, self.uri(other, ""), Some(other)))
        };
        others.filter_map(source).collect()
    }

    /// The databases that another one copies.
    fn origins(&self, planned: &DatabasePlan) -> Vec<Source> {
        let places = planned.replica_of.iter().filter_map(|source| {
            Some(Place { cluster: self.cluster_named(&source.cluster)?, uid: source.database })
        });
        let login = "admin:SANDBOX-SOURCE-SECRET@";
        (1..).zip(places).map(|(uid, place)| Source::new(uid, self.uri(place, login), Some(place))).collect()
    }

    /// The address of a database as a source.
    pub fn uri(&self, place: Place, login: &str) -> String {
        let port = self.database(place).map_or(0, |database| database.port);
        let name = self.clusters.get(place.cluster).map(|cluster| cluster.endpoint_name(port));
        format!("redis://{login}{}:{port}", name.unwrap_or_default())
    }
}

fn cluster(index: usize, plan: &ClusterPlan, ports: &Ports, started_unix_ms: u64) -> Cluster {
    let node = |uid: u32| {
        let address = World::address(index, uid);
        let [_, _, cluster, node] = address.octets();
        Node {
            uid,
            address,
            internal: Ipv4Addr::new(10, 30, cluster, node),
            is_up: true,
            down_since: None,
            proxy_down_since: None,
            manages: true,
            maintenance_since: None,
            version: None,
        }
    };
    let mut shard_uid = 0;
    let databases = plan.databases.iter().map(|database| {
        let port = ports.databases.get(&(index, database.uid)).copied().unwrap_or(database.port);
        self::database(database, port, plan.nodes, &mut shard_uid)
    });
    Cluster {
        name: plan.name.clone(),
        fqdn: plan.fqdn.clone().unwrap_or_else(|| format!("rc-{}.sandbox.test", plan.name)),
        profile: Profile::named(&plan.profile).unwrap_or_else(|| unreachable!("the plan was checked")),
        settings: plan.settings.clone(),
        nodes: (1..=plan.nodes).map(node).collect(),
        master: Some(plan.master.unwrap_or(plan.nodes.min(2))),
        leaderless_since: None,
        minority_since: None,
        databases: databases.collect(),
        accounts: plan.users.iter().map(Account::new).collect(),
        state_id: 1,
        license_until_unix_ms: started_unix_ms.saturating_add(LICENSE_MS),
        rest: RestFault::None,
        is_isolated: false,
        dns: DnsFault::None,
        certificate: 0,
        is_plain: plan.plain,
        rest_port: ports.rest.get(index).copied().unwrap_or(plan.rest_port),
        metrics_port: ports.metrics.get(index).copied().unwrap_or(plan.metrics_port),
    }
}

fn database(plan: &DatabasePlan, port: u16, nodes: u32, shard_uid: &mut u32) -> Database {
    let mut shards = Vec::new();
    for i in 0..plan.primaries {
        let edge = |i: u32| u16::try_from(i * SLOTS / plan.primaries).unwrap_or(u16::MAX);
        let slots = (edge(i), edge(i + 1) - 1);
        for copy in 0..=u32::from(plan.replication) {
            *shard_uid += 1;
            // Each database begins at another node, and a replica is never beside its primary.
            let node = (plan.uid + i + copy) % nodes + 1;
            let (uid, is_primary, state) = (*shard_uid, copy == 0, ShardState::Ok);
            shards.push(Shard { uid, node, is_primary, slots, state, lost_since: None });
        }
    }
    Database {
        uid: plan.uid,
        name: plan.name.clone(),
        port,
        has_system_port: plan.system_port,
        status: Status::Active,
        change: None,
        policy: plan.policy,
        endpoint_node: shards.first().map_or(1, |shard| shard.node),
        endpoint_lost_since: None,
        shards,
        is_replicated: plan.replication,
        tls: plan.tls,
        password: plan.password.clone(),
        memory_size: plan.memory_size,
        crdt: plan.crdt.clone().map(|guid| Membership { guid, replica_id: plan.replica_id }),
        sync: Sync { state: SyncState::Disabled, since: 0, sources: Vec::new() },
        is_read_only: plan.read_only,
        is_stopped: false,
        awaits_recovery: false,
        is_idle: plan.idle,
        wire: WireFault::None,
        keys: Keys::default(),
        counts: Counts::default(),
    }
}
