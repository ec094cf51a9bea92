//! The control endpoint.

use aws_sdk_route53::error::ProvideErrorMetadata as _;
use aws_sdk_route53::types::ChangeAction::{Create, Delete, Upsert};
use hickory_proto::rr::RecordType;
use serde_json::{Value, json};

use crate::support::{Rig, answers, options};

#[tokio::test]
async fn a_foreign_edit_defeats_a_compare_and_swap() {
    let rig = Rig::start(options()).await;
    let record =
        json!({ "name": "db.example.test", "type": "CNAME", "ttl": 5, "values": ["oslo.example.net"] });
    let (status, reply) =
        rig.control("PUT", "/_sandbox/records", json!({ "action": "set", "record": record })).await;
    assert_eq!(status, 200);
    assert!(reply["change_id"].as_str().unwrap().starts_with('C'));
    let swap = [
        (Delete, "db.example.test CNAME 5 paris.example.net"),
        (Create, "db.example.test CNAME 5 tokyo.example.net"),
    ];
    assert_eq!(rig.change(&swap).await.unwrap_err().code(), Some("InvalidChangeBatch"));
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 oslo.example.net"]);
    assert_eq!(
        answers(&rig.udp("db.example.test", RecordType::A).await),
        ["db.example.test. CNAME 5 oslo.example.net."]
    );

    let gone = json!({ "action": "delete", "record": { "name": "db.example.test", "type": "CNAME" } });
    assert_eq!(rig.control("PUT", "/_sandbox/records", gone).await.0, 200);
    assert!(rig.sets().await.is_empty());
    let bad = json!({ "action": "set", "record": { "name": "d..b", "type": "CNAME" } });
    assert_eq!(rig.control("PUT", "/_sandbox/records", bad).await.0, 400);
}

#[tokio::test]
async fn a_policy_denies_what_it_does_not_name() {
    let rig = Rig::start(options()).await;
    let policy = json!({
        "actions": ["CREATE", "DELETE"],
        "record_names": ["db.example.test", "_redrover.db.example.test"],
        "record_types": ["CNAME", "TXT"],
    });
    assert_eq!(rig.control("PUT", "/_sandbox/policy", policy).await.0, 204);
    let allowed = (Create, "_redrover.db.example.test TXT 5 \"v=1\"");
    for denied in [
        (Upsert, "db.example.test CNAME 5 tokyo.example.net"),
        (Create, "other.example.test CNAME 5 tokyo.example.net"),
        (Create, "_redrover.db.example.test A 5 192.0.2.1"),
    ] {
        let error = rig.change(&[allowed.clone(), denied]).await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDenied"));
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    }
    assert_eq!(rig.sets().await, ["db.example.test. CNAME 5 paris.example.net"]);
    rig.change(&[allowed]).await.unwrap();
    assert_eq!(rig.control("DELETE", "/_sandbox/policy", Value::Null).await.0, 204);
    rig.change(&[(Upsert, "db.example.test CNAME 5 tokyo.example.net")]).await.unwrap();
}

#[tokio::test]
async fn the_history_tells_what_happened() {
    let rig = Rig::start(options()).await;
    let swap = [
        (Delete, "db.example.test CNAME 5 paris.example.net"),
        (Create, "db.example.test CNAME 5 tokyo.example.net"),
    ];
    let info = rig.change(&swap).await.unwrap();
    rig.change(&swap).await.unwrap_err();
    let history = rig.history().await;
    assert_eq!(history.len(), 2);
    assert_eq!(history[0]["outcome"], "applied");
    assert_eq!(history[0]["source"], "api");
    assert_eq!(format!("/change/{}", history[0]["change_id"].as_str().unwrap()), info.id);
    assert_eq!(history[0]["changes"][0]["action"], "DELETE");
    assert_eq!(history[0]["changes"][0]["before"]["values"], json!(["paris.example.net"]));
    assert_eq!(history[0]["changes"][0]["after"], Value::Null);
    assert_eq!(history[0]["changes"][1]["after"]["values"], json!(["tokyo.example.net"]));
    assert_eq!(history[1]["outcome"], "refused");
    assert_eq!(history[1]["sequence"], 2);
    assert_eq!(history[1]["operation"], "ChangeResourceRecordSets");
    assert_eq!(history[1]["code"], "InvalidChangeBatch");
    assert_eq!(history[1]["changes"][1]["record"]["values"], json!(["tokyo.example.net"]));
}

#[tokio::test]
async fn the_control_endpoint_tells_its_state() {
    let rig = Rig::start(options()).await;
    let (status, health) = rig.control("GET", "/_sandbox/health", Value::Null).await;
    assert_eq!((status, health["zone_id"].as_str()), (200, Some("Z0TEST")));
    rig.faults(json!([{ "fault": "throttle", "count": 3 }])).await;
    let (_, faults) = rig.control("GET", "/_sandbox/faults", Value::Null).await;
    assert_eq!(faults["faults"][0]["count"], 3);
    assert_eq!(
        rig.control("PUT", "/_sandbox/faults", json!({ "faults": [{ "fault": "explode" }] })).await.0,
        422
    );
    let (_, records) = rig.control("GET", "/_sandbox/records", Value::Null).await;
    assert_eq!(records["records"].as_array().unwrap().len(), 3);
}
