//! What every provider must do, over the port only.

use std::sync::Arc;
use std::time::Duration;

use super::{Dns, DnsError, RecordChange, SendBy};
use crate::types::{RecordState, ResourceSet, SystemClock};

const VISIBLE_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
const RIVALS: u32 = 8;

/// A change that may leave for a while yet.
pub fn in_time() -> SendBy {
    SendBy::within(VISIBLE_LIMIT, None, Arc::new(SystemClock::new()))
}

/// A change that must not leave any more.
fn too_late() -> SendBy {
    SendBy::within(Duration::ZERO, None, Arc::new(SystemClock::new()))
}

/// Takes a provider whose name holds nothing through all that it must do and must refuse. `a` and `b` are two
/// values of the record's type in normal form, or several, one on each line.
pub async fn every_provider(dns: &dyn Dns, a: &str, b: &str) {
    let adopted = state(a, 5, "v=1;epoch=1");
    creation(dns, &adopted, b).await;
    let claimed = state(a, 5, "v=1;epoch=2");
    accepted(dns, &adopted, &claimed).await;
    staleness(dns, &claimed, a, b).await;
    let switched = state(b, 5, "v=1;epoch=3");
    accepted(dns, &claimed, &switched).await;
    // The former state is refused, although every part of it was true once.
    refused(dns, &claimed, &state(a, 5, "v=1;epoch=3"), &switched).await;
    let slower = state(b, 30, "v=1;epoch=4");
    accepted(dns, &switched, &slower).await;
    never_empty(dns, &slower).await;
    let long = state(b, 30, &format!("v=1;epoch=5;decision={}", "x\\\"y;z ".repeat(60)));
    accepted(dns, &slower, &long).await;
    rivals(dns, &long, a).await;
}

/// An agent that stood still sends nothing.
async fn late(dns: &dyn Dns, held: &RecordState, wanted: &RecordState) {
    let change = RecordChange { expected: held.clone(), wanted: wanted.clone() };
    let answer = dns.change(&change, &too_late()).await;
    assert!(matches!(answer, Err(DnsError::Unavailable { .. })), "{answer:?}");
    assert_eq!(dns.read().await.expect("the name can be read"), *held);
}

async fn creation(dns: &dyn Dns, adopted: &RecordState, other: &str) {
    let nothing = RecordState { record: None, fence: None };
    assert_eq!(dns.read().await.expect("an empty name can be read"), nothing);
    refused(dns, adopted, &state(other, 5, "v=1;epoch=2"), &nothing).await;
    late(dns, &nothing, adopted).await;
    let bare = RecordState { record: adopted.record.clone(), fence: None };
    accepted(dns, &nothing, &bare).await;
    refused(dns, &nothing, adopted, &bare).await;
    accepted(dns, &bare, adopted).await;
    refused(dns, &bare, &state(other, 5, "v=1;epoch=1"), adopted).await;
}

async fn staleness(dns: &dyn Dns, held: &RecordState, a: &str, b: &str) {
    for (why, stale) in [
        ("another fence", state(a, 5, "v=1;epoch=1")),
        ("another value", state(b, 5, "v=1;epoch=2")),
        (
            "another TTL of the record",
            RecordState { record: state(a, 6, "").record, fence: held.fence.clone() },
        ),
        (
            "another TTL of the fence",
            RecordState { record: held.record.clone(), fence: state(a, 6, "v=1;epoch=2").fence },
        ),
        ("no fence", RecordState { record: held.record.clone(), fence: None }),
    ] {
        eprintln!("expecting {why}");
        refused(dns, &stale, &state(b, 5, "v=1;epoch=9"), held).await;
        // A claim changes the fence alone, but is guarded by the record as well.
        let claim = RecordState { record: stale.record.clone(), fence: state(a, 5, "v=1;epoch=9").fence };
        refused(dns, &stale, &claim, held).await;
    }
}

async fn never_empty(dns: &dyn Dns, held: &RecordState) {
    for wanted in [
        RecordState { record: None, fence: held.fence.clone() },
        RecordState { record: held.record.clone(), fence: None },
        RecordState { record: None, fence: None },
        RecordState {
            record: Some(ResourceSet { ttl_seconds: 5, values: [].into() }),
            fence: held.fence.clone(),
        },
    ] {
        let answer = dns.change(&RecordChange { expected: held.clone(), wanted }, &in_time()).await;
        assert!(matches!(answer, Err(DnsError::Misconfigured { .. })), "{answer:?}");
        assert_eq!(dns.read().await.expect("can be read"), *held);
    }
}

async fn rivals(dns: &dyn Dns, held: &RecordState, value: &str) {
    let wanted = |rival: u32| state(value, 5, &format!("v=1;epoch=6;owner=rival-{rival}"));
    let change = |rival| async move {
        dns.change(&RecordChange { expected: held.clone(), wanted: wanted(rival) }, &in_time())
            .await
            .map(|_| rival)
    };
    let answers = futures_util::future::join_all((0..RIVALS).map(change)).await;
    let mut won = Vec::new();
    for answer in answers {
        match answer {
            Ok(rival) => won.push(rival),
            Err(DnsError::Conflict { .. } | DnsError::Throttled { .. }) => {}
            Err(error) => panic!("a rival saw {error:?}"),
        }
    }
    assert_eq!(won.len(), 1, "exactly one of {RIVALS} rivals wins");
    assert_eq!(dns.read().await.expect("can be read"), wanted(won[0]));
}

/// Makes a change, waits until it is visible, and reads it back.
pub async fn accepted(dns: &dyn Dns, expected: &RecordState, wanted: &RecordState) {
    let change = RecordChange { expected: expected.clone(), wanted: wanted.clone() };
    let receipt = dns.change(&change, &in_time()).await.expect("the change is accepted");
    assert_eq!(dns.read().await.expect("can be read"), *wanted, "the newest version is read at once");
    let visible = async {
        while !dns.is_visible(&receipt).await.expect("the receipt is known") {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(VISIBLE_LIMIT, visible).await.expect("the change becomes visible");
}

/// Tries a change that must be refused, and looks that nothing has changed.
pub async fn refused(dns: &dyn Dns, expected: &RecordState, wanted: &RecordState, held: &RecordState) {
    let change = RecordChange { expected: expected.clone(), wanted: wanted.clone() };
    let answer = dns.change(&change, &in_time()).await;
    // An empty set is never wanted, whatever was expected.
    let is_right = match &answer {
        Err(DnsError::Conflict { .. }) => true,
        Err(DnsError::Misconfigured { .. }) => wanted.record.is_none() || wanted.fence.is_none(),
        _ => false,
    };
    assert!(is_right, "a stale change was not refused: {answer:?}");
    assert_eq!(dns.read().await.expect("can be read"), *held, "a refused change left its mark");
}

/// A state of one fence text, and of one value on each line.
pub fn state(values: &str, ttl_seconds: u32, fence: &str) -> RecordState {
    RecordState {
        record: Some(ResourceSet { ttl_seconds, values: values.lines().map(str::to_owned).collect() }),
        fence: Some(ResourceSet::single(ttl_seconds, fence)),
    }
}
