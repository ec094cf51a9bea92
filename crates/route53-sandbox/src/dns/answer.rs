//! From the bytes of a question to the bytes of its answer.

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::DNSClass;

use crate::clock::Now;
use crate::records::{DnsName, RecordType};
use crate::zone::Zone;

use super::lookup::{Turns, lookup};

/// What this server takes over UDP; the value that resolvers agreed on in 2020.
const UDP_PAYLOAD_BYTES: u16 = 1232;

/// How the question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One datagram, whose answer must fit into what the client takes.
    Udp,
    /// A stream.
    Tcp,
}

/// Answers one message; `None` for what is no question at all.
pub fn answer(bytes: &[u8], transport: Transport, zone: &mut Zone, turns: &mut Turns) -> Option<Vec<u8>> {
    let request = Message::from_vec(bytes).ok()?;
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let payload_bytes_max = request.max_payload().max(512);
    let response = respond(request, zone, turns);
    let bytes = response.to_vec().ok()?;
    let fits = transport == Transport::Tcp || bytes.len() <= usize::from(payload_bytes_max);
    if fits { Some(bytes) } else { response.truncate().to_vec().ok() }
}

fn respond(request: Message, zone: &mut Zone, turns: &mut Turns) -> Message {
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.metadata = Metadata::response_from_request(&request.metadata);
    if request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD_BYTES);
        response.set_edns(edns);
    }
    if request.metadata.op_code != OpCode::Query {
        response.metadata.response_code = ResponseCode::NotImp;
        return response;
    }
    let [query] = request.queries.as_slice() else {
        response.metadata.response_code = ResponseCode::FormErr;
        return response;
    };
    response.add_query(query.clone());
    if query.query_class != DNSClass::IN {
        response.metadata.response_code = ResponseCode::Refused;
        return response;
    }
    let apex = zone.identity().name.clone();
    let (name, kind) = (DnsName::from_wire(&query.name), RecordType::from_wire(query.query_type));
    let found = lookup(zone.served(Now::read()), &apex, turns, &name, kind);
    response.metadata.response_code = found.code;
    response.metadata.authoritative = found.code != ResponseCode::Refused;
    response.add_answers(found.answers);
    response.add_authorities(found.authorities);
    response
}
