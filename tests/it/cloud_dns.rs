//! The provider for Google Cloud DNS, at a strict stand-in.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use redrover::act::dns::cloud_dns::CloudDnsProvider;
use redrover::act::dns::{Dns as _, DnsError, RecordChange};
use redrover::config::{CloudDns as Place, Provider, Record, Secret};
use redrover::types::{RecordName, RecordState, RecordType, ResourceSet, SystemClock};
use serde_json::{Value, json};

use super::suite;
use super::support::agent::{SERVICE, Setup};
use super::support::cloud_dns::{CloudDns, Fault, MANAGED_ZONE, PROJECT};

const NAME: &str = "db.example.test";
const A: &str = "a.example.net";
const B: &str = "b.example.net";

fn config(service: &CloudDns, kind: RecordType, key: Option<Secret>) -> (Record, Place) {
    let place = Place {
        project: PROJECT.to_owned(),
        managed_zone: MANAGED_ZONE.to_owned(),
        key,
        endpoint: Some(service.url().parse().expect("a URL")),
    };
    let record = Record {
        name: RecordName::new(NAME).expect("a name"),
        kind,
        ttl_seconds: 5,
        provider: Provider::CloudDns(place.clone()),
        read_interval: Duration::from_secs(60),
        name_servers: Vec::new(),
        resolvers: Vec::new(),
    };
    (record, place)
}

fn key(service: &CloudDns) -> Secret {
    Secret::new(service.key_file().to_string())
}

fn provider(service: &CloudDns, kind: RecordType, key: Option<Secret>) -> CloudDnsProvider {
    let (record, place) = config(service, kind, key);
    let clock = Arc::new(SystemClock::new());
    CloudDnsProvider::new(&record, &place, Some(service.host()), clock).expect("a provider")
}

fn step(from: &str, to: &str) -> RecordChange {
    RecordChange { expected: suite::state(A, 5, from), wanted: suite::state(A, 5, to) }
}

async fn adopted(service: &CloudDns) -> CloudDnsProvider {
    let dns = provider(service, RecordType::Cname, Some(key(service)));
    let nothing = RecordState { record: None, fence: None };
    suite::accepted(&dns, &nothing, &suite::state(A, 5, "v=1;epoch=1")).await;
    dns
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_provider_for_every_type_and_with_every_token() {
    for (kind, a, b, has_key) in [
        (RecordType::Cname, A, B, true),
        (RecordType::A, "192.0.2.1\n192.0.2.2", "192.0.2.3", false),
        (RecordType::Aaaa, "2001:db8::1", "2001:db8::2", false),
    ] {
        let service = CloudDns::start().await;
        let dns = provider(&service, kind, has_key.then(|| key(&service)));
        suite::every_provider(&dns, a, b).await;
        let lacks = dns.check().await;
        assert!(lacks.is_empty(), "{lacks:?}");
        assert_eq!(service.token_requests(), 1, "a token is kept while it is good");
    }
}

#[tokio::test]
async fn every_outcome_of_a_change_has_its_meaning() {
    let service = CloudDns::start().await;
    let dns = adopted(&service).await;
    let change = step("v=1;epoch=1", "v=1;epoch=2");
    for (fault, want) in [
        (Fault::Answer(412, "conditionNotMet"), "Conflict"),
        (Fault::Answer(409, "alreadyExists"), "Conflict"),
        (Fault::Answer(429, "rateLimitExceeded"), "Throttled"),
        (Fault::Answer(403, "userRateLimitExceeded"), "Throttled"),
        (Fault::Answer(403, "quotaExceeded"), "Throttled"),
        (Fault::Answer(403, "forbidden"), "Denied"),
        (Fault::Answer(404, "notFound"), "Misconfigured"),
        (Fault::Answer(400, "invalid"), "Misconfigured"),
        (Fault::Answer(500, "internalError"), "Unknown"),
        (Fault::Answer(503, "backendError"), "Unknown"),
        (Fault::LoseRequest, "Unknown"),
    ] {
        service.faults(&[fault]);
        let error = dns.change(&change, &suite::in_time()).await.expect_err(want);
        assert!(format!("{error:?}").starts_with(want), "{fault:?}: {error:?}");
        assert_eq!(dns.read().await.expect("it can be read"), change.expected, "{fault:?}");
    }
    service.faults(&[Fault::LoseReply]);
    let error = dns.change(&change, &suite::in_time()).await.expect_err("the reply is lost");
    assert!(matches!(error, DnsError::Unknown { .. }), "{error:?}");
    assert_eq!(dns.read().await.expect("it can be read"), change.wanted);
    let again = dns.change(&change, &suite::in_time()).await;
    assert!(matches!(again, Err(DnsError::Conflict { .. })), "{again:?}");
}

#[tokio::test]
async fn a_foreign_edit_is_a_conflict_and_stays() {
    let service = CloudDns::start().await;
    let dns = adopted(&service).await;
    let held = suite::state(A, 5, "v=1;epoch=1");
    service.set_foreign("db.example.test.", "CNAME", 60, &["X.example.net."]);
    let foreign = RecordState { record: Some(ResourceSet::single(60, "x.example.net")), ..held.clone() };
    suite::refused(&dns, &held, &suite::state(B, 5, "v=1;epoch=2"), &foreign).await;
    // Its spelling is repeated, not ours.
    suite::accepted(&dns, &foreign, &suite::state(B, 5, "v=1;epoch=2")).await;
}

#[tokio::test]
async fn a_token_that_was_taken_back_is_asked_for_anew() {
    let service = CloudDns::start().await;
    let dns = adopted(&service).await;
    service.revoke();
    let refused = dns.read().await;
    assert!(matches!(refused, Err(DnsError::Denied { .. })), "{refused:?}");
    dns.read().await.expect("the next look has a new token");
    assert_eq!(service.token_requests(), 2);
}

#[tokio::test]
async fn what_is_missing_is_told_before_anything_is_changed() {
    let service = CloudDns::start().await;
    let dns = adopted(&service).await;
    service.set_read_only(true);
    let lacks = dns.check().await;
    assert!(matches!(&lacks[..], [DnsError::Denied { action: "dns.changes.create", .. }]), "{lacks:?}");
    service.set_read_only(false);

    // The key of somebody else, and what is no key at all.
    let other = CloudDns::start().await;
    let mut stranger = other.key_file();
    stranger["token_uri"] = service.key_file()["token_uri"].clone();
    let dns = provider(&service, RecordType::Cname, Some(Secret::new(stranger.to_string())));
    let change = dns.change(&step("v=1;epoch=1", "v=1;epoch=2"), &suite::in_time()).await;
    assert!(matches!(change, Err(DnsError::Denied { .. })), "{change:?}");
    let (record, place) = config(&service, RecordType::Cname, None);
    let clock = || Arc::new(SystemClock::new());
    let mut far = service.key_file();
    far["token_uri"] = json!("http://tokens.example.com/token");
    for bad in [json!({"type": "authorized_user"}), json!({"private_key": "hunter2"}), far] {
        let place = Place { key: Some(Secret::new(bad.to_string())), ..place.clone() };
        let made = CloudDnsProvider::new(&record, &place, None, clock()).err().expect("it is refused");
        assert!(
            matches!(made, DnsError::Misconfigured { .. }) && !made.to_string().contains("hunter2"),
            "{made}"
        );
    }
    let wrong = Place { managed_zone: "another".to_owned(), ..place };
    let dns = CloudDnsProvider::new(&record, &wrong, Some(service.host()), clock()).expect("a provider");
    assert_eq!(dns.check().await.len(), 2, "neither the zone nor its sets");
}

#[tokio::test]
async fn the_program_adopts_and_checks_it() {
    let service = CloudDns::start().await;
    service.set_foreign("db.example.test.", "CNAME", 5, &["a.example.net."]);
    let key = service.folder().join("key.json");
    fs::write(&key, service.key_file().to_string()).expect("the key file");
    let site = |name: &str, target: &str, redis: &str| -> Value {
        json!({"datacenter": name, "dns_target": target, "targets": [redis]})
    };
    let sites = [site("dc-a", A, "redis://127.0.0.1:1"), site("dc-b", B, "redis://127.0.0.1:2")];
    let record = json!({"provider": "cloud-dns", "project": PROJECT, "managed_zone": MANAGED_ZONE, "key_file": key,
        "endpoint": service.url(), "name": NAME, "type": "CNAME", "ttl": "5s"});
    let setup = Setup::new(record, &sites);
    let adopted = setup.redrover(&["adopt", SERVICE, "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}", adopted.stderr);
    let output = setup.redrover(&["check", "--connect"]).await;
    assert!(output.stdout.contains("lets this agent read and change record and fence"), "{}", output.stdout);
    assert!(output.stdout.contains("dc-a is active, epoch 1"), "{}", output.stdout);
}
