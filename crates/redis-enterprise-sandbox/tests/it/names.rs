//! The names of clusters and databases.

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use serde_json::json;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::support::{LIMIT, Rig};

#[tokio::test]
async fn names_follow_the_nodes() {
    let rig = Rig::standard().await;
    let database = &rig.running.hello()["clusters"]["a"]["databases"]["1"];
    let (name, address) = (database["dns_name"].as_str().unwrap(), database["address"].as_str().unwrap());
    let cluster = rig.running.hello()["clusters"]["a"]["fqdn"].as_str().unwrap();
    assert_eq!(ask(&rig, name).await, Ok(vec![address.to_owned()]));
    assert_eq!(ask(&rig, cluster).await, Ok(vec!["127.30.1.2".to_owned()]));
    assert_eq!(ask(&rig, &format!("redis-1.{cluster}")).await, Err(ResponseCode::NXDomain));
    assert_eq!(ask(&rig, "example.com").await, Err(ResponseCode::Refused));

    let node = address.rsplit('.').next().unwrap();
    rig.change(&format!("a/node/{node}"), json!("down")).await;
    assert_eq!(ask(&rig, name).await, Ok(Vec::new()));
    rig.skip(5_100).await;
    let moved = ask(&rig, name).await.unwrap();
    assert!(moved.len() == 1 && moved[0] != address, "{moved:?}");
    rig.change("a", json!({"dns": "nxdomain"})).await;
    assert_eq!(ask(&rig, name).await, Err(ResponseCode::NXDomain));
}

async fn ask(rig: &Rig, name: &str) -> Result<Vec<String>, ResponseCode> {
    let server = rig.running.hello()["dns"].as_str().expect("an address").to_owned();
    let mut name = Name::from_ascii(name).expect("a name");
    name.set_fqdn(true);
    let mut question = Message::query();
    question.add_query(Query::query(name, RecordType::A));
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let bytes = question.to_vec().expect("a message");
    socket.send_to(&bytes, server).await.expect("a question");
    let mut buffer = [0; 4096];
    let length = timeout(LIMIT, socket.recv(&mut buffer)).await.expect("an answer").expect("an answer");
    let answer = Message::from_vec(&buffer[..length]).expect("a message");
    let code = answer.metadata.response_code;
    if code != ResponseCode::NoError {
        return Err(code);
    }
    Ok(answer.answers.iter().map(|record| record.data.to_string()).collect())
}
