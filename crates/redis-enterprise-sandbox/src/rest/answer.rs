//! One request: who answers it, who may ask, and what it gets.

use serde_json::json;

use super::auth::{self, Caller};
use super::availability::availability;
use super::query::{split, value};
use super::reply::{Ask, Reply};
use super::route::{Route, Scope};
use super::{bodies, writes};
use crate::world::{Form, Place, Request, World};

/// The port that followers name, whatever the real one is: theirs is not reached from outside anyway.
const REST_PORT: u16 = 9443;

/// Answers, and remembers that it was asked.
pub fn answer(world: &mut World, ask: &Ask) -> Reply {
    let reply = judge(world, ask).unwrap_or_else(|refusal| refusal);
    let Some(cluster) = world.clusters.get(ask.cluster) else { return reply };
    let reply =
        reply.with_header("server", "envoy").with_header("cluster-state-id", cluster.state_id.to_string());
    let request = Request {
        at_ms: world.now,
        cluster: cluster.name.clone(),
        node: ask.node,
        method: ask.method.clone(),
        path: ask.target.clone(),
        user: auth::named(ask),
        status: reply.status,
    };
    world.requests.push(request);
    reply
}

fn judge(world: &mut World, ask: &Ask) -> Result<Reply, Reply> {
    let (path, query) = split(&ask.target);
    let cluster = world.clusters.get(ask.cluster).ok_or_else(|| Reply::empty(404))?;
    let route = Route::parse(&ask.method, path, &cluster.profile).ok_or_else(|| Reply::empty(404))?;
    let is_for_master = match route.scope() {
        Scope::Master => !cluster.settings.handle_redirects,
        Scope::AnyNode => cluster.profile.availability_redirects && !cluster.settings.handle_redirects,
        Scope::Local => false,
    };
    if let Some(master) = cluster.master.filter(|master| is_for_master && *master != ask.node) {
        let internal = cluster.node(master).map_or(std::net::Ipv4Addr::UNSPECIFIED, |node| node.internal);
        let location = format!("https://{internal}:{REST_PORT}{}", ask.target);
        return Err(Reply::empty(307).with_header("location", location));
    }
    if route == Route::MasterHealth && !cluster.settings.master_healthcheck_api_auth {
        return Ok(bodies::master_health(world, ask));
    }
    let caller = auth::caller(world, ask)?;
    if caller.role < route.role() {
        return Err(Reply::empty(403));
    }
    let has_master = world.clusters[ask.cluster].master.is_some();
    if route.scope() == Scope::Master && !has_master {
        return Err(Reply::empty(503));
    }
    Ok(serve(world, ask, route, &caller, &query))
}

fn serve(world: &mut World, ask: &Ask, route: Route, caller: &Caller, query: &[(String, String)]) -> Reply {
    let place = |uid: u32| Place { cluster: ask.cluster, uid };
    let fields = value(query, "fields");
    match route {
        Route::Authorize | Route::RefreshToken => auth::token(world, ask, caller),
        Route::Availability(uid) => availability(world, ask, uid, Form::Database, query),
        Route::EndpointAvailability(uid) => availability(world, ask, uid, Form::Endpoint(ask.node), query),
        Route::ChangeBdb(uid) => writes::change(world, ask, uid),
        Route::Traffic(uid, traffic) => writes::traffic(world, ask, uid, traffic),
        Route::Recover(uid) => writes::recover(world, ask, uid),
        Route::ShardFailover(uid) => writes::fail_over(world, ask, uid),
        Route::Bdbs => bodies::bdbs(world, ask.cluster, fields),
        Route::Bdb(uid) => match bodies::bdb(world, place(uid), fields) {
            Some(body) => Reply::ok(body),
            None => Reply::described(404, "bdb_not_exist", "Database does not exist"),
        },
        Route::Shards(of) => bodies::shards(world, ask.cluster, of),
        Route::Shard(uid) => bodies::shard(world, ask.cluster, uid),
        Route::Nodes => bodies::nodes(world, ask.cluster),
        Route::Node(uid) => bodies::node(world, ask.cluster, uid),
        Route::NodesStatus(of) => bodies::nodes_status(world, ask.cluster, of),
        Route::Cluster => bodies::cluster(world, ask.cluster),
        Route::Policy => bodies::policy(world, ask.cluster),
        Route::ClusterCheck => bodies::check(world, ask.cluster),
        Route::License => bodies::license(world, ask.cluster),
        Route::MasterHealth => bodies::master_health(world, ask),
        Route::LastStats(kind, of) => bodies::last_stats(world, ask.cluster, kind, of, query),
        Route::Stats(kind, of) => bodies::stats(world, ask.cluster, kind, of, query),
        Route::BdbAlerts(of) => bodies::bdb_alerts(world, ask.cluster, of),
        Route::NodeAlerts(of) => bodies::node_alerts(world, ask.cluster, of),
        Route::ClusterAlerts => bodies::cluster_alerts(world, ask.cluster),
        Route::PeerStats(uid) => bodies::peer_stats(world, place(uid)),
        Route::SourceStats(uid) => bodies::source_stats(world, place(uid)),
        Route::Crdbs => bodies::crdbs(world, ask.cluster),
        Route::CrdbHealth(guid) => bodies::crdb_health(world, ask.cluster, &guid),
        Route::Actions => bodies::actions(world, ask.cluster),
        Route::Logs => Reply::ok(json!([])),
        Route::ClusterHealth => bodies::cluster_health(world, ask.cluster),
        Route::BdbHealth(uid) => bodies::bdb_health(world, place(uid)),
    }
}
