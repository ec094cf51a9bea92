//! One started sandbox and the clients that drive it.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::SocketAddr;
use std::time::Duration;

use aws_sdk_route53::Client;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::config::timeout::TimeoutConfig;
use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_route53::error::SdkError;
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeInfo, ResourceRecord, ResourceRecordSet, RrType,
};
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use route53_sandbox::{Options, RecordSpec, Running, Sandbox};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, sleep, timeout};

/// No wait of a test lasts longer; only a failing test reaches it.
pub const LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

pub type ChangeResult = Result<ChangeInfo, SdkError<ChangeResourceRecordSetsError>>;

/// A sandbox and its SDK client.
pub struct Rig {
    pub running: Running,
    pub client: Client,
}

/// The zone of most tests: one alias, changes `INSYNC` at once.
pub fn options() -> Options {
    Options::new("example.test", "Z0TEST")
        .with_record(RecordSpec::simple("db.example.test", "CNAME", 5, ["paris.example.net"]))
        .with_sync_delay(Duration::ZERO)
}

impl Rig {
    pub async fn start(options: Options) -> Self {
        let running = Sandbox::start(options).await.unwrap();
        let client = client(&running.api_url(), LIMIT);
        Self { running, client }
    }

    /// Sends one batch; a set is `name type ttl values [#identifier=weight]`.
    pub async fn change(&self, changes: &[(ChangeAction, &str)]) -> ChangeResult {
        change(&self.client, self.running.zone_id(), changes).await
    }

    /// Every set but the zone's own, one text each.
    pub async fn sets(&self) -> Vec<String> {
        sets(&self.client, self.running.zone_id()).await
    }

    /// Asks over UDP.
    pub async fn udp(&self, name: &str, kind: RecordType) -> Message {
        udp(self.running.dns_addr(), name, kind).await
    }

    /// Asks over TCP.
    pub async fn tcp(&self, name: &str, kind: RecordType) -> Message {
        let mut stream = TcpStream::connect(self.running.dns_addr()).await.unwrap();
        let question = question(name, kind).to_vec().unwrap();
        let mut framed = u16::try_from(question.len()).unwrap().to_be_bytes().to_vec();
        framed.extend(question);
        stream.write_all(&framed).await.unwrap();
        let mut reply = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut reply).await.unwrap();
        Message::from_vec(&reply).unwrap()
    }

    /// Sends a request to the control endpoint: the status and the JSON.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let (status, text) = http(&self.running.api_url(), method, path, &body.to_string()).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Orders faults.
    pub async fn faults(&self, faults: Value) {
        let (status, _) =
            self.control("PUT", "/_sandbox/faults", serde_json::json!({ "faults": faults })).await;
        assert_eq!(status, 204);
    }

    /// The entries of the history.
    pub async fn history(&self) -> Vec<Value> {
        let (_, history) = self.control("GET", "/_sandbox/history", Value::Null).await;
        history["entries"].as_array().unwrap().clone()
    }
}

/// An SDK client that tries once.
pub fn client(url: &str, limit: Duration) -> Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIDSANDBOX", "secret", None, None, "test"))
        .endpoint_url(url)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(limit).build())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

pub async fn change(client: &Client, zone_id: &str, changes: &[(ChangeAction, &str)]) -> ChangeResult {
    let changes = changes.iter().map(|(action, text)| {
        Change::builder().action(action.clone()).resource_record_set(set(text)).build().unwrap()
    });
    let batch =
        ChangeBatch::builder().set_changes(Some(changes.collect())).comment("a test").build().unwrap();
    let request = client.change_resource_record_sets().hosted_zone_id(zone_id).change_batch(batch);
    Ok(request.send().await?.change_info.unwrap())
}

pub async fn sets(client: &Client, zone_id: &str) -> Vec<String> {
    let page = client.list_resource_record_sets().hosted_zone_id(zone_id).send().await.unwrap();
    let own = |set: &ResourceRecordSet| matches!(set.r#type, RrType::Ns | RrType::Soa);
    page.resource_record_sets.iter().filter(|set| !own(set)).map(text).collect()
}

pub fn text(set: &ResourceRecordSet) -> String {
    let values: Vec<_> = set.resource_records().iter().map(|record| record.value.as_str()).collect();
    let ttl = match set.alias_target() {
        Some(alias) => format!("alias {} {}", alias.hosted_zone_id(), alias.dns_name()),
        None => set.ttl.unwrap_or_default().to_string(),
    };
    let group = match (&set.set_identifier, set.weight) {
        (Some(identifier), Some(weight)) => format!(" #{identifier}={weight}"),
        _ => String::new(),
    };
    let text = format!("{} {} {ttl} {}", set.name, set.r#type.as_str(), values.join(" "));
    format!("{}{group}", text.trim_end())
}

pub async fn udp(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&question(name, kind).to_vec().unwrap(), server).await.unwrap();
    let mut buffer = [0; 4096];
    let length = timeout(LIMIT, socket.recv(&mut buffer)).await.unwrap().unwrap();
    Message::from_vec(&buffer[..length]).unwrap()
}

/// The answers of a message, one text each.
pub fn answers(message: &Message) -> Vec<String> {
    let text = |record: &hickory_proto::rr::Record| {
        format!("{} {} {} {}", record.name, record.record_type(), record.ttl, record.data)
    };
    message.answers.iter().map(text).collect()
}

/// Polls until the condition holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + LIMIT;
    while !condition().await {
        assert!(Instant::now() < deadline, "it never came about that {what}");
        sleep(POLL).await;
    }
}

/// One HTTP request without signature: the status and the body.
pub async fn http(url: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    send(url, &format!("{method} {path}"), "application/json", body).await
}

/// One unsigned form, as the token service takes it.
pub async fn post_form(url: &str, form: &str) -> (u16, String) {
    send(url, "POST /", "application/x-www-form-urlencoded", form).await
}

async fn send(url: &str, line: &str, kind: &str, body: &str) -> (u16, String) {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    timeout(LIMIT, stream.read_to_string(&mut reply)).await.unwrap().unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    let mut message = Message::query();
    message.add_query(Query::query(name, kind));
    message
}

fn set(text: &str) -> ResourceRecordSet {
    let spec: RecordSpec = text.parse().unwrap();
    let alias = spec.alias.as_ref().map(|alias| {
        let target = AliasTarget::builder().hosted_zone_id(&alias.zone_id).dns_name(&alias.target);
        target.evaluate_target_health(alias.evaluates_health).build().unwrap()
    });
    let values = spec.values.iter().map(|value| ResourceRecord::builder().value(value).build().unwrap());
    ResourceRecordSet::builder()
        .name(&spec.name)
        .r#type(RrType::from(spec.kind.as_str()))
        .set_ttl(alias.is_none().then_some(i64::from(spec.ttl_seconds)))
        .set_resource_records(alias.is_none().then(|| values.collect()))
        .set_alias_target(alias)
        .set_set_identifier(spec.set_identifier.clone())
        .set_weight(spec.weight.map(i64::from))
        .build()
        .unwrap()
}
