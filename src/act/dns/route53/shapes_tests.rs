//! Records that are more than one plain set, at the stand-in: all of it moves in one change, or nothing.

use std::time::Duration;

use route53_sandbox::{Options, RecordSpec, Running, Sandbox};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Route53Dns;
use super::tests::{config, credentials};
use crate::act::dns::suite::{self, accepted, in_time, state};
use crate::act::dns::{Dns, DnsError, RecordChange};
use crate::config::MoreRecord;
use crate::types::{RecordName, RecordState, RecordType};

const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

async fn start(records: &[&str]) -> Running {
    let mut options = Options::new("example.com", "Z1").with_sync_delay(Duration::from_millis(50));
    options.records = records.iter().map(|text| text.parse::<RecordSpec>().unwrap()).collect();
    Sandbox::start(options).await.unwrap()
}

/// The provider of `db.example.com` and of what moves with it.
async fn provider(sandbox: &Running, kind: RecordType, more: &[(&str, RecordType)]) -> Route53Dns {
    let address = sandbox.api_url().trim_start_matches("http://").parse().unwrap();
    let (mut record, mut place) = config(address);
    record.kind = kind;
    record.name_servers = vec![sandbox.dns_addr()];
    let more = more.iter().map(|(name, kind)| {
        let name = RecordName::new(format!("{name}.example.com")).unwrap();
        MoreRecord { name, kind: *kind, targets: Vec::new() }
    });
    place.more_records = more.collect();
    Route53Dns::connect_with(&record, &place, credentials()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_is_a_provider() {
    use RecordType::{A, Aaaa, Cname};
    let several_a =
        "a.example.net\nat=cache.example.com/CNAME a.example.net\nat=six.example.com/AAAA 2001:db8::1";
    let several_b =
        "b.example.net\nat=cache.example.com/CNAME b.example.net\nat=six.example.com/AAAA 2001:db8::2";
    let weighted = |a: u8, b: u8| format!("set=dc-a/{a} a.example.net\nset=dc-b/{b} b.example.net");
    let mixed = |a: u8, b: u8, target: &str| {
        format!(
            "alias=Z2 {target}\nat=db.example.com/AAAA set=dc-a/{a} 2001:db8::1\nat=db.example.com/AAAA set=dc-b/{b} 2001:db8::2"
        )
    };
    for (what, kind, more, a, b) in [
        (
            "several names",
            Cname,
            &[("cache", Cname), ("six", Aaaa)][..],
            several_a.to_owned(),
            several_b.to_owned(),
        ),
        ("a weighted group", Cname, &[], weighted(255, 0), weighted(0, 255)),
        ("several addresses", A, &[], "192.0.2.1\n192.0.2.2".to_owned(), "192.0.2.3".to_owned()),
        (
            "an alias beside a weighted group",
            A,
            &[("db", Aaaa)],
            mixed(1, 0, "lb-a.example.net"),
            mixed(0, 1, "lb-b.example.net"),
        ),
    ] {
        eprintln!("{what}");
        let sandbox = start(&[]).await;
        suite::every_provider(&provider(&sandbox, kind, more).await, &a, &b).await;
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn all_sets_of_a_batch_move_or_none() {
    let lines = |site: &str| format!("{site}.example.net\nat=cache.example.com/CNAME {site}.example.net");
    let sandbox =
        start(&["db.example.com CNAME 5 a.example.net", "cache.example.com CNAME 5 a.example.net"]).await;
    let dns = provider(&sandbox, RecordType::Cname, &[("cache", RecordType::Cname)]).await;
    let bare = dns.read().await.unwrap();
    let held = state(&lines("a"), 5, "v=1;epoch=1");
    accepted(&dns, &bare, &held).await;
    // Somebody moves the second name alone.
    let foreign = serde_json::json!({"action": "set", "record":
        {"name": "cache.example.com", "type": "CNAME", "ttl": 5, "values": ["x.example.net"]}});
    edit(&sandbox, &foreign.to_string()).await;
    let change = RecordChange { expected: held.clone(), wanted: state(&lines("b"), 5, "v=1;epoch=2") };
    let refused = dns.change(&change, &in_time()).await;
    assert!(matches!(refused, Err(DnsError::Conflict { .. })), "{refused:?}");
    let found = dns.read().await.unwrap();
    assert_eq!(found.fence, held.fence);
    let values: Vec<String> = found.record.unwrap().values.into_iter().collect();
    assert_eq!(values, ["a.example.net", "at=cache.example.com/CNAME x.example.net"]);
}

#[tokio::test]
async fn an_alias_has_no_time_to_live_and_moves_alone() {
    let sandbox = start(&["db.example.com A alias Z2 lb-a.example.net"]).await;
    let dns = provider(&sandbox, RecordType::A, &[]).await;
    let (a, b) = ("alias=Z2 lb-a.example.net", "alias=Z9 lb-b.example.org");
    let bare = dns.read().await.unwrap();
    assert_eq!(bare, RecordState { fence: None, ..state(a, 5, "") }, "the configured time to live stands in");
    accepted(&dns, &bare, &state(a, 5, "v=1;epoch=1")).await;
    accepted(&dns, &state(a, 5, "v=1;epoch=1"), &state(b, 5, "v=1;epoch=2")).await;
    let stale = RecordChange { expected: state(a, 5, "v=1;epoch=2"), wanted: state(a, 5, "v=1;epoch=3") };
    let refused = dns.change(&stale, &in_time()).await;
    assert!(matches!(refused, Err(DnsError::Conflict { .. })), "{refused:?}");
}

#[tokio::test]
async fn name_servers_are_understood_in_the_lines_of_the_record() {
    let targets = ["a.example.com A 30 192.0.2.1 192.0.2.11", "b.example.com A 30 192.0.2.2"];
    let records = [
        &targets[..],
        &[
            "db.example.com A alias Z1 a.example.com",
            "w.example.com A 5 192.0.2.1 #dc-a=9",
            "w.example.com A 5 192.0.2.2 #dc-b=0",
        ],
    ];
    let sandbox = start(&records.concat()).await;
    let dns = provider(&sandbox, RecordType::A, &[("w", RecordType::A)]).await;
    let lines = |alias: &str, a: u8, b: u8| {
        format!(
            "alias=Z1 {alias}.example.com\nat=w.example.com/A set=dc-a/{a} 192.0.2.1\nat=w.example.com/A set=dc-b/{b} 192.0.2.2"
        )
    };
    let bare = dns.read().await.unwrap();
    assert_eq!(bare.record, state(&lines("a", 9, 0), 5, "").record);
    assert_eq!(
        answered(&dns).await,
        bare.record.as_ref().unwrap().values.iter().cloned().collect::<Vec<_>>()
    );
    let wanted = state(&lines("b", 0, 9), 5, "v=1;epoch=1");
    let receipt =
        dns.change(&RecordChange { expected: bare, wanted: wanted.clone() }, &in_time()).await.unwrap();
    let first = dns.answers().await.swap_remove(0);
    assert!(first.server.contains(&receipt.id) && first.result.is_err(), "{first:?}");
    // What name servers still answer is no longer what the zone holds, and told as it is.
    assert_eq!(answered(&dns).await, ["192.0.2.1", "192.0.2.11", "at=w.example.com/A 192.0.2.1"]);
    let visible = async {
        while !dns.is_visible(&receipt).await.unwrap() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(LIMIT, visible).await.expect("it becomes visible");
    assert_eq!(answered(&dns).await, wanted.record.unwrap().values.into_iter().collect::<Vec<_>>());
}

async fn answered(dns: &Route53Dns) -> Vec<String> {
    let mut answers = dns.answers().await;
    // What the service says of a change that is on its way stands before them.
    answers.retain(|answer| !answer.server.starts_with("Route 53"));
    assert_eq!(answers.len(), 1);
    answers[0].result.as_ref().unwrap().values.iter().cloned().collect()
}

/// Edits a set behind the API's back.
pub(super) async fn edit(sandbox: &Running, json: &str) {
    put(sandbox, "records", json).await;
}

/// Sends something to the control endpoint.
pub(super) async fn put(sandbox: &Running, path: &str, json: &str) {
    control(sandbox, "PUT", path, json).await;
}

/// What the control endpoint says.
pub(super) async fn get(sandbox: &Running, path: &str) -> String {
    control(sandbox, "GET", path, "").await
}

async fn control(sandbox: &Running, method: &str, path: &str, json: &str) -> String {
    let mut stream = TcpStream::connect(sandbox.api_url().trim_start_matches("http://")).await.unwrap();
    let length = json.len();
    let request = format!(
        "{method} /_sandbox/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{json}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 20"), "{reply}");
    reply
}
