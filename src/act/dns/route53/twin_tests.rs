//! A public and a private zone at the stand-in: both change, or everybody sees that they did not.

use std::time::Duration;

use route53_sandbox::{Options, PrivateZone, Running, Sandbox};

use super::Route53Dns;
use super::shapes_tests::{edit, get, put};
use super::tests::{config, credentials};
use crate::act::dns::suite::{self, accepted, in_time, state};
use crate::act::dns::{Dns, DnsError, RecordChange};
use crate::types::{RecordState, RecordType};

async fn start() -> Running {
    let private = PrivateZone { id: "Z2".to_owned(), name: "example.com".to_owned(), records: Vec::new() };
    let options = Options::new("example.com", "Z1").with_sync_delay(Duration::from_millis(20));
    Sandbox::start(options.with_private_zone(private)).await.unwrap()
}

/// The provider of both zones, or of one of them alone.
async fn provider(sandbox: &Running, zones: (&str, Option<&str>)) -> Route53Dns {
    let address = sandbox.api_url().trim_start_matches("http://").parse().unwrap();
    let (mut record, mut place) = config(address);
    record.kind = RecordType::Cname;
    place.zone_id = zones.0.to_owned();
    place.private_zone_id = zones.1.map(str::to_owned);
    Route53Dns::connect_with(&record, &place, credentials()).await.unwrap()
}

async fn both(sandbox: &Running) -> Route53Dns {
    provider(sandbox, ("Z1", Some("Z2"))).await
}

async fn fault(sandbox: &Running, fault: &str, count: u32) {
    let faults = serde_json::json!({"faults": [{"fault": fault, "zone_id": "Z2", "count": count}]});
    put(sandbox, "faults", &faults.to_string()).await;
}

fn step(from: &RecordState, to: &RecordState) -> RecordChange {
    RecordChange { expected: from.clone(), wanted: to.clone() }
}

fn adopted() -> RecordState {
    state("a.example.net", 5, "v=1;epoch=1")
}

async fn adopt(sandbox: &Running, dns: &Route53Dns) {
    let nothing = RecordState { record: None, fence: None };
    accepted(dns, &nothing, &adopted()).await;
    for zone in ["Z1", "Z2"] {
        assert_eq!(provider(sandbox, (zone, None)).await.read().await.unwrap(), adopted(), "{zone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_zones_are_a_provider() {
    let sandbox = start().await;
    let dns = both(&sandbox).await;
    suite::every_provider(&dns, "a.example.net", "b.example.net").await;
    assert!(dns.check().await.is_empty());
    let mixed = provider(&sandbox, ("Z2", Some("Z1"))).await;
    assert_eq!(mixed.check().await.len(), 2, "public and private are mixed up");
}

#[tokio::test]
async fn half_a_change_is_unknown_and_seen_by_everybody_and_can_be_brought_to_its_end() {
    let claimed = state("a.example.net", 5, "v=1;epoch=2");
    for (what, is_brought_after) in
        [("throttle", true), ("unavailable", true), ("access_denied", true), ("lose_reply", false)]
    {
        let sandbox = start().await;
        let dns = both(&sandbox).await;
        adopt(&sandbox, &dns).await;
        fault(&sandbox, what, 1).await;
        let answer = dns.change(&step(&adopted(), &claimed), &in_time()).await;
        assert!(matches!(answer, Err(DnsError::Unknown { .. })), "{what}: {answer:?}");
        let found = dns.read().await.unwrap();
        if !is_brought_after {
            assert_eq!(found, claimed, "only the answer was lost");
            continue;
        }
        let (first, second) = found.parted().expect(what);
        assert!(first.has_values_of(&claimed) && second.has_values_of(&adopted()), "{what}: {found:?}");
        // Whoever expects the one or the other is refused.
        for expected in [&adopted(), &claimed] {
            let rival = state("b.example.net", 5, "v=1;epoch=3;owner=rival");
            let answer = dns.change(&step(expected, &rival), &in_time()).await;
            assert!(matches!(answer, Err(DnsError::Conflict { .. })), "{what}: {answer:?}");
        }
        assert_eq!(dns.read().await.unwrap(), found, "{what}");
        dns.change(&step(&found, &claimed), &in_time()).await.unwrap();
        assert_eq!(dns.read().await.unwrap(), claimed, "{what}");
    }
}

#[tokio::test]
async fn a_foreign_edit_in_the_private_zone_keeps_the_public_one_as_it_is() {
    let sandbox = start().await;
    let dns = both(&sandbox).await;
    adopt(&sandbox, &dns).await;
    let foreign = serde_json::json!({"action": "set", "zone_id": "Z2", "record":
        {"name": "db.example.com", "type": "CNAME", "ttl": 5, "values": ["x.example.net"]}});
    edit(&sandbox, &foreign.to_string()).await;
    let claimed = state("a.example.net", 5, "v=1;epoch=2");
    let answer = dns.change(&step(&adopted(), &claimed), &in_time()).await;
    assert!(matches!(answer, Err(DnsError::Conflict { .. })), "{answer:?}");
    assert_eq!(provider(&sandbox, ("Z1", None)).await.read().await.unwrap(), adopted());
    let (first, second) = dns.read().await.unwrap().parted().unwrap();
    assert!(first.has_values_of(&adopted()), "{first:?}");
    assert_eq!(second.record, state("x.example.net", 5, "").record);
}

#[tokio::test]
async fn who_loses_in_the_public_zone_touches_the_private_one_never() {
    let sandbox = start().await;
    let dns = both(&sandbox).await;
    adopt(&sandbox, &dns).await;
    // Between this agent's look and its change the public zone alone is changed.
    let faults = serde_json::json!({"faults": [{"fault": "delay", "zone_id": "Z1", "delay_ms": 500}]});
    put(&sandbox, "faults", &faults.to_string()).await;
    let claimed = state("a.example.net", 5, "v=1;epoch=2;owner=slow");
    let slow = step(&adopted(), &claimed);
    let rival = state("a.example.net", 5, "v=1;epoch=2;owner=quick");
    let public = provider(&sandbox, ("Z1", None)).await;
    let send = in_time();
    let (answer, ()) = tokio::join!(dns.change(&slow, &send), async {
        // The change is on its way once its fault has struck.
        while get(&sandbox, "faults").await.contains("\"count\":1") {
            tokio::task::yield_now().await;
        }
        public.change(&step(&adopted(), &rival), &in_time()).await.unwrap();
    });
    assert!(matches!(answer, Err(DnsError::Conflict { .. })), "{answer:?}");
    assert_eq!(provider(&sandbox, ("Z2", None)).await.read().await.unwrap(), adopted());
}

#[tokio::test]
async fn the_second_half_that_comes_late_meets_a_zone_that_has_gone_on() {
    let sandbox = start().await;
    let dns = both(&sandbox).await;
    adopt(&sandbox, &dns).await;
    // It is on its way for longer than anybody waits.
    let faults = serde_json::json!({"faults": [{"fault": "delay", "zone_id": "Z2", "delay_ms": 6000}]});
    put(&sandbox, "faults", &faults.to_string()).await;
    let claimed = state("a.example.net", 5, "v=1;epoch=2");
    let answer = dns.change(&step(&adopted(), &claimed), &in_time()).await;
    assert!(matches!(answer, Err(DnsError::Unknown { .. })), "{answer:?}");
    // A person looks, and adopts what stands there.
    let found = dns.read().await.unwrap();
    let again = state("a.example.net", 5, "v=1;epoch=3");
    dns.change(&step(&found, &again), &in_time()).await.unwrap();
    let refused = async {
        loop {
            let history = get(&sandbox, "history").await;
            if history.matches("InvalidChangeBatch").count() == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refused).await.expect("the late half is refused");
    assert_eq!(dns.read().await.unwrap(), again);
}
