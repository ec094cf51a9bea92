//! Failures on demand, and the guards in front of the zone.

use std::time::Duration;

use aws_sdk_route53::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_route53::types::ChangeAction::{Create, Delete};
use route53_sandbox::{Options, ThrottleOptions};
use serde_json::{Value, json};

use crate::support::{Rig, change, client, eventually, http, options};

const NEW: [(aws_sdk_route53::types::ChangeAction, &str); 1] = [(Create, "a.example.test A 5 192.0.2.1")];
const BEFORE: [&str; 1] = ["db.example.test. CNAME 5 paris.example.net"];
const AFTER: [&str; 2] = ["a.example.test. A 5 192.0.2.1", "db.example.test. CNAME 5 paris.example.net"];

#[tokio::test]
async fn a_lost_request_changes_nothing() {
    let rig = Rig::start(options()).await;
    rig.faults(json!([{ "fault": "lose_request" }])).await;
    let error = rig.change(&NEW).await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(rig.sets().await, BEFORE);
    assert_eq!(rig.history().await[0]["code"], "lose_request");
    rig.change(&NEW).await.unwrap();
    assert_eq!(rig.sets().await, AFTER);
}

#[tokio::test]
async fn a_lost_reply_hides_a_change_that_happened() {
    let rig = Rig::start(options()).await;
    rig.faults(json!([{ "fault": "lose_reply" }])).await;
    let error = rig.change(&NEW).await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(rig.sets().await, AFTER);
    assert_eq!(rig.change(&NEW).await.unwrap_err().code(), Some("InvalidChangeBatch"));
}

#[tokio::test]
async fn faults_answer_as_the_service_does_and_apply_nothing() {
    for (fault, status, code) in [
        ("throttle", 400, "Throttling"),
        ("prior_request_not_complete", 400, "PriorRequestNotComplete"),
        ("access_denied", 403, "AccessDenied"),
        ("unavailable", 503, "ServiceUnavailable"),
    ] {
        let rig = Rig::start(options()).await;
        rig.faults(json!([{ "fault": fault, "count": 2 }])).await;
        for _ in 0..2 {
            let error = rig.change(&NEW).await.unwrap_err();
            assert_eq!(error.code(), Some(code));
            assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{fault}");
        }
        assert_eq!(rig.sets().await, BEFORE, "{fault}");
        rig.change(&NEW).await.unwrap();
    }
}

#[tokio::test]
async fn a_delayed_request_is_executed_after_the_client_gave_up() {
    let rig = Rig::start(options()).await;
    rig.faults(json!([{ "fault": "delay", "delay_ms": 300 }])).await;
    let hasty = client(&rig.running.api_url(), Duration::from_millis(100));
    let error = change(&hasty, "Z0TEST", &NEW).await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(rig.sets().await, BEFORE);
    eventually("the change is applied", || async { rig.sets().await == AFTER }).await;
}

#[tokio::test]
async fn reads_fail_too_and_faults_can_be_cleared() {
    let rig = Rig::start(options()).await;
    let unavailable = |operation| json!({ "fault": "unavailable", "operation": operation, "count": 1000 });
    rig.faults(json!([unavailable("ListResourceRecordSets"), unavailable("GetHostedZone")])).await;
    let list = rig.client.list_resource_record_sets().hosted_zone_id("Z0TEST").send().await.unwrap_err();
    assert_eq!(list.code(), Some("ServiceUnavailable"));
    let zone = rig.client.get_hosted_zone().id("Z0TEST").send().await.unwrap_err();
    assert_eq!(zone.code(), Some("ServiceUnavailable"));
    rig.change(&NEW).await.unwrap();
    assert_eq!(rig.control("DELETE", "/_sandbox/faults", Value::Null).await.0, 204);
    assert_eq!(rig.sets().await, AFTER);
}

#[tokio::test]
async fn an_empty_bucket_throttles() {
    let throttle = Some(ThrottleOptions { burst: 2, per_second: 0.0 });
    let rig = Rig::start(Options { throttle, ..options() }).await;
    rig.change(&NEW).await.unwrap();
    rig.sets().await;
    let error = rig.change(&[(Delete, "a.example.test A 5 192.0.2.1")]).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Some("Throttling"), Some("Rate exceeded")));
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
}

#[tokio::test]
async fn a_strict_zone_takes_one_change_at_a_time() {
    let delay = Duration::from_millis(200);
    let rig = Rig::start(Options { strict_pending: true, ..options() }.with_sync_delay(delay)).await;
    rig.change(&NEW).await.unwrap();
    let second = [(Create, "b.example.test A 5 192.0.2.1")];
    let error = rig.change(&second).await.unwrap_err().into_service_error();
    assert!(error.is_prior_request_not_complete(), "{error:?}");
    eventually("the second change is taken", || async { rig.change(&second).await.is_ok() }).await;
}

#[tokio::test]
async fn a_request_without_signature_is_refused() {
    let rig = Rig::start(options()).await;
    let path = "/2013-04-01/hostedzone/Z0TEST/rrset";
    let (status, body) = http(&rig.running.api_url(), "GET", path, "").await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>MissingAuthenticationToken</Code>"), "{body}");
    let (status, body) = http(&rig.running.api_url(), "GET", "/2013-04-01/healthcheck", "").await;
    assert_eq!(status, 404);
    assert!(body.contains("<Type>Sender</Type>"), "{body}");
}
