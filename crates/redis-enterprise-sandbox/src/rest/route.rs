//! What a path asks for, who may ask, and who answers.

use crate::plan::{Profile, Role};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A token for a login.
    Authorize,
    /// A new token for an old one.
    RefreshToken,
    /// All databases.
    Bdbs,
    /// A database.
    Bdb(u32),
    /// A change of a database.
    ChangeBdb(u32),
    /// Whether a database is available.
    Availability(u32),
    /// Whether its endpoint at this node is.
    EndpointAvailability(u32),
    /// Stop or resume the traffic of a database.
    Traffic(u32, Traffic),
    /// Recover a database.
    Recover(u32),
    /// The shards of a database, or all.
    Shards(Option<u32>),
    /// A shard.
    Shard(u32),
    /// Let a replica take the place of a primary shard.
    ShardFailover(u32),
    /// All nodes.
    Nodes,
    /// A node.
    Node(u32),
    /// The state of all nodes, or of one.
    NodesStatus(Option<u32>),
    /// The cluster.
    Cluster,
    /// Its policy.
    Policy,
    /// A check of its processes.
    ClusterCheck,
    /// Its licence.
    License,
    /// Whether this node reaches the master.
    MasterHealth,
    /// The latest statistics of things of a kind, or of one.
    LastStats(Kind, Option<u32>),
    /// The statistics of things of a kind, or of one.
    Stats(Kind, Option<u32>),
    /// Alerts of databases, or of one.
    BdbAlerts(Option<u32>),
    /// Alerts of nodes, or of one.
    NodeAlerts(Option<u32>),
    /// Alerts of the cluster.
    ClusterAlerts,
    /// The links of a member.
    PeerStats(u32),
    /// The links of a copy.
    SourceStats(u32),
    /// Active-Active databases.
    Crdbs,
    /// The health of one.
    CrdbHealth(String),
    /// Changes under way.
    Actions,
    /// Events.
    Logs,
    /// The health of everything.
    ClusterHealth,
    /// The health of a database.
    BdbHealth(u32),
}

/// What is done with the traffic of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// It ends.
    Stop,
    /// It goes on.
    Resume,
}

/// What has statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Databases.
    Bdb,
    /// Nodes.
    Node,
    /// Shards.
    Shard,
    /// The cluster.
    Cluster,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The node that leads.
    Master,
    /// Every node, in the releases that do.
    AnyNode,
    /// The node that is asked, of itself.
    Local,
}

impl Route {
    /// What a method and a path ask for; nothing that this release does not have.
    pub fn parse(method: &str, path: &str, profile: &Profile) -> Option<Self> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let route = match method {
            "GET" => get(&parts),
            "POST" | "PUT" => change(method, &parts),
            _ => None,
        }?;
        let asks_availability = matches!(route, Self::Availability(_) | Self::EndpointAvailability(_));
        let is_there = (profile.availability || !asks_availability)
            && (profile.v4 || !matches!(route, Self::ClusterHealth | Self::BdbHealth(_)))
            && (profile.stop_traffic || !matches!(route, Self::Traffic(..)));
        is_there.then_some(route)
    }

    /// The least role that may ask.
    pub fn role(&self) -> Role {
        let changes = matches!(
            self,
            Self::ChangeBdb(_) | Self::Traffic(..) | Self::Recover(_) | Self::ShardFailover(_)
        );
        match (changes, matches!(self, Self::Logs)) {
            (true, _) => Role::DbMember,
            (false, true) => Role::ClusterViewer,
            (false, false) => Role::DbViewer,
        }
    }

    /// Who answers.
    pub fn scope(&self) -> Scope {
        let is_local = matches!(self, Self::EndpointAvailability(_) | Self::MasterHealth);
        match (is_local, matches!(self, Self::Availability(_))) {
            (true, _) => Scope::Local,
            (false, true) => Scope::AnyNode,
            (false, false) => Scope::Master,
        }
    }
}

fn get(parts: &[&str]) -> Option<Route> {
    let route = match parts {
        ["v1", "bdbs"] => Route::Bdbs,
        ["v1", "bdbs", "alerts"] => Route::BdbAlerts(None),
        ["v1", "bdbs", "alerts", uid] => Route::BdbAlerts(Some(number(uid)?)),
        ["v1", "bdbs", "stats", rest @ ..] => stats(Kind::Bdb, rest)?,
        ["v1", "bdbs", uid] => Route::Bdb(number(uid)?),
        ["v1", "bdbs", uid, "availability"] => Route::Availability(number(uid)?),
        ["v1", "bdbs", uid, "shards"] => Route::Shards(Some(number(uid)?)),
        ["v1", "bdbs", uid, "peer_stats"] => Route::PeerStats(number(uid)?),
        ["v1", "bdbs", uid, "sync_source_stats"] => Route::SourceStats(number(uid)?),
        ["v1", "local", "bdbs", uid, "endpoint", "availability"] => Route::EndpointAvailability(number(uid)?),
        ["v1", "local", "node", "master_healthcheck"] => Route::MasterHealth,
        ["v1", "shards"] => Route::Shards(None),
        ["v1", "shards", "stats", rest @ ..] => stats(Kind::Shard, rest)?,
        ["v1", "shards", uid] => Route::Shard(number(uid)?),
        ["v1", "nodes"] => Route::Nodes,
        ["v1", "nodes", "status"] => Route::NodesStatus(None),
        ["v1", "nodes", "alerts"] => Route::NodeAlerts(None),
        ["v1", "nodes", "alerts", uid] => Route::NodeAlerts(Some(number(uid)?)),
        ["v1", "nodes", "stats", rest @ ..] => stats(Kind::Node, rest)?,
        ["v1", "nodes", uid] => Route::Node(number(uid)?),
        ["v1", "nodes", uid, "status"] => Route::NodesStatus(Some(number(uid)?)),
        ["v1", "cluster"] => Route::Cluster,
        ["v1", "cluster", "policy"] => Route::Policy,
        ["v1", "cluster", "check"] => Route::ClusterCheck,
        ["v1", "cluster", "alerts"] => Route::ClusterAlerts,
        ["v1", "cluster", "stats", rest @ ..] => stats(Kind::Cluster, rest)?,
        ["v1", "license"] => Route::License,
        ["v1", "crdbs"] => Route::Crdbs,
        ["v1", "crdbs", guid, "health_report"] => Route::CrdbHealth((*guid).to_owned()),
        ["v1", "actions"] => Route::Actions,
        ["v1", "logs"] => Route::Logs,
        ["v4", "cluster", "health"] => Route::ClusterHealth,
        ["v4", "db", uid, "health"] => Route::BdbHealth(number(uid)?),
        _ => return None,
    };
    Some(route)
}

fn change(method: &str, parts: &[&str]) -> Option<Route> {
    let route = match (method, parts) {
        ("POST", ["v1", "users", "authorize"]) => Route::Authorize,
        ("POST", ["v1", "users", "refresh_jwt"]) => Route::RefreshToken,
        ("PUT", ["v1", "bdbs", uid]) => Route::ChangeBdb(number(uid)?),
        ("POST", ["v1", "bdbs", uid, "actions", "stop_traffic"]) => {
            Route::Traffic(number(uid)?, Traffic::Stop)
        }
        ("POST", ["v1", "bdbs", uid, "actions", "resume_traffic"]) => {
            Route::Traffic(number(uid)?, Traffic::Resume)
        }
        ("POST", ["v1", "bdbs", uid, "actions", "recover"]) => Route::Recover(number(uid)?),
        ("POST", ["v1", "shards", uid, "actions", "failover"]) => Route::ShardFailover(number(uid)?),
        _ => return None,
    };
    Some(route)
}

fn stats(kind: Kind, rest: &[&str]) -> Option<Route> {
    match rest {
        [] => Some(Route::Stats(kind, None)),
        ["last"] => Some(Route::LastStats(kind, None)),
        ["last", uid] => Some(Route::LastStats(kind, Some(number(uid)?))),
        [uid] => Some(Route::Stats(kind, Some(number(uid)?))),
        _ => None,
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}
