//! From a query to its answer, over a table that does not change. Pure.

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, LowerName, Name, Record, RecordType as WireType};

use super::table::{Found, Table};

/// UDP answers stay below any path's MTU (DNS flag day 2020).
const UDP_ANSWER_BYTES_MAX: u16 = 1232;
/// What a UDP client without EDNS accepts (RFC 1035, section 4.2.1).
const UDP_PLAIN_BYTES_MAX: u16 = 512;
const HEADER_BYTES: usize = 12;

/// How a query came in, which limits the answer's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// In one datagram.
    Udp,
    /// In a stream.
    Tcp,
}

/// What an answer says, as far as a limit of answers cares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum About {
    /// Records of this name.
    Records(LowerName),
    /// That there is nothing: names that do not exist are without number, so all are one.
    Nothing,
    /// That the question is not answered.
    Error,
}

/// An answer that is not written yet.
pub(super) struct Reply {
    message: Message,
    limit: usize,
    about: About,
}

impl Reply {
    /// What it says.
    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// How the question was met.
    pub(super) fn code(&self) -> ResponseCode {
        self.message.metadata.response_code
    }

    /// The answer as it is sent: what is beside it is left out where it does not fit, and then the answer itself.
    pub(super) fn bytes(mut self) -> Option<Vec<u8>> {
        let bytes = self.message.to_vec().ok()?;
        if bytes.len() <= self.limit {
            return Some(bytes);
        }
        if !self.message.additionals.is_empty() {
            self.message.additionals.clear();
            return self.bytes();
        }
        self.cut()
    }

    /// No more than: come by TCP. An error is no longer than that, and nobody should come again for it.
    pub(super) fn cut(self) -> Option<Vec<u8>> {
        match self.about {
            About::Error => self.message.to_vec().ok(),
            About::Records(_) | About::Nothing => self.message.truncate().to_vec().ok(),
        }
    }
}

/// Answers one message; `None` where no answer is due.
pub(super) fn reply(table: &Table, request: &[u8], transport: Transport) -> Option<Reply> {
    let header = request.get(..HEADER_BYTES)?;
    if header[2] & 0x80 != 0 {
        // An answer to an answer is how loops begin.
        return None;
    }
    let id = u16::from_be_bytes([header[0], header[1]]);
    let Ok(request) = Message::from_vec(request) else {
        let op_code = OpCode::from_u8((header[2] >> 3) & 0x0f);
        let message = Message::error_msg(id, op_code, ResponseCode::FormErr);
        return Some(Reply { message, limit: usize::from(UDP_PLAIN_BYTES_MAX), about: About::Error });
    };
    let mut message = Message::new(id, MessageType::Response, request.metadata.op_code);
    message.metadata = Metadata::response_from_request(&request.metadata);
    message.metadata.recursion_available = false;
    message.add_queries(request.queries.iter().take(1).cloned());
    let (code, about) = fill(table, &request, &mut message);
    message.metadata.response_code = code;
    if let Some(asked) = &request.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_ANSWER_BYTES_MAX).set_version(0).set_rcode_high(code.high());
        // Copied, although nothing here is signed (RFC 3225, section 3); the other flags are not.
        edns.set_dnssec_ok(asked.flags().dnssec_ok);
        message.set_edns(edns);
    }
    let limit = match transport {
        Transport::Udp => request.max_payload().clamp(UDP_PLAIN_BYTES_MAX, UDP_ANSWER_BYTES_MAX),
        Transport::Tcp => u16::MAX,
    };
    Some(Reply { message, limit: usize::from(limit), about })
}

fn fill(table: &Table, request: &Message, message: &mut Message) -> (ResponseCode, About) {
    let refuse = |code| (code, About::Error);
    if request.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        return refuse(ResponseCode::BADVERS);
    }
    if request.metadata.op_code != OpCode::Query {
        return refuse(ResponseCode::NotImp);
    }
    let [query] = request.queries.as_slice() else {
        return refuse(ResponseCode::FormErr);
    };
    let transfers = [WireType::AXFR, WireType::IXFR];
    if query.query_class() != DNSClass::IN || transfers.contains(&query.query_type()) {
        return refuse(ResponseCode::Refused);
    }
    let name = LowerName::new(query.name());
    let (code, about) = match table.find(&name, query.query_type()) {
        Found::Elsewhere => return refuse(ResponseCode::Refused),
        Found::Broken => return refuse(ResponseCode::ServFail),
        Found::Records(records) => {
            message.add_answers(records.iter().map(|record| spelled(record, query.name())));
            message.add_additionals(table.glue(&records).cloned());
            (ResponseCode::NoError, About::Records(name))
        }
        Found::Nothing => (ResponseCode::NoError, About::Nothing),
        Found::NoName => (ResponseCode::NXDomain, About::Nothing),
    };
    message.metadata.authoritative = true;
    if about == About::Nothing {
        message.add_authorities(table.negative().cloned());
    }
    (code, about)
}

/// The record with its owner spelled as it was asked.
fn spelled(record: &Record, name: &Name) -> Record {
    let mut record = record.clone();
    record.name = name.clone();
    record
}
