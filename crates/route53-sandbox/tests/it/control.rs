//! The control endpoint.

use aws_sdk_route53::error::ProvideErrorMetadata as _;
use aws_sdk_route53::types::ChangeAction::{Create, Delete, Upsert};
use hickory_proto::rr::RecordType;
use route53_sandbox::{Options, PrivateZone, RecordSpec};
use serde_json::{Value, json};

use crate::support::{Rig, answers, change, http, options, post_form, sets};

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
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "route53:ChangeResourceRecordSets",
                "Resource": "arn:aws:route53:::hostedzone/Z0TEST",
                "Condition": {
                    "ForAllValues:StringEquals": {
                        "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
                        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["db.example.test", "_redrover.db.example.test"],
                        "route53:ChangeResourceRecordSetsRecordTypes": ["CNAME", "TXT"],
                    },
                },
            },
            {
                "Effect": "Allow",
                "Action": "route53:ListResourceRecordSets",
                "Resource": "arn:aws:route53:::hostedzone/Z0TEST",
            },
        ],
    });
    assert_eq!(rig.control("PUT", "/_sandbox/policy", json!({"actions": ["CREATE"]})).await.0, 422);
    assert_eq!(rig.control("PUT", "/_sandbox/policy", policy).await.0, 204);
    let zone = rig.client.get_hosted_zone().id("Z0TEST").send().await.unwrap_err();
    assert_eq!(zone.code(), Some("AccessDenied"));
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

#[tokio::test]
async fn a_private_zone_is_a_zone_of_its_own() {
    let record = RecordSpec::simple("db.example.test", "CNAME", 5, ["inner.example.net"]);
    let private =
        PrivateZone { id: "Z0PRIVATE".to_owned(), name: "example.test".to_owned(), records: vec![record] };
    let rig = Rig::start(options().with_private_zone(private)).await;
    for (id, is_private) in [("Z0TEST", false), ("Z0PRIVATE", true)] {
        let zone = rig.client.get_hosted_zone().id(id).send().await.unwrap();
        let config = zone.hosted_zone().unwrap().config().unwrap();
        assert_eq!((config.private_zone(), zone.delegation_set().is_none()), (is_private, is_private));
    }
    let swap = [
        (Delete, "db.example.test CNAME 5 inner.example.net"),
        (Create, "db.example.test CNAME 5 tokyo.example.net"),
    ];
    let unavailable = json!({ "fault": "unavailable", "zone_id": "Z0PRIVATE" });
    rig.faults(json!([unavailable])).await;
    rig.change(&[(Create, "a.example.test A 5 192.0.2.1")]).await.unwrap();
    change(&rig.client, "Z0PRIVATE", &swap).await.unwrap_err();
    let info = change(&rig.client, "Z0PRIVATE", &swap).await.unwrap();
    assert!(rig.client.get_change().id(&info.id).send().await.is_ok());
    assert_eq!(sets(&rig.client, "Z0PRIVATE").await, ["db.example.test. CNAME 5 tokyo.example.net"]);
    let public = ["a.example.test. A 5 192.0.2.1", "db.example.test. CNAME 5 paris.example.net"];
    assert_eq!(rig.sets().await, public);
    assert_eq!(rig.history().await.last().unwrap()["zone_id"], "Z0PRIVATE");
    let record =
        json!({ "name": "db.example.test", "type": "CNAME", "ttl": 5, "values": ["oslo.example.net"] });
    let edit = json!({ "action": "set", "record": record, "zone_id": "Z0PRIVATE" });
    assert_eq!(rig.control("PUT", "/_sandbox/records", edit).await.0, 200);
    assert_eq!(sets(&rig.client, "Z0PRIVATE").await, ["db.example.test. CNAME 5 oslo.example.net"]);
    assert_eq!(rig.sets().await, public);
}

#[tokio::test]
async fn keys_are_given_out_and_known_from_then_on() {
    let rig = Rig::start(Options { access_keys: vec!["AKIDSANDBOX".to_owned()], ..options() }).await;
    let url = rig.running.api_url();
    assert_eq!(rig.sets().await.len(), 1, "the client's key is known");
    let form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::1:role/r&RoleSessionName=s\
                &WebIdentityToken=jwt";
    let (status, body) = post_form(&url, form).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("<AccessKeyId>ASIASANDBOX000000001</AccessKeyId>"), "{body}");
    let unsigned = form.replace("WithWebIdentity", "");
    assert_eq!(post_form(&url, &unsigned).await.0, 403, "AssumeRole needs a caller");
    assert_eq!(post_form(&url, &form.replace("role/r", "user/r")).await.0, 400);
    let (status, _) = http(&url, "GET", "/latest/meta-data/iam/security-credentials/", "").await;
    assert_eq!(status, 401, "version 2 wants a session first");
    let (_, keys) = rig.control("GET", "/_sandbox/keys", Value::Null).await;
    assert_eq!(keys["keys"][0]["how"], "AssumeRoleWithWebIdentity");
    assert_eq!(keys["keys"][0]["proof"], "jwt");
    let stranger = aws_sdk_route53::config::Credentials::new("AKIDOTHER", "secret", None, None, "test");
    let config = rig.client.config().to_builder().credentials_provider(stranger).build();
    let error = aws_sdk_route53::Client::from_conf(config).get_hosted_zone().id("Z0TEST").send().await;
    assert_eq!(error.unwrap_err().code(), Some("InvalidClientTokenId"));
}
