//! From `PENDING` to `INSYNC`, as the API and as DNS show it.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::time::Duration;

use aws_sdk_route53::types::ChangeAction::{Create, Delete};
use aws_sdk_route53::types::ChangeStatus;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use route53_sandbox::RecordSpec;

use crate::support::{Rig, answers, eventually, options};

#[tokio::test]
async fn a_change_shows_in_the_api_at_once_and_in_dns_when_insync() {
    let rig = Rig::start(options().with_sync_delay(Duration::from_millis(500))).await;
    let old = ["db.example.test. CNAME 5 paris.example.net."];
    let new = ["db.example.test. CNAME 7 tokyo.example.net."];
    assert_eq!(answers(&rig.udp("db.example.test", RecordType::A).await), old);
    let swap = [
        (Delete, "db.example.test CNAME 5 paris.example.net"),
        (Create, "db.example.test CNAME 7 tokyo.example.net"),
    ];
    let info = rig.change(&swap).await.unwrap();
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 7 tokyo.example.net"]);

    // The order of the two reads makes the check exact: DNS first, then a status that is still PENDING.
    let early = [
        rig.udp("db.example.test", RecordType::A).await,
        rig.tcp("db.example.test", RecordType::CNAME).await,
    ];
    if status(&rig, &info.id).await == ChangeStatus::Pending {
        assert!(early.iter().all(|message| answers(message) == old), "{early:?}");
    }
    eventually("the change is INSYNC", || async { status(&rig, &info.id).await == ChangeStatus::Insync })
        .await;
    assert_eq!(answers(&rig.udp("db.example.test", RecordType::A).await), new);
    assert_eq!(answers(&rig.tcp("DB.example.test", RecordType::CNAME).await), new);
}

#[tokio::test]
async fn a_change_that_is_never_insync_is_never_served() {
    let rig = Rig::start(options().with_sync_delay(Duration::from_secs(3600))).await;
    let info = rig.change(&[(Create, "a.example.test A 5 192.0.2.1")]).await.unwrap();
    assert_eq!(status(&rig, &info.id).await, ChangeStatus::Pending);
    for message in
        [rig.udp("a.example.test", RecordType::A).await, rig.tcp("a.example.test", RecordType::A).await]
    {
        assert_eq!(message.metadata.response_code, ResponseCode::NXDomain);
    }
}

#[tokio::test]
async fn dns_speaks_as_an_authority() {
    let rig = Rig::start(options().with_record(RecordSpec::simple(
        "_f.example.test",
        "TXT",
        60,
        ["\"v=1;epoch=3\""],
    )))
    .await;
    let text = rig.udp("_f.example.test", RecordType::TXT).await;
    assert_eq!(answers(&text), ["_f.example.test. TXT 60 v=1;epoch=3"]);
    assert!(text.metadata.authoritative && !text.metadata.recursion_available);
    for (name, kind, code, authorities) in [
        ("_f.example.test", RecordType::A, ResponseCode::NoError, 1),
        ("no.example.test", RecordType::A, ResponseCode::NXDomain, 1),
        ("db.example.org", RecordType::A, ResponseCode::Refused, 0),
    ] {
        let message = rig.udp(name, kind).await;
        assert_eq!((message.metadata.response_code, message.answers.len()), (code, 0), "{name}");
        assert_eq!(message.authorities.len(), authorities, "{name}");
        assert!(message.authorities.iter().all(|record| record.record_type() == RecordType::SOA), "{name}");
    }
    let servers = rig.tcp("example.test", RecordType::NS).await;
    assert_eq!(servers.answers.len(), 2);
}

#[tokio::test]
async fn an_answer_too_large_for_udp_is_had_over_tcp() {
    let addresses: Vec<_> = (1..=100).map(|number| format!("192.0.2.{number}")).collect();
    let rig =
        Rig::start(options().with_record(RecordSpec::simple("many.example.test", "A", 5, addresses))).await;
    let cut = rig.udp("many.example.test", RecordType::A).await;
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    assert_eq!(rig.tcp("many.example.test", RecordType::A).await.answers.len(), 100);
}

#[tokio::test]
async fn weights_decide_who_answers() {
    let group = |number: u8, weight| {
        RecordSpec::simple("w.example.test", "A", 5, [format!("192.0.2.{number}")])
            .weighted(format!("dc-{number}"), weight)
    };
    let rig = Rig::start(options().with_record(group(1, 2)).with_record(group(2, 1))).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.extend(answers(&rig.udp("w.example.test", RecordType::A).await));
    }
    let ends: String = seen.iter().filter_map(|text| text.chars().last()).collect();
    assert_eq!(ends, "112112");
}

async fn status(rig: &Rig, id: &str) -> ChangeStatus {
    rig.client.get_change().id(id).send().await.unwrap().change_info.unwrap().status
}
