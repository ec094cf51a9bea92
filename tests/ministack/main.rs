//! The provider for Route 53 against ministack: a stand-in that nobody here wrote, so that the client and our own sandbox
//! cannot be wrong in the same way. `scripts/ministack.sh` starts it and runs this.
//!
//! Needs `REDROVER_MINISTACK`, its URL; credentials and `AWS_ENDPOINT_URL_STS` from the environment, as an agent would.

#[path = "../../src/act/dns/suite.rs"]
mod suite;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_route53::types::{HostedZoneConfig, Vpc, VpcRegion};
use redrover::act::dns::route53::Route53Dns;
use redrover::act::dns::{Dns, DnsError, RecordChange, SendBy};
use redrover::config::{AssumeRole, MoreRecord, Provider, Record, Route53};
use redrover::types::{self, RecordName, RecordState, RecordType};

const ZONE: &str = "ministack.test";
/// Races of one run.
const RACES: u32 = 300;

fn endpoint() -> url::Url {
    let url = std::env::var("REDROVER_MINISTACK").expect("scripts/ministack.sh says where it listens");
    url.parse().expect("a URL")
}

/// Makes a hosted zone that nobody else uses, and gives its id.
async fn zone(is_private: bool) -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint().as_str().trim_end_matches('/'))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let client = aws_sdk_route53::Client::from_conf(config.build());
    let reference = format!("{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed));
    // A network holds one private zone of a name.
    let vpc_id = format!("vpc-{reference}");
    let request = client.create_hosted_zone().name(ZONE).caller_reference(reference);
    let request = match is_private {
        true => request
            .vpc(Vpc::builder().vpc_region(VpcRegion::UsEast1).vpc_id(vpc_id).build())
            .hosted_zone_config(HostedZoneConfig::builder().private_zone(true).build()),
        false => request,
    };
    let made = request.send().await.expect("a zone is made");
    made.hosted_zone().expect("it is told").id().trim_start_matches("/hostedzone/").to_owned()
}

fn config(zone_id: &str, kind: RecordType) -> (Record, Route53) {
    let place = Route53 {
        zone_id: zone_id.to_owned(),
        private_zone_id: None,
        endpoint: Some(endpoint()),
        region: "us-east-1".to_owned(),
        assume_role: None,
        weight: None,
        more_records: Vec::new(),
        alias_zone_ids: BTreeMap::new(),
    };
    let record = Record {
        name: RecordName::new(format!("db.{ZONE}")).expect("a name"),
        kind,
        ttl_seconds: 5,
        provider: Provider::Route53(place.clone()),
        read_interval: Duration::from_secs(60),
        name_servers: Vec::new(),
        resolvers: Vec::new(),
    };
    (record, place)
}

async fn provider(record: &Record, place: &Route53) -> Route53Dns {
    Route53Dns::connect(record, place).await.expect("a provider")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_is_a_provider() {
    use RecordType::{A, Aaaa, Cname};
    let lines = |site: &str, address: &str| {
        format!(
            "{site}.example.net\nat=cache.{ZONE}/CNAME {site}.example.net\nat=six.{ZONE}/AAAA 2001:db8::{address}"
        )
    };
    let weighted = |a: u8, b: u8| format!("set=dc-a/{a} a.example.net\nset=dc-b/{b} b.example.net");
    let mixed = |target: &str, a: u8, b: u8| {
        format!(
            "alias=Z26RNL4JYFTOTI {target}\nat=db.{ZONE}/AAAA set=dc-a/{a} 2001:db8::1\nat=db.{ZONE}/AAAA set=dc-b/{b} \
             2001:db8::2"
        )
    };
    for (what, kind, more, a, b) in [
        ("a name", Cname, &[][..], "a.example.net".to_owned(), "b.example.net".to_owned()),
        ("addresses", A, &[], "192.0.2.1\n192.0.2.2".to_owned(), "192.0.2.3".to_owned()),
        ("an address of six", Aaaa, &[], "2001:db8::1".to_owned(), "2001:db8::2".to_owned()),
        ("several names", Cname, &[("cache", Cname), ("six", Aaaa)], lines("a", "1"), lines("b", "2")),
        ("a weighted group", Cname, &[], weighted(255, 0), weighted(0, 255)),
        (
            "an alias beside a group",
            A,
            &[("db", Aaaa)],
            mixed("lb-a.example.net", 1, 0),
            mixed("lb-b.example.net", 0, 1),
        ),
    ] {
        eprintln!("{what}");
        let (record, mut place) = config(&zone(false).await, kind);
        let more = more.iter().map(|(name, kind)| {
            let name = RecordName::new(format!("{name}.{ZONE}")).expect("a name");
            MoreRecord { name, kind: *kind, targets: Vec::new() }
        });
        place.more_records = more.collect();
        let dns = provider(&record, &place).await;
        suite::every_provider(&dns, &a, &b).await;
        let lacks = dns.check().await;
        assert!(lacks.is_empty(), "{what}: {lacks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_zones_are_a_provider() {
    let (record, mut place) = config(&zone(false).await, RecordType::Cname);
    place.private_zone_id = Some(zone(true).await);
    let dns = provider(&record, &place).await;
    suite::every_provider(&dns, "a.example.net", "b.example.net").await;
    let lacks = dns.check().await;
    assert!(lacks.is_empty(), "{lacks:?}");
}

#[tokio::test]
async fn a_role_is_taken_on() {
    let (record, mut place) = config(&zone(false).await, RecordType::Cname);
    let arn = "arn:aws:iam::000000000000:role/redrover".to_owned();
    place.assume_role = Some(AssumeRole { arn, external_id: Some("customer-7".to_owned()) });
    let dns = provider(&record, &place).await;
    let nothing = RecordState { record: None, fence: None };
    suite::accepted(&dns, &nothing, &suite::state("a.example.net", 5, "v=1;epoch=1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_race_exactly_one_wins_and_epochs_rise() {
    let (record, place) = config(&zone(false).await, RecordType::Cname);
    let racers = [provider(&record, &place).await, provider(&record, &place).await];
    let mut held = suite::state("a.example.net", 5, "v=1;epoch=0");
    suite::accepted(&racers[0], &RecordState { record: None, fence: None }, &held).await;
    let mut wins = [0_u32; 2];
    for race in 1..=RACES {
        let value = if race % 2 == 0 { "a.example.net" } else { "b.example.net" };
        let wanted = [0, 1].map(|racer| suite::state(value, 5, &format!("v=1;epoch={race};owner={racer}")));
        let change = |racer: usize| RecordChange { expected: held.clone(), wanted: wanted[racer].clone() };
        let (changes, send) = ([change(0), change(1)], suite::in_time());
        let run = |racer: usize| racers[racer].change(&changes[racer], &send);
        // It serves one request after the other, so whoever asks first is served first.
        let answers = match race % 2 {
            0 => tokio::join!(run(0), run(1)),
            _ => {
                let (one, zero) = tokio::join!(run(1), run(0));
                (zero, one)
            }
        };
        let winner = match &answers {
            (Ok(_), Err(DnsError::Conflict { .. })) => 0,
            (Err(DnsError::Conflict { .. }), Ok(_)) => 1,
            both => panic!("race {race}: not one winner: {both:?}"),
        };
        wins[winner] += 1;
        held = wanted[winner].clone();
        for racer in &racers {
            assert_eq!(racer.read().await.expect("it can be read"), held, "race {race}");
        }
    }
    println!("{RACES} races: won {wins:?}");
}
