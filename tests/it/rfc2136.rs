//! The provider for primaries that take signed updates, at a real one: BIND.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use redrover::act::dns::rfc2136::Rfc2136Dns;
use redrover::act::dns::{Dns, DnsError, Receipt, RecordChange};
use redrover::config::{Provider, Record, Rfc2136, Secret, Tsig, TsigAlgorithm};
use redrover::types::{Clock, Moment, RecordName, RecordState, RecordType, ResourceSet, SystemClock};

use serde_json::json;

use super::suite;
use super::support::agent::Setup;
use super::support::dns::{self, RecordType as WireType};
use super::support::dns_proxy::{DnsProxy, Fault};
use super::support::named::{KEY, Named, SECRET, ZONE};
use super::support::ports::free_port;
use super::support::process::wait_until;
use super::support::race::Races;

/// Races of the usual run; `REDROVER_RACES` asks for another number.
const RACES: u64 = 25;
/// Races of whole switches of the usual run; the same asks for another number.
const SWITCHES: usize = 8;
const A: &str = "a.example.net";
const B: &str = "b.example.net";
/// Longest wait for something that takes moments; generous, as other builds and tests may share the machine.
const LIMIT: Duration = Duration::from_secs(30);

/// A system clock that is wrong by some seconds.
struct Wrong(SystemClock, i64);

impl Clock for Wrong {
    fn now(&self) -> Moment {
        let now = self.0.now();
        Moment { wall: Duration::from_secs(now.wall.as_secs().saturating_add_signed(self.1)), ..now }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_provider_for_every_type() {
    let server = Named::start(&["alias", "four", "six"], &[]).await;
    for (name, kind, a, b) in [
        ("alias", RecordType::Cname, A, B),
        ("four", RecordType::A, "192.0.2.1", "192.0.2.2"),
        ("six", RecordType::Aaaa, "2001:db8::1", "2001:db8::2"),
    ] {
        let (mut record, place) = config(&server, name);
        record.kind = kind;
        suite::every_provider(&dns(&record, &place), a, b).await;
    }
}

#[tokio::test]
async fn a_foreign_edit_is_a_conflict_and_stays() {
    let server = Named::start(&["db"], &["db IN A 192.0.2.1"]).await;
    let (mut record, place) = config(&server, "db");
    record.kind = RecordType::A;
    let dns = dns(&record, &place);
    let set = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        RecordState { record: Some(ResourceSet { ttl_seconds: 5, values }), fence: None }
    };
    let one = set(&["192.0.2.1"]);
    let fenced = with_fence(&one, "v=1;epoch=1");
    suite::accepted(&dns, &one, &fenced).await;
    // The set still holds what is expected, and something else as well.
    server.edit(&[&format!("update add db.{ZONE} 5 A 192.0.2.9")]).await;
    let two = with_fence(&set(&["192.0.2.1", "192.0.2.9"]), "v=1;epoch=1");
    suite::refused(&dns, &fenced, &with_fence(&set(&["192.0.2.2"]), "v=1;epoch=2"), &two).await;
    suite::accepted(&dns, &two, &with_fence(&one, "v=1;epoch=2")).await;
    server.edit(&[&format!("update add _redrover.db.{ZONE} 5 TXT \"more\"")]).await;
    let mut held = with_fence(&one, "v=1;epoch=2");
    held.fence.as_mut().expect("a fence").values.insert("more".to_owned());
    suite::refused(&dns, &with_fence(&one, "v=1;epoch=2"), &with_fence(&one, "v=1;epoch=3"), &held).await;
}

#[tokio::test]
async fn another_spelling_of_the_same_is_replaced() {
    let lines = ["db IN CNAME A.Example.NET.", "_redrover.db IN TXT \"v=1;\" \"epoch=1\""];
    let server = Named::start(&["db"], &lines).await;
    let (record, place) = config(&server, "db");
    let dns = dns(&record, &place);
    let held = suite::state(A, 5, "v=1;epoch=1");
    assert_eq!(dns.read().await.expect("it can be read"), held);
    suite::accepted(&dns, &held, &suite::state(A, 5, "v=1;epoch=2")).await;
    suite::accepted(&dns, &suite::state(A, 5, "v=1;epoch=2"), &suite::state(B, 5, "v=1;epoch=3")).await;
}

#[tokio::test]
async fn an_alias_is_never_put_beside_other_records_nor_they_beside_it() {
    let lines =
        ["mixed IN A 192.0.2.1", "alias IN CNAME a.example.net.", "_redrover.fence IN CNAME x.example.net."];
    let server = Named::start(&["mixed", "alias", "fence"], &lines).await;
    let nothing = RecordState { record: None, fence: None };
    let (record, place) = config(&server, "mixed");
    let mixed = dns(&record, &place);
    // BIND answers NOERROR to such an addition alone, and leaves it out.
    suite::refused(&mixed, &nothing, &suite::state(A, 5, "v=1;epoch=1"), &nothing).await;
    for (name, kind) in [("alias", RecordType::A), ("fence", RecordType::Cname)] {
        let (mut record, place) = config(&server, name);
        record.kind = kind;
        let dns = dns(&record, &place);
        let read = dns.read().await;
        assert!(matches!(read, Err(DnsError::Misconfigured { .. })), "{name}: {read:?}");
        let wanted = with_fence(&nothing, "v=1;epoch=1");
        let changed =
            dns.change(&RecordChange { expected: nothing.clone(), wanted }, &suite::in_time()).await;
        assert!(matches!(changed, Err(DnsError::Misconfigured { .. })), "{name}: {changed:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_denied_before_anything_is_changed() {
    let server = Named::start(&["db"], &["db IN CNAME a.example.net."]).await;
    let (record, place) = config(&server, "db");
    let right = dns(&record, &place);
    assert!(right.check().await.is_empty());
    let with = |change: &dyn Fn(&mut Tsig)| {
        let mut place = place.clone();
        change(&mut place.tsig);
        dns(&record, &place)
    };
    let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for (dns, said) in [
        (with(&|tsig| tsig.secret = Secret::new(other)), "BADSIG"),
        (with(&|tsig| tsig.name = RecordName::new("nobody").expect("a name")), "BADKEY"),
        (with(&|tsig| tsig.algorithm = TsigAlgorithm::HmacSha512), "BADKEY"),
        (at(&record, &place, 600), "BADTIME"),
        (at(&record, &place, -600), "BADTIME"),
    ] {
        let lacks = dns.check().await;
        let denied =
            |error: &DnsError| matches!(error, DnsError::Denied { .. }) && error.to_string().contains(said);
        assert!(lacks.len() == 1 && denied(&lacks[0]), "{said}: {lacks:?}");
        let read = dns.read().await.expect_err(said);
        assert!(denied(&read), "{said}: {read}");
        let changed = dns.change(&claim(), &suite::in_time()).await.expect_err(said);
        assert!(denied(&changed), "{said}: {changed}");
        assert!(!format!("{lacks:?}{read:?}{changed:?}").contains(other), "a secret is told");
    }
    // Clocks may differ by 300 s.
    suite::accepted(&at(&record, &place, 200), &claim().expected, &claim().wanted).await;
}

#[tokio::test]
async fn what_the_policy_does_not_grant_is_denied() {
    let server =
        Named::start(&["db"], &["db IN CNAME a.example.net.", "other IN CNAME a.example.net."]).await;
    let (record, place) = config(&server, "other");
    let other = dns(&record, &place);
    let lacks = other.check().await;
    let told: Vec<_> = lacks.iter().map(ToString::to_string).collect();
    assert_eq!(lacks.len(), 2, "{told:?}");
    assert!(told[0].contains(&format!("other.{ZONE} CNAME")), "{told:?}");
    assert!(told[1].contains(&format!("_redrover.other.{ZONE} TXT")), "{told:?}");
    let changed = other.change(&claim(), &suite::in_time()).await;
    assert!(matches!(changed, Err(DnsError::Denied { .. })), "{changed:?}");
    assert_eq!(other.read().await.expect("it can be read"), claim().expected);

    for zone in ["test", "db.example.test"] {
        let (record, mut place) = config(&server, "db");
        place.zone = RecordName::new(zone).expect("a name");
        let dns = dns(&record, &place);
        assert!(!dns.check().await.is_empty(), "{zone}");
        let changed = dns.change(&claim(), &suite::in_time()).await;
        let is_refused = matches!(changed, Err(DnsError::Denied { .. } | DnsError::Misconfigured { .. }));
        assert!(is_refused, "{zone}: {changed:?}");
        assert_eq!(dns.read().await.expect("it can be read"), claim().expected);
    }
}

#[tokio::test]
async fn a_lost_or_altered_reply_is_unknown_and_can_be_read_back() {
    let server = Named::start(&["db"], &["db IN CNAME a.example.net."]).await;
    let proxy = DnsProxy::start(server.address()).await;
    let (record, mut place) = config(&server, "db");
    place.port = proxy.address().port();
    let dns = dns(&record, &place);
    suite::accepted(&dns, &claim().expected, &claim().wanted).await;
    let mut epoch = 1;
    for (fault, is_applied) in [
        (Fault::LoseRequest, false),
        (Fault::LoseReply, true),
        (Fault::KeepReply, true),
        (Fault::AlterReply, true),
    ] {
        proxy.set(fault);
        let state = |epoch: u64| suite::state(A, 5, &format!("v=1;epoch={epoch}"));
        let change = RecordChange { expected: state(epoch), wanted: state(epoch + 1) };
        let changed = dns.change(&change, &suite::in_time()).await;
        assert!(matches!(changed, Err(DnsError::Unknown { .. })), "{fault:?}: {changed:?}");
        epoch += u64::from(is_applied);
        assert_eq!(dns.read().await.expect("it can be read"), state(epoch), "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_write_leaves_the_outcome_open() {
    let server = Named::start(&["db"], &["db IN CNAME a.example.net."]).await;
    let (record, place) = config(&server, "db");
    let dns = dns(&record, &place);
    // A folder stands where the journal would be written.
    fs::create_dir(server.journal()).expect("a folder");
    let changed = dns.change(&claim(), &suite::in_time()).await;
    let error = changed.expect_err("it cannot be written");
    assert!(matches!(&error, DnsError::Unknown { detail } if detail.contains("SERVFAIL")), "{error:?}");
    assert_eq!(dns.read().await.expect("it can be read"), claim().expected);
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_and_one_that_comes_back_holds_the_change() {
    let mut server = Named::start(&["db"], &["db IN CNAME a.example.net."]).await;
    let (record, place) = config(&server, "db");
    let dns = dns(&record, &place);
    suite::accepted(&dns, &claim().expected, &claim().wanted).await;
    let next = RecordChange { expected: claim().wanted, wanted: suite::state(B, 5, "v=1;epoch=2") };
    let is_unavailable = async || {
        let (read, changed) = (dns.read().await, dns.change(&next, &suite::in_time()).await);
        assert!(matches!(read, Err(DnsError::Unavailable { .. })), "{read:?}");
        assert!(matches!(changed, Err(DnsError::Unavailable { .. })), "{changed:?}");
        assert_eq!(dns.check().await.len(), 1);
    };
    // The kernel still accepts the connections of a frozen server.
    server.process().stop();
    wait_until("the server to freeze", LIMIT, async || dns.read().await.is_err()).await;
    is_unavailable().await;
    server.process().cont();
    server.process().kill();
    is_unavailable().await;
    server.restart().await;
    suite::accepted(&dns, &next.expected, &next.wanted).await;
}

#[tokio::test]
async fn a_change_is_visible_when_every_name_server_has_it() {
    let lines = ["db IN CNAME a.example.net."];
    let (server, late) = (Named::start(&["db"], &lines).await, Named::start(&["db"], &lines).await);
    let (mut record, place) = config(&server, "db");
    record.name_servers = vec![server.address(), late.address()];
    let dns = dns(&record, &place);
    let receipt = dns.change(&claim(), &suite::in_time()).await.expect("it is accepted");
    assert!(!dns.is_visible(&receipt).await.expect("it can be asked"));
    wait_until("both to answer for the record", LIMIT, async || {
        let answers = dns.answers().await;
        answers.len() == 2 && answers.iter().all(|answer| answer.result.is_ok())
    })
    .await;
    late.edit(&[&format!("update add _redrover.db.{ZONE} 5 TXT \"v=1;epoch=1\"")]).await;
    let is_visible = async || dns.is_visible(&receipt).await.is_ok_and(|is_visible| is_visible);
    wait_until("both to have the change", LIMIT, is_visible).await;
    drop(late);
    assert!(!dns.is_visible(&receipt).await.expect("it can be asked"), "a silent server has it perhaps");

    // Nobody listens where the zone's own NS set leads in a test; that it leads somewhere is seen all the same.
    record.name_servers = Vec::new();
    let dns = self::dns(&record, &place);
    wait_until("the zone's own name server to be asked", LIMIT, async || {
        dns.answers().await.iter().map(|answer| answer.server.as_str()).eq(["127.0.0.1:53"])
    })
    .await;
}

#[tokio::test]
async fn nobody_at_the_port_is_unavailable() {
    let server = Named::start(&["db"], &[]).await;
    let (record, mut place) = config(&server, "db");
    place.port = free_port();
    let changed = dns(&record, &place).change(&claim(), &suite::in_time()).await;
    assert!(matches!(changed, Err(DnsError::Unavailable { .. })), "{changed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_race_exactly_one_wins_and_epochs_rise() {
    let races = std::env::var("REDROVER_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(RACES);
    let server =
        Named::start(&["db"], &["db IN CNAME a.example.net.", "_redrover.db IN TXT \"v=1;epoch=0\""]).await;
    // The updates reach the server together, when both racers have seen that all is as they expect.
    let proxy = DnsProxy::start(server.address()).await;
    proxy.set(Fault::Meet);
    let (record, mut place) = config(&server, "db");
    place.port = proxy.address().port();
    let racers = [dns(&record, &place), dns(&record, &place)];
    let name = format!("db.{ZONE}");
    let mut held = suite::state(A, 5, "v=1;epoch=0");
    let mut wins = [0_u64; 2];
    for race in 1..=races {
        let value = if race % 2 == 0 { A } else { B };
        let wanted = [0, 1].map(|racer| suite::state(value, 5, &format!("v=1;epoch={race};owner={racer}")));
        let run = |racer: usize| {
            let change = RecordChange { expected: held.clone(), wanted: wanted[racer].clone() };
            let dns = &racers[racer];
            async move { dns.change(&change, &suite::in_time()).await }
        };
        let watched = async {
            let answer = dns::query(server.address(), &name, WireType::CNAME).await.expect("an answer");
            assert_eq!(answer.records.len(), 1, "race {race}: the record is never empty");
        };
        let first = usize::from(race % 2 == 0);
        let ((one, other), ()) = join(join(run(first), run(1 - first)), watched).await;
        let (winner, refusal) = match (&one, &other) {
            (Ok(Receipt { .. }), Err(DnsError::Conflict { detail })) => (first, detail),
            (Err(DnsError::Conflict { detail }), Ok(Receipt { .. })) => (1 - first, detail),
            both => panic!("race {race}: not one winner: {both:?}"),
        };
        wins[winner] += 1;
        assert!(refusal.contains("NXRRSET"), "race {race}: the server itself refuses the loser: {refusal}");
        held = wanted[winner].clone();
        assert_eq!(racers[0].read().await.expect("it can be read"), held, "race {race}");
    }
    println!("{races} races: won {wins:?}");
    assert_eq!(wins[0] + wins[1], races);
}

/// Whole switches of two agents, as at Route 53; BIND's own serial tells how many changes took effect.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_agents_that_race_exactly_one_changes_the_record_and_epochs_rise() {
    let races = std::env::var("REDROVER_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(SWITCHES);
    let server = Named::start(&["db"], &[&format!("db 5 IN CNAME {A}.")]).await;
    let proxy = DnsProxy::start(server.address()).await;
    let name = format!("db.{ZONE}");
    let mut record = server.record(&name);
    record["server"] = json!(proxy.address().to_string());
    let site = |name: &str, target: &str, redis: &str| json!({"datacenter": name, "dns_target": target, "targets": [redis]});
    let sites = [site("dc-a", A, "redis://127.0.0.1:1"), site("dc-b", B, "redis://127.0.0.1:2")];
    let mut all = Races::new(&Setup::new(record, &sites)).await;
    let first = serial(&server).await;
    for race in 0..races {
        let look = async || {
            // That nobody answers in time says something of the machine, and nothing of the record.
            let Ok(answer) = dns::query(server.address(), &name, WireType::CNAME).await else { return false };
            assert_eq!(answer.records.len(), 1, "race {race}: the record is never empty");
            true
        };
        // The claims reach the server together, when both agents have seen that all is as they expect.
        all.run(race, || proxy.set(Fault::MeetOnce), look).await;
        let applied = serial(&server).await - first;
        assert_eq!(applied, 2 * (race as u64 + 1), "race {race}: one claim and one switch took effect");
    }
    println!(
        "{races} races, {} of them with a promotion: won {:?}; {} looks",
        all.promotions, all.wins, all.looks
    );
    assert!(all.looks > races / 2, "somebody looked meanwhile");
    assert_eq!(all.wins[0] + all.wins[1], races);
}

async fn serial(server: &Named) -> u64 {
    let answer = dns::query(server.address(), ZONE, WireType::SOA).await.expect("an answer");
    let serial = answer.records[0].0.split(' ').nth(2).expect("a SOA has a serial");
    serial.parse().expect("it is a number")
}

fn claim() -> RecordChange {
    let expected = RecordState { record: Some(ResourceSet::single(5, A)), fence: None };
    RecordChange { wanted: with_fence(&expected, "v=1;epoch=1"), expected }
}

fn with_fence(state: &RecordState, fence: &str) -> RecordState {
    RecordState { record: state.record.clone(), fence: Some(ResourceSet::single(5, fence)) }
}

fn config(server: &Named, name: &str) -> (Record, Rfc2136) {
    let SocketAddr::V4(address) = server.address() else { panic!("it listens at 127.0.0.1") };
    let place = Rfc2136 {
        host: address.ip().to_string(),
        port: address.port(),
        zone: RecordName::new(ZONE).expect("a name"),
        tsig: Tsig {
            name: RecordName::new(KEY).expect("a name"),
            algorithm: TsigAlgorithm::HmacSha256,
            secret: Secret::new(SECRET),
        },
    };
    let record = Record {
        name: RecordName::new(format!("{name}.{ZONE}")).expect("a name"),
        kind: RecordType::Cname,
        ttl_seconds: 5,
        provider: Provider::Rfc2136(place.clone()),
        read_interval: Duration::from_secs(60),
        name_servers: vec![server.address()],
        resolvers: Vec::new(),
    };
    (record, place)
}

fn dns(record: &Record, place: &Rfc2136) -> Rfc2136Dns {
    Rfc2136Dns::new(record, place, Arc::new(SystemClock::new())).expect("a provider")
}

/// A provider whose clock is wrong by some seconds.
fn at(record: &Record, place: &Rfc2136, seconds: i64) -> Rfc2136Dns {
    Rfc2136Dns::new(record, place, Arc::new(Wrong(SystemClock::new(), seconds))).expect("a provider")
}
