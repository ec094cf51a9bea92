//! One DNS question to one name server: no cache, no retry, no system configuration.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

pub use hickory_proto::op::ResponseCode;
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::Name;
pub use hickory_proto::rr::RecordType;
use tokio::net::UdpSocket;

/// Deadline of one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Longest answer over UDP without EDNS (RFC 1035, section 4.2.1), and some more for a server that errs.
const ANSWER_BYTES_MAX: usize = 4096;

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The response code.
    pub code: ResponseCode,
    /// Whether the server speaks for the zone.
    pub is_authoritative: bool,
    /// Values in presentation form (a name with its final dot) and time to live in seconds, in the server's order.
    pub records: Vec<(String, u32)>,
}

impl Answer {
    /// The values alone, sorted.
    pub fn values(&self) -> Vec<&str> {
        let mut values: Vec<_> = self.records.iter().map(|(value, _)| value.as_str()).collect();
        values.sort_unstable();
        values
    }
}

/// Asks `server` over UDP; the error is for people.
pub async fn query(server: SocketAddr, name: &str, kind: RecordType) -> Result<Answer, String> {
    match tokio::time::timeout(ANSWER_LIMIT, ask(server, name, kind)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("{server} did not answer for {name} within {ANSWER_LIMIT:?}")),
    }
}

async fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Result<Answer, String> {
    let text = |e: &dyn std::fmt::Display| format!("{server}, {name}: {e}");
    let mut question = Message::query();
    question.add_query(Query::query(
        Name::from_str(&format!("{}.", name.trim_end_matches('.'))).map_err(|e| text(&e))?,
        kind,
    ));
    let socket = UdpSocket::bind("127.0.0.1:0").await.map_err(|e| text(&e))?;
    socket.connect(server).await.map_err(|e| text(&e))?;
    socket.send(&question.to_vec().map_err(|e| text(&e))?).await.map_err(|e| text(&e))?;
    let mut buffer = [0; ANSWER_BYTES_MAX];
    let length = socket.recv(&mut buffer).await.map_err(|e| text(&e))?;
    let answer = Message::from_vec(&buffer[..length]).map_err(|e| text(&e))?;
    if answer.metadata.id != question.metadata.id {
        return Err(text(&"the answer is to another question"));
    }
    Ok(Answer {
        code: answer.metadata.response_code,
        is_authoritative: answer.metadata.authoritative,
        records: answer.answers.iter().map(|r| (r.data.to_string(), r.ttl)).collect(),
    })
}

mod tests {
    use hickory_proto::rr::rdata::CNAME;
    use hickory_proto::rr::{RData, Record};

    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_with_its_ttl() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let server = socket.local_addr().expect("an address");
        let serve = async {
            let mut buffer = [0; ANSWER_BYTES_MAX];
            let (length, client) = socket.recv_from(&mut buffer).await.expect("a question");
            let question = Message::from_vec(&buffer[..length]).expect("a message");
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            answer.metadata.authoritative = true;
            let target = Name::from_str("redis-a.example.test.").expect("a name");
            let owner = question.queries[0].name().clone();
            answer.answers.push(Record::from_rdata(owner, 5, RData::CNAME(CNAME(target))));
            socket.send_to(&answer.to_vec().expect("bytes"), client).await.expect("it can be sent");
        };
        let (answer, ()) = tokio::join!(query(server, "redis.example.test", RecordType::CNAME), serve);
        let answer = answer.expect("an answer");
        assert_eq!(answer.code, ResponseCode::NoError);
        assert!(answer.is_authoritative);
        assert_eq!(answer.records, [("redis-a.example.test.".to_owned(), 5)]);
    }

    #[tokio::test]
    async fn a_port_without_a_server_is_an_error() {
        let server = SocketAddr::from(([127, 0, 0, 1], super::super::ports::free_port()));
        query(server, "redis.example.test", RecordType::CNAME).await.expect_err("nobody is there");
    }
}
