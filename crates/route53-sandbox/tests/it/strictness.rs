//! What the service refuses and looser doubles accept: one test for each row of the list in the README.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use aws_sdk_route53::error::ProvideErrorMetadata as _;
use aws_sdk_route53::types::ChangeAction::{Create, Delete, Upsert};
use aws_sdk_route53::types::ChangeStatus;
use hickory_proto::rr::RecordType;
use route53_sandbox::{Options, RecordSpec};

use crate::support::{ChangeResult, Rig, answers, options};

const MISMATCH: &str = "Tried to delete resource record set [name='db.example.test.', type='CNAME'] \
                        but the values provided do not match the current values";
const EXISTS: &str =
    "Tried to create resource record set [name='db.example.test.', type='CNAME'] but it already exists";

#[tokio::test]
async fn the_current_value_can_be_swapped() {
    let rig = Rig::start(options()).await;
    let swap = [
        (Delete, "db.example.test CNAME 5 paris.example.net"),
        (Create, "db.example.test CNAME 5 tokyo.example.net"),
    ];
    rig.change(&swap).await.unwrap();
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 tokyo.example.net"]);
}

#[tokio::test]
async fn a_value_that_never_was_cannot_be_deleted() {
    let rig = Rig::start(options()).await;
    let result = rig.change(&[(Delete, "db.example.test CNAME 5 oslo.example.net")]).await;
    assert_invalid_batch(&result, &format!("[{MISMATCH}]"));
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 paris.example.net"]);
}

#[tokio::test]
async fn a_former_value_cannot_be_swapped() {
    let rig = Rig::start(options()).await;
    let swap = [
        (Delete, "db.example.test CNAME 5 paris.example.net"),
        (Create, "db.example.test CNAME 5 tokyo.example.net"),
    ];
    rig.change(&swap).await.unwrap();
    let stale = [
        (Delete, "db.example.test CNAME 5 paris.example.net"),
        (Create, "db.example.test CNAME 5 oslo.example.net"),
    ];
    assert_invalid_batch(&rig.change(&stale).await, &format!("[{MISMATCH}, {EXISTS}]"));
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 tokyo.example.net"]);
}

#[tokio::test]
async fn a_set_cannot_be_created_twice() {
    let rig = Rig::start(options()).await;
    let result = rig.change(&[(Create, "db.example.test CNAME 5 tokyo.example.net")]).await;
    assert_invalid_batch(&result, &format!("[{EXISTS}]"));
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 paris.example.net"]);
}

#[tokio::test]
async fn one_bad_change_keeps_the_good_one_out() {
    let rig = Rig::start(options()).await;
    let batch = [(Create, "good.example.test A 5 192.0.2.1"), (Create, "bad.example.org A 5 192.0.2.1")];
    let complaint = "[RRSet with DNS name bad.example.org. is not permitted in zone example.test.]";
    assert_invalid_batch(&rig.change(&batch).await, complaint);
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 paris.example.net"]);
}

#[tokio::test]
async fn an_accepted_change_is_pending() {
    let rig = Rig::start(Options::new("example.test", "Z0TEST")).await;
    let info = rig.change(&[(Create, "a.example.test A 5 192.0.2.1")]).await.unwrap();
    assert_eq!(info.status, ChangeStatus::Pending);
    assert!(info.id.starts_with("/change/C"), "{}", info.id);
    assert_eq!(info.comment.as_deref(), Some("a test"));
}

#[tokio::test]
async fn a_delete_names_every_property() {
    let rig = Rig::start(options()).await;
    rig.change(&[(Create, "w.example.test A 5 192.0.2.1 192.0.2.2 #paris=7")]).await.unwrap();
    for (case, delete) in [
        ("ttl", "w.example.test A 6 192.0.2.1 192.0.2.2 #paris=7"),
        ("weight", "w.example.test A 5 192.0.2.1 192.0.2.2 #paris=8"),
        ("values", "w.example.test A 5 192.0.2.1 #paris=7"),
        ("identifier", "w.example.test A 5 192.0.2.1 192.0.2.2 #tokyo=7"),
        ("type", "w.example.test AAAA 5 2001:db8::1 #paris=7"),
    ] {
        let error = rig.change(&[(Delete, delete)]).await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidChangeBatch"), "{case}");
    }
    rig.change(&[(Delete, "W.example.test. A 5 192.0.2.2 192.0.2.1 #paris=7")]).await.unwrap();
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 paris.example.net"]);
}

#[tokio::test]
async fn an_upsert_makes_and_replaces() {
    let rig = Rig::start(options()).await;
    rig.change(&[
        (Upsert, "db.example.test CNAME 9 oslo.example.net"),
        (Upsert, "_f.db.example.test TXT 9 \"v=1; a\" \"b\""),
    ])
    .await
    .unwrap();
    let expected =
        ["db.example.test. CNAME 9 oslo.example.net", "_f.db.example.test. TXT 9 \"v=1; a\" \"b\""];
    assert_eq!(rig.sets().await, expected);
}

#[tokio::test]
async fn weighted_sets_flip_in_one_batch() {
    let rig = Rig::start(options()).await;
    rig.change(&[
        (Create, "w.example.test A 5 192.0.2.1 #paris=255"),
        (Create, "w.example.test A 5 192.0.2.2 #tokyo=0"),
    ])
    .await
    .unwrap();
    let flip = [
        (Delete, "w.example.test A 5 192.0.2.1 #paris=255"),
        (Create, "w.example.test A 5 192.0.2.1 #paris=0"),
        (Delete, "w.example.test A 5 192.0.2.2 #tokyo=0"),
        (Create, "w.example.test A 5 192.0.2.2 #tokyo=255"),
    ];
    rig.change(&flip).await.unwrap();
    assert_eq!(
        rig.sets().await[1..],
        ["w.example.test. A 5 192.0.2.1 #paris=0", "w.example.test. A 5 192.0.2.2 #tokyo=255",]
    );
    let simple = rig.change(&[(Create, "w.example.test A 5 192.0.2.3")]).await.unwrap_err();
    assert!(
        simple
            .message()
            .unwrap()
            .contains("cannot be created as other RRSets exist with the same name and type")
    );
}

fn assert_invalid_batch(result: &ChangeResult, message: &str) {
    let error = result.as_ref().unwrap_err().as_service_error().unwrap();
    assert!(error.is_invalid_change_batch(), "{error:?}");
    assert_eq!(error.message(), Some(message));
}

#[tokio::test]
async fn an_alias_is_compared_as_a_whole_and_answers_what_its_target_holds() {
    let options = options()
        .with_record(RecordSpec::simple("paris.example.test", "A", 30, ["192.0.2.1"]))
        .with_record(RecordSpec::simple("tokyo.example.test", "A", 30, ["192.0.2.2"]))
        .with_record(RecordSpec::alias("lb.example.test", "A", "Z0TEST", "paris.example.test"));
    let rig = Rig::start(options).await;
    let swap = [
        (Delete, "lb.example.test A alias Z0TEST Paris.example.test."),
        (Create, "lb.example.test A alias Z0TEST tokyo.example.test"),
    ];
    rig.change(&swap).await.unwrap();
    assert!(rig.sets().await.contains(&"lb.example.test. A alias Z0TEST tokyo.example.test.".to_owned()));
    let complaint = "Tried to delete resource record set [name='lb.example.test.', type='A'] but the values provided \
                     do not match the current values";
    let exists =
        "Tried to create resource record set [name='lb.example.test.', type='A'] but it already exists";
    assert_invalid_batch(&rig.change(&swap).await, &format!("[{complaint}, {exists}]"));
    let other_zone = [(Delete, "lb.example.test A alias Z2 tokyo.example.test")];
    assert_invalid_batch(&rig.change(&other_zone).await, &format!("[{complaint}]"));
    let answer = rig.udp("lb.example.test", RecordType::A).await;
    assert_eq!(answers(&answer), ["lb.example.test. A 30 192.0.2.2"]);
}
