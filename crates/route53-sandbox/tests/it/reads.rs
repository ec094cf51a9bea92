//! The reading operations.

use aws_sdk_route53::error::ProvideErrorMetadata as _;
use aws_sdk_route53::types::RrType;
use route53_sandbox::RecordSpec;

use crate::support::{Rig, options, text};

#[tokio::test]
async fn pages_come_in_the_order_of_reversed_labels() {
    let mut options = options();
    for name in ["b.example.test", "x.a.example.test", "a.example.test", "*.example.test"] {
        options = options.with_record(RecordSpec::simple(name, "A", 5, ["192.0.2.1"]));
    }
    options = options.with_record(RecordSpec::simple("a.example.test", "TXT", 5, ["\"x\""]));
    let rig = Rig::start(options).await;
    let mut seen = Vec::new();
    let mut next = (None, None);
    loop {
        let request =
            rig.client.list_resource_record_sets().hosted_zone_id("/hostedzone/Z0TEST").max_items(2);
        let page = request.set_start_record_name(next.0).set_start_record_type(next.1).send().await.unwrap();
        assert_eq!(page.max_items, 2);
        seen.extend(
            page.resource_record_sets.iter().map(|set| format!("{} {}", set.name, set.r#type.as_str())),
        );
        if !page.is_truncated {
            assert!(page.next_record_name.is_none());
            break;
        }
        next = (page.next_record_name, page.next_record_type);
        assert!(next.0.is_some() && next.1.is_some());
    }
    assert_eq!(
        seen,
        [
            "example.test. NS",
            "example.test. SOA",
            "\\052.example.test. A",
            "a.example.test. A",
            "a.example.test. TXT",
            "x.a.example.test. A",
            "b.example.test. A",
            "db.example.test. CNAME",
        ]
    );
}

#[tokio::test]
async fn a_page_can_start_at_one_set() {
    let group = |identifier: &str| {
        RecordSpec::simple("w.example.test", "A", 5, ["192.0.2.1"]).weighted(identifier, 1)
    };
    let rig = Rig::start(options().with_record(group("paris")).with_record(group("tokyo"))).await;
    let list = || rig.client.list_resource_record_sets().hosted_zone_id("Z0TEST").max_items(1);
    let page = list().start_record_name("W.example.test").start_record_type(RrType::A).send().await.unwrap();
    assert_eq!(text(&page.resource_record_sets[0]), "w.example.test. A 5 192.0.2.1 #paris=1");
    assert_eq!(page.next_record_identifier.as_deref(), Some("tokyo"));
    let page = list()
        .start_record_name("w.example.test")
        .start_record_type(RrType::A)
        .start_record_identifier("tokyo")
        .send()
        .await
        .unwrap();
    assert_eq!(text(&page.resource_record_sets[0]), "w.example.test. A 5 192.0.2.1 #tokyo=1");
    assert!(!page.is_truncated);
    let error = list().start_record_type(RrType::A).send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_input(), "{error:?}");
}

#[tokio::test]
async fn the_zone_names_its_servers() {
    let rig = Rig::start(options()).await;
    let zone = rig.client.get_hosted_zone().id("Z0TEST").send().await.unwrap();
    let hosted = zone.hosted_zone.unwrap();
    assert_eq!((hosted.id.as_str(), hosted.name.as_str()), ("/hostedzone/Z0TEST", "example.test."));
    assert_eq!(hosted.resource_record_set_count, Some(3));
    let servers = zone.delegation_set.unwrap().name_servers;
    assert_eq!(servers, ["ns-1.route53-sandbox.test", "ns-2.route53-sandbox.test"]);
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let rig = Rig::start(options()).await;
    let zone = rig.client.get_hosted_zone().id("Z0OTHER").send().await.unwrap_err();
    assert_eq!(zone.raw_response().unwrap().status().as_u16(), 404);
    assert_eq!(zone.message(), Some("No hosted zone found with ID: Z0OTHER"));
    assert!(zone.into_service_error().is_no_such_hosted_zone());
    let list = rig.client.list_resource_record_sets().hosted_zone_id("Z0OTHER").send().await.unwrap_err();
    assert!(list.into_service_error().is_no_such_hosted_zone());
    let change = rig.client.get_change().id("C0OTHER").send().await.unwrap_err();
    assert!(change.into_service_error().is_no_such_change());
}
