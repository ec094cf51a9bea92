use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_route53::config::Credentials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Route53Dns;
use crate::act::dns::suite::in_time;
use crate::act::dns::{Dns, DnsError, Receipt, RecordChange, suite};
use crate::config::{Provider, Record, Route53};
use crate::types::{RecordName, RecordState, RecordType, ResourceSet};

const OK: &str = "<ChangeResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeInfo>\
    <Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>\
    </ChangeResourceRecordSetsResponse>";

fn failure(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>words</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

fn batch_failure() -> String {
    "<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages><Message>the values \
     provided do not match the current values</Message></Messages><RequestId>r</RequestId></InvalidChangeBatch>"
        .to_owned()
}

#[tokio::test]
async fn every_outcome_of_a_change_has_its_meaning() {
    for (answer, want) in [
        (reply(400, failure("InvalidChangeBatch")), "Conflict"),
        (reply(400, batch_failure()), "Conflict"),
        (reply(400, failure("Throttling")), "Throttled"),
        (reply(400, failure("PriorRequestNotComplete")), "Throttled"),
        (reply(429, failure("Whatever")), "Throttled"),
        (reply(403, failure("AccessDenied")), "Denied"),
        (reply(403, failure("SignatureDoesNotMatch")), "Denied"),
        (reply(404, failure("NoSuchHostedZone")), "Misconfigured"),
        (reply(400, failure("InvalidInput")), "Misconfigured"),
        (reply(500, failure("InternalFailure")), "Unknown"),
        (reply(503, failure("ServiceUnavailable")), "Unknown"),
        (reply(502, "<html>".to_owned()), "Unknown"),
        (reply(200, "no XML".to_owned()), "Unknown"),
        (reply(200, OK.replace("<Id>/change/C1</Id>", "")), "Unknown"),
        (reply(200, OK.to_owned())[..80].to_vec(), "Unknown"),
        (Vec::new(), "Unknown"),
        (b"silence".to_vec(), "Unknown"),
    ] {
        let service = Service::start(vec![answer.clone()]).await;
        let error = dns(service.address).await.change(&claim(), &in_time()).await.unwrap_err();
        assert!(
            format!("{error:?}").starts_with(want),
            "{want}: {}: {error:?}",
            String::from_utf8_lossy(&answer)
        );
        assert_eq!(service.bodies().len(), 1, "a change is sent once: {want}");
    }
}

#[tokio::test]
async fn every_outcome_of_a_read_has_its_meaning() {
    for (answer, want) in [
        (reply(400, failure("Throttling")), "Throttled"),
        (reply(403, failure("AccessDenied")), "Denied"),
        (reply(404, failure("NoSuchHostedZone")), "Misconfigured"),
        (reply(503, failure("ServiceUnavailable")), "Unavailable"),
        (reply(200, "no XML".to_owned()), "Unavailable"),
        (reply(200, "<ListResourceRecordSetsResponse/>".to_owned()), "Unavailable"),
        (Vec::new(), "Unavailable"),
    ] {
        let service = Service::start(vec![answer.clone(), answer.clone()]).await;
        let error = dns(service.address).await.read().await.unwrap_err();
        assert!(
            format!("{error:?}").starts_with(want),
            "{want}: {}: {error:?}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[tokio::test]
async fn what_never_left_is_not_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = dns(address).await.change(&claim(), &in_time()).await.unwrap_err();
    assert!(matches!(error, DnsError::Unavailable { .. }), "{error:?}");

    let service = Service::start(vec![reply(200, OK.to_owned())]).await;
    let (record, place) = config(service.address);
    // The tests' environment has no AWS credentials; where it has, there is nothing to see here.
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        return;
    }
    let none = aws_config::environment::credentials::EnvironmentVariableCredentialsProvider::new();
    let dns = Route53Dns::connect_with(&record, &place, none).await.unwrap();
    let error = dns.change(&claim(), &in_time()).await.unwrap_err();
    assert!(matches!(error, DnsError::Denied { .. }), "{error:?}");
    assert_eq!(service.bodies().len(), 0);
}

#[tokio::test]
async fn a_claim_compares_the_record_too() {
    let service = Service::start(vec![reply(200, OK.to_owned())]).await;
    let receipt = dns(service.address).await.change(&claim(), &in_time()).await.unwrap();
    assert_eq!(receipt, Receipt { id: "C1".to_owned() });
    let body = service.bodies().remove(0);
    assert!(!body.contains("UPSERT"), "{body}");
    let steps: Vec<&str> = body.split("<Action>").skip(1).collect();
    let parts = |step: &str, parts: &[&str]| parts.iter().all(|part| step.contains(part));
    assert!(
        parts(steps[0], &["DELETE", "<Name>db.example.com", "CNAME", "<TTL>5<", ">a.example.net<"]),
        "{body}"
    );
    assert!(
        parts(steps[1], &["CREATE", "<Name>db.example.com", "CNAME", "<TTL>5<", ">a.example.net<"]),
        "{body}"
    );
    assert!(parts(steps[2], &["DELETE", "<Name>_redrover.db.example.com", "TXT", "epoch=1"]), "{body}");
    assert!(parts(steps[3], &["CREATE", "<Name>_redrover.db.example.com", "TXT", "epoch=2"]), "{body}");
    assert_eq!(steps.len(), 4);
}

#[tokio::test]
async fn a_delete_repeats_the_spelling_of_the_service() {
    let sets = set("db.example.com.", "CNAME", "", "A.Example.NET.")
        + &set("_redrover.db.example.com.", "TXT", "", "&quot;epoch&quot; &quot;=1&quot;");
    let service = Service::start(vec![reply(200, list(&sets, false)), reply(200, OK.to_owned())]).await;
    let dns = dns(service.address).await;
    assert_eq!(dns.read().await.unwrap(), claim().expected);
    dns.change(&claim(), &in_time()).await.unwrap();
    let body = service.bodies().pop().unwrap();
    assert_eq!(body.matches(">A.Example.NET.<").count(), 2, "{body}");
}

#[tokio::test]
async fn only_what_can_be_swapped_as_a_whole_is_read() {
    let alias = |evaluates: &str| {
        format!(
            "<ResourceRecordSet><Name>db.example.com.</Name><Type>CNAME</Type><AliasTarget><HostedZoneId>Z2\
             </HostedZoneId><DNSName>X.</DNSName><EvaluateTargetHealth>{evaluates}</EvaluateTargetHealth>\
             </AliasTarget></ResourceRecordSet>"
        )
    };
    let member = |more: &str| set("db.example.com.", "CNAME", more, "x.");
    let other = set("db.example.com.", "MX", "", "1 x.") + &set("db2.example.com.", "CNAME", "", "x.");
    let nothing = "Ok(RecordState { record: None, fence: None })";
    let holds = |line: &str| {
        format!("Ok(RecordState {{ record: Some(ResourceSet {{ ttl_seconds: 5, values: {{\"{line}\"}} }})")
    };
    let refused = || "Err(Misconfigured".to_owned();
    for (sets, want) in [
        (String::new(), nothing.to_owned()),
        (other, nothing.to_owned()),
        (member("<SetIdentifier>w</SetIdentifier><Weight>1</Weight>"), holds("set=w/1 x")),
        (member("<SetIdentifier>w</SetIdentifier><Region>us-east-1</Region>"), refused()),
        (member("<SetIdentifier>a b</SetIdentifier><Weight>1</Weight>"), refused()),
        (member("<SetIdentifier>w</SetIdentifier><Weight>256</Weight>"), refused()),
        (member("<HealthCheckId>h</HealthCheckId>"), refused()),
        (alias("false"), holds("alias=Z2 x")),
        (alias("true"), refused()),
    ] {
        let service = Service::start(vec![reply(200, list(&sets, false))]).await;
        let state = dns(service.address).await.read().await;
        assert!(format!("{state:?}").starts_with(&want), "{sets}: {state:?}");
    }
}

#[tokio::test]
async fn a_fence_far_from_its_record_is_found_and_a_torn_read_is_none() {
    let record = |value: &str| set("db.example.com.", "CNAME", "", value);
    let fence = set("_redrover.db.example.com.", "TXT", "", "&quot;epoch=1&quot;");
    for (again, is_good) in [("a.example.net", true), ("b.example.net", false)] {
        let answers = [list(&record("a.example.net"), true), list(&fence, true), list(&record(again), true)];
        let service = Service::start(answers.into_iter().map(|xml| reply(200, xml)).collect()).await;
        match dns(service.address).await.read().await {
            Ok(state) => assert!(is_good && state == claim().expected, "{state:?}"),
            Err(error) => assert!(!is_good && error.is_retryable(), "{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_provider() {
    for (kind, a, b) in [
        (RecordType::Cname, "a.example.net", "b.example.net"),
        (RecordType::A, "192.0.2.1", "192.0.2.2"),
        (RecordType::Aaaa, "2001:db8::1", "2001:db8::2"),
    ] {
        let options = route53_sandbox::Options::new("example.com", "Z1");
        let delay = Duration::from_millis(50);
        let sandbox = route53_sandbox::Sandbox::start(options.with_sync_delay(delay)).await.unwrap();
        let address = sandbox.api_url().trim_start_matches("http://").parse().unwrap();
        let (mut record, place) = config(address);
        record.kind = kind;
        let dns = Route53Dns::connect_with(&record, &place, credentials()).await.unwrap();
        suite::every_provider(&dns, a, b).await;
        sandbox.stop().await;
    }
}

fn claim() -> RecordChange {
    let state = |fence: &str| RecordState {
        record: Some(ResourceSet::single(5, "a.example.net")),
        fence: Some(ResourceSet::single(5, fence)),
    };
    RecordChange { expected: state("epoch=1"), wanted: state("epoch=2") }
}

pub(super) fn config(address: SocketAddr) -> (Record, Route53) {
    let place = Route53 {
        zone_id: "Z1".to_owned(),
        private_zone_id: None,
        endpoint: Some(url::Url::parse(&format!("http://{address}")).unwrap()),
        region: "us-east-1".to_owned(),
        assume_role: None,
        weight: None,
        more_records: Vec::new(),
        alias_zone_ids: BTreeMap::new(),
    };
    let record = Record {
        name: RecordName::new("db.example.com").unwrap(),
        kind: RecordType::Cname,
        ttl_seconds: 5,
        provider: Provider::Route53(place.clone()),
        read_interval: Duration::from_secs(60),
        name_servers: Vec::new(),
        resolvers: Vec::new(),
    };
    (record, place)
}

async fn dns(address: SocketAddr) -> Route53Dns {
    let (record, place) = config(address);
    Route53Dns::connect_with(&record, &place, credentials()).await.unwrap()
}

pub(super) fn credentials() -> Credentials {
    Credentials::new("id", "key", None, None, "test")
}

fn set(name: &str, kind: &str, more: &str, value: &str) -> String {
    format!(
        "<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>{more}<TTL>5</TTL><ResourceRecords><ResourceRecord>\
         <Value>{value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
    )
}

fn list(sets: &str, is_truncated: bool) -> String {
    format!(
        "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceRecordSets>\
         {sets}</ResourceRecordSets><IsTruncated>{is_truncated}</IsTruncated><MaxItems>100</MaxItems>\
         </ListResourceRecordSetsResponse>"
    )
}

fn reply(status: u16, body: String) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// A service that has one canned answer for each connection, and keeps the bodies it got.
struct Service {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Service {
    async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut silent = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let body = receive(&mut stream).await;
                kept.lock().unwrap().push(body);
                if answer == b"silence" {
                    silent.push(stream);
                } else {
                    stream.write_all(&answer).await.unwrap();
                }
            }
            // Further requests are counted, so that a repeated change is seen.
            while let Ok((mut stream, _)) = listener.accept().await {
                let body = receive(&mut stream).await;
                kept.lock().unwrap().push(body);
            }
        });
        Self { address, bodies, _tasks: tasks }
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

async fn receive(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return body.to_owned();
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return String::new();
        }
    }
}
