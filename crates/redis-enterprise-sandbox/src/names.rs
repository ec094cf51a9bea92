//! Names: the cluster's own leads to the node that leads, those of databases to the nodes that serve them now.

use hickory_proto::op::{Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use crate::world::{Cluster, DnsFault, Place, World};

/// The time to live of all records; nobody says the real one.
const TTL_SECONDS: u32 = 5;

/// Answers one message; `None` for what is no question, and for a cluster that keeps silent.
pub fn answer(world: &World, bytes: &[u8]) -> Option<Vec<u8>> {
    let request = Message::from_vec(bytes).ok()?;
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.metadata = Metadata::response_from_request(&request.metadata);
    let [query] = request.queries.as_slice() else {
        response.metadata.response_code = ResponseCode::FormErr;
        return response.to_vec().ok();
    };
    response.add_query(query.clone());
    if request.metadata.op_code != OpCode::Query || query.query_class != DNSClass::IN {
        response.metadata.response_code = ResponseCode::NotImp;
        return response.to_vec().ok();
    }
    let name = query.name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let is_in = |cluster: &Cluster| {
        name.strip_suffix(cluster.fqdn.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let Some(index) = world.clusters.iter().position(is_in) else {
        response.metadata.response_code = ResponseCode::Refused;
        return response.to_vec().ok();
    };
    let cluster = &world.clusters[index];
    if cluster.is_isolated || cluster.dns == DnsFault::Silent || !cluster.nodes.iter().any(|node| node.is_up)
    {
        return None;
    }
    response.metadata.authoritative = true;
    match nodes(world, index, &name).filter(|_| cluster.dns == DnsFault::None) {
        None => response.metadata.response_code = ResponseCode::NXDomain,
        Some(nodes) if query.query_type == RecordType::A => {
            let addresses = nodes.iter().filter_map(|node| Some(cluster.node(*node)?.address));
            let owner: Name = query.name.clone();
            let record = |address| Record::from_rdata(owner.clone(), TTL_SECONDS, RData::A(address));
            response.add_answers(addresses.map(|address| record(address.into())).collect::<Vec<_>>());
        }
        Some(_) => {}
    }
    response.to_vec().ok()
}

/// The nodes that a name leads to; `None` for a name that does not exist.
fn nodes(world: &World, cluster: usize, name: &str) -> Option<Vec<u32>> {
    let of = &world.clusters[cluster];
    if name == of.fqdn {
        return Some(of.master.into_iter().collect());
    }
    let database = of.databases.iter().find(|database| of.endpoint_name(database.port) == name)?;
    let serving = world.serving_nodes(Place { cluster, uid: database.uid });
    Some(serving.into_iter().filter(|node| of.node(*node).is_some_and(|node| node.is_up)).collect())
}
