use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType as WireType};
use prometheus_client::registry::Registry;

use super::answer::{Transport, reply};
use super::table::Table;
use super::{DnsMetrics, EmbeddedDns, EmbeddedServer, EmbeddedZone};
use crate::act::dns::wire::{self, Kind};
use crate::act::dns::{Dns, DnsError, RecordChange, ask};
use crate::act::verify::{self, VerifyError};
use crate::config::{EmbeddedDns as Settings, NameServer, Provider, RateLimit, Record};
use crate::types::{RecordName, RecordState, RecordType, ResourceSet};

use crate::act::dns::suite::{self, in_time, state};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_provider() {
    for (kind, a, b) in [
        (RecordType::Cname, "a.example.net", "b.example.net"),
        (RecordType::A, "192.0.2.1", "192.0.2.2"),
        (RecordType::Aaaa, "2001:db8::1", "2001:db8::2"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let record = record("db.zone.test", kind);
        let zone = open(dir.path(), std::slice::from_ref(&record));
        suite::every_provider(&EmbeddedDns::new(&zone, &record).unwrap(), a, b).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_exactly_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let record = record("db.zone.test", RecordType::Cname);
    let zones =
        [open(dir.path(), std::slice::from_ref(&record)), open(dir.path(), std::slice::from_ref(&record))];
    let [one, two] = zones.each_ref().map(|zone| EmbeddedDns::new(zone, &record).unwrap());
    let mut held = RecordState { record: None, fence: None };
    for race in 0..200 {
        let wanted =
            |who: &str| state(&format!("{who}.example.net"), 5, &format!("epoch={race};owner={who}"));
        let change = |who| RecordChange { expected: held.clone(), wanted: wanted(who) };
        let (first, second) = (change("one"), change("two"));
        let send = in_time();
        let (a, b) = tokio::join!(one.change(&first, &send), two.change(&second, &send));
        let winner = match (&a, &b) {
            (Ok(_), Err(DnsError::Conflict { .. })) => "one",
            (Err(DnsError::Conflict { .. }), Ok(_)) => "two",
            other => panic!("race {race}: {other:?}"),
        };
        held = wanted(winner);
        assert_eq!(one.read().await.unwrap(), held);
        assert_eq!(two.read().await.unwrap(), held);
    }
}

#[tokio::test]
async fn a_change_outlives_the_process_and_the_serial_rises() {
    let dir = tempfile::tempdir().unwrap();
    let record = record("db.zone.test", RecordType::A);
    let wanted = state("192.0.2.1", 5, "epoch=1");
    let mut serials = Vec::new();
    let mut held = RecordState { record: None, fence: None };
    for ttl in 5..8 {
        let zone = open(dir.path(), std::slice::from_ref(&record));
        let dns = EmbeddedDns::new(&zone, &record).unwrap();
        assert_eq!(dns.read().await.unwrap(), held);
        let mut next = wanted.clone();
        next.record.as_mut().unwrap().ttl_seconds = ttl;
        suite::accepted(&dns, &held, &next).await;
        held = next;
        serials.push(zone.table().serial());
    }
    assert!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");
}

#[tokio::test]
async fn a_zone_refuses_what_it_cannot_hold() {
    let dir = tempfile::tempdir().unwrap();
    for (name, kind) in [
        ("db.other.test", RecordType::A),
        ("evilzone.test", RecordType::A),
        ("zone.test", RecordType::Cname),
        ("ns1.zone.test", RecordType::A),
    ] {
        let opened = EmbeddedZone::open(&settings(), dir.path(), [&record(name, kind)]);
        assert!(matches!(opened, Err(DnsError::Misconfigured { .. })), "{name}");
    }
    let twice = [record("db.zone.test", RecordType::A), record("_redrover.db.zone.test", RecordType::A)];
    assert!(EmbeddedZone::open(&settings(), dir.path(), &twice).is_err());
    let zone = open(dir.path(), &twice[..1]);
    let elsewhere = EmbeddedDns::new(&zone, &record("db.other.test", RecordType::Cname));
    assert!(matches!(elsewhere, Err(DnsError::Misconfigured { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_of_a_zone_can_be_replaced_while_it_serves() {
    let server = Server::start("db.zone.test", RecordType::A).await;
    let nothing = RecordState { record: None, fence: None };
    suite::accepted(&server.dns, &nothing, &state("192.0.2.1", 5, "epoch=1")).await;
    let code = async |name| server.ask(name, WireType::A).await.metadata.response_code;
    assert_eq!(code("new.zone.test").await, ResponseCode::NXDomain);

    let (old, new) = (server.record.clone(), record("new.zone.test", RecordType::A));
    for (bad, why) in [
        ([old.clone(), record("db.other.test", RecordType::A)], "does not lie in"),
        ([new.clone(), new.clone()], "belongs to two services"),
        ([new.clone(), record("db.zone.test", RecordType::Aaaa)], "is held as A"),
    ] {
        let refused = server.zone.check(&bad).await;
        assert!(
            matches!(&refused, Err(DnsError::Misconfigured { detail }) if detail.contains(why)),
            "{refused:?}"
        );
    }
    server.zone.check([&old, &new]).await.unwrap();
    assert_eq!(code("new.zone.test").await, ResponseCode::NXDomain, "a check changes nothing");

    server.zone.hold([&old, &new]).await.unwrap();
    assert_eq!(code("new.zone.test").await, ResponseCode::ServFail, "before its adoption");
    let dns = EmbeddedDns::new(&server.zone, &new).unwrap();
    suite::accepted(&dns, &nothing, &state("192.0.2.2", 5, "epoch=1")).await;
    assert_eq!(code("new.zone.test").await, ResponseCode::NoError);
    assert_eq!(code("db.zone.test").await, ResponseCode::NoError);

    server.zone.hold([&new]).await.unwrap();
    assert_eq!(code("db.zone.test").await, ResponseCode::NXDomain);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_like_a_name_server() {
    use ResponseCode::{NXDomain, NoError, Refused, ServFail};
    let server = Server::start("db.zone.test", RecordType::Cname).await;
    for (name, kind) in [("db.zone.test", WireType::CNAME), ("_redrover.db.zone.test", WireType::TXT)] {
        let reply = server.ask(name, kind).await;
        assert_eq!(reply.metadata.response_code, ServFail, "{name} before its adoption");
    }
    let nothing = RecordState { record: None, fence: None };
    suite::accepted(&server.dns, &nothing, &state("a.example.net", 5, "epoch=1")).await;
    for (name, kind, code, answers, authorities) in [
        ("db.zone.test", WireType::CNAME, NoError, vec!["a.example.net"], 0),
        ("DB.Zone.Test", WireType::A, NoError, vec!["a.example.net"], 0),
        ("db.zone.test", WireType::MX, NoError, vec!["a.example.net"], 0),
        ("_redrover.db.zone.test", WireType::TXT, NoError, vec!["epoch=1"], 0),
        ("_redrover.db.zone.test", WireType::A, NoError, vec![], 1),
        ("zone.test", WireType::A, NoError, vec![], 1),
        ("none.zone.test", WireType::A, NXDomain, vec![], 1),
        ("x.db.zone.test", WireType::A, NXDomain, vec![], 1),
        ("ns1.zone.test", WireType::A, NoError, vec!["192.0.2.53"], 0),
        ("ns1.zone.test", WireType::AAAA, NoError, vec!["2001:db8::53"], 0),
        ("ns1.zone.test", WireType::MX, NoError, vec![], 1),
        ("ns2.zone.test", WireType::A, ServFail, vec![], 0),
        // It exists, because a name below it does.
        ("a.b.zone.test", WireType::A, NoError, vec![], 1),
        ("b.zone.test", WireType::TXT, NoError, vec![], 1),
        ("zone.test.other", WireType::A, Refused, vec![], 0),
        ("test", WireType::SOA, Refused, vec![], 0),
        ("db.zone.test", WireType::ANY, NoError, vec!["a.example.net"], 0),
        ("_redrover.db.zone.test", WireType::ANY, NoError, vec!["epoch=1"], 0),
        ("none.zone.test", WireType::ANY, NXDomain, vec![], 1),
        ("zone.test", WireType::AXFR, Refused, vec![], 0),
        ("zone.test", WireType::IXFR, Refused, vec![], 0),
    ] {
        let question = question(name, kind);
        for reply in [
            ask::ask(server.address, &question).await.unwrap(),
            ask::by_tcp(server.address, &question).await.unwrap(),
        ] {
            assert_eq!(reply.metadata.response_code, code, "{name} {kind}");
            let values: Vec<_> = reply.answers.iter().filter_map(|r| wire::value_of(&r.data)).collect();
            assert_eq!(values, answers, "{name} {kind}");
            assert_eq!(reply.authorities.len(), authorities, "{name} {kind}");
            assert_eq!(reply.metadata.authoritative, code == NoError || code == NXDomain, "{name} {kind}");
            assert!(reply.edns.is_some() && !reply.metadata.recursion_available, "{name} {kind}");
            assert!(reply.authorities.iter().all(|soa| soa.ttl == 5), "a resolver forgets soon: {reply:?}");
        }
    }
    for (kind, count, glue) in [(WireType::SOA, 1, 0), (WireType::NS, 4, 3)] {
        let reply = server.ask("zone.test", kind).await;
        assert_eq!((reply.answers.len(), reply.additionals.len()), (count, glue), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_keeps_to_the_sizes_and_flags_of_edns() {
    let server = Server::start("db.zone.test", RecordType::A).await;
    let ask = |size: Option<u16>, is_signed: bool| {
        let mut message = question("zone.test", WireType::NS);
        message.edns = size.map(|size| {
            let mut edns = Edns::new();
            edns.set_max_payload(size).set_version(0).set_dnssec_ok(is_signed);
            edns.flags_mut().z = 0x1234;
            edns
        });
        let reply = answer(&server.zone.table(), &message.to_vec().unwrap()).unwrap();
        (reply.len(), Message::from_vec(&reply).unwrap())
    };
    let (_, plain) = ask(None, false);
    assert!(plain.edns.is_none() && plain.answers.len() == 4 && !plain.metadata.truncation);
    // Whoever claims to take less is a client of the old size, and whoever claims to take more is not believed.
    for size in [0, 512, 1232, u16::MAX] {
        let (length, reply) = ask(Some(size), true);
        let edns = reply.edns.as_ref().unwrap();
        assert!(length <= 512 && edns.max_payload() == 1232 && edns.version() == 0, "{size}: {reply}");
        assert!(edns.flags().dnssec_ok && edns.flags().z == 0, "{size}: {edns:?}");
    }
    assert!(!ask(Some(1232), false).1.edns.unwrap().flags().dnssec_ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_often_is_told_to_come_by_tcp() {
    let rate_limit = RateLimit { responses_per_second: 10, slip: 2, exempt: Vec::new() };
    let settings = Settings { rate_limit: Some(rate_limit), ..settings() };
    let server = Server::with(&settings, "db.zone.test", RecordType::A).await;
    let nothing = RecordState { record: None, fence: None };
    suite::accepted(&server.dns, &nothing, &state("192.0.2.1", 5, "epoch=1")).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server.address).await.unwrap();
    let asked = question("db.zone.test", WireType::A);
    let bytes = asked.to_vec().unwrap();
    let (mut whole, mut cut) = (0, 0);
    // Few enough that no socket's buffer overflows.
    for _ in 0..100 {
        socket.send(&bytes).await.unwrap();
    }
    let mut buffer = [0; 2048];
    while let Ok(length) = tokio::time::timeout(Duration::from_millis(500), socket.recv(&mut buffer)).await {
        let reply = Message::from_vec(&buffer[..length.unwrap()]).unwrap();
        match reply.metadata.truncation {
            true => cut += 1,
            false => whole += reply.answers.len(),
        }
    }
    // Some credit comes back while the questions are on their way.
    assert!((10..40).contains(&whole), "{whole} whole answers");
    assert!((30..=45).contains(&cut), "{cut} cut ones: every second of the others, beside {whole}");
    let by_tcp = ask::by_tcp(server.address, &asked).await.unwrap();
    assert_eq!(by_tcp.answers.len(), 1, "nobody is limited there");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_messages_are_answered_or_left_alone() {
    let server = Server::start("db.zone.test", RecordType::A).await;
    let table = server.zone.table();
    let answer = |bytes: &[u8]| answer(&table, bytes);
    let code = |bytes: &[u8]| Message::from_vec(&answer(bytes).unwrap()).unwrap().metadata.response_code;
    let good = question("zone.test", WireType::SOA).to_vec().unwrap();
    assert_eq!(answer(&[]), None);
    assert_eq!(answer(&good[..11]), None);
    assert_eq!(code(&good[..20]), ResponseCode::FormErr);
    let mut reply = good.clone();
    reply[2] |= 0x80;
    assert_eq!(answer(&reply), None, "an answer is not answered");
    let mut update = question("zone.test", WireType::SOA);
    update.metadata.op_code = OpCode::Notify;
    assert_eq!(code(&update.to_vec().unwrap()), ResponseCode::NotImp);
    let mut two = question("zone.test", WireType::SOA);
    two.add_query(Query::query(Name::from_ascii("zone.test.").unwrap(), WireType::NS));
    assert_eq!(code(&two.to_vec().unwrap()), ResponseCode::FormErr);
    let mut newer = question("zone.test", WireType::SOA);
    newer.edns.as_mut().unwrap().set_version(1);
    // The library reads code 16 as the older of its two names.
    assert_eq!(u16::from(code(&newer.to_vec().unwrap())), u16::from(ResponseCode::BADVERS));
    for cut in 0..good.len() {
        // No input may end the program.
        drop(answer(&good[..cut]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_fence_comes_by_tcp() {
    let server = Server::start("db.zone.test", RecordType::A).await;
    let long = format!("v=1;decision={}", "d".repeat(1500));
    let nothing = RecordState { record: None, fence: None };
    suite::accepted(&server.dns, &nothing, &state("192.0.2.1", 5, &long)).await;
    let question = question("_redrover.db.zone.test", WireType::TXT);
    let cut = answer(&server.zone.table(), &question.to_vec().unwrap()).unwrap();
    let read = Message::from_vec(&cut).unwrap();
    assert!(read.metadata.truncation && read.edns.is_some() && cut.len() < 512);
    let reply = ask::ask(server.address, &question).await.unwrap();
    assert_eq!(wire::value_of(&reply.answers[0].data), Some(long));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_is_heard_and_the_verifier_sees_it() {
    let server = Server::start("db.zone.test", RecordType::Cname).await;
    let name = RecordName::new("db.zone.test").unwrap();
    let early = verify::answer(server.address, &name, RecordType::Cname, LIMIT).await;
    assert!(matches!(early, Err(VerifyError::Answer { .. })), "{early:?}");
    let other = open(server.dir.path(), std::slice::from_ref(&server.record));
    let change = RecordChange {
        expected: RecordState { record: None, fence: None },
        wanted: state("a.example.net", 7, "epoch=1"),
    };
    EmbeddedDns::new(&other, &server.record).unwrap().change(&change, &in_time()).await.unwrap();
    let found = wait_for_answer(server.address, &name).await;
    assert_eq!(found, ResourceSet::single(7, "a.example.net"));
    // Nobody answers at the second address: it is reported, and does not keep the first from being heard.
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let name_servers = vec![server.address, silent.local_addr().unwrap()];
    let seen = verify::answers(&Record { name_servers, ..server.record.clone() }).await;
    assert_eq!(seen[0].result, Ok(found));
    assert!(seen[1].result.as_ref().is_err_and(|why| why.contains("in time")), "{seen:?}");
    assert_eq!(server.dns.read().await.unwrap(), change.wanted);
}

async fn wait_for_answer(server: SocketAddr, name: &RecordName) -> ResourceSet {
    let poll = async {
        loop {
            if let Ok(set) = verify::answer(server, name, RecordType::Cname, LIMIT).await {
                return set;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, poll).await.expect("the change is served")
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_limited_and_end_with_the_server() {
    use tokio::io::AsyncReadExt;
    let dir = tempfile::tempdir().unwrap();
    let zone = open(dir.path(), &[record("db.zone.test", RecordType::A)]);
    let (server, address) = EmbeddedServer::bind(&zone, metrics()).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(server.serve(async move { drop(stopped.await) }));
    let connect = async |client: usize| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("127.0.0.{client}:0").parse().unwrap()).unwrap();
        socket.connect(address).await.unwrap()
    };
    let is_closed = async |mut stream: tokio::net::TcpStream| {
        // At once, long before an idle connection would be.
        let closed = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut [0])).await;
        matches!(closed, Ok(Ok(0) | Err(_)))
    };
    let (all, of_one) = (super::server::CONNECTIONS_MAX, super::server::CONNECTIONS_OF_ONE_MAX);
    let mut idle = Vec::new();
    for place in 0..all {
        if place == of_one {
            assert!(is_closed(connect(1).await).await, "one address takes no more");
        }
        idle.push(connect(1 + place / of_one).await);
    }
    assert!(is_closed(connect(99).await).await, "all places are taken");
    let by_udp = ask::ask(address, &question("zone.test", WireType::SOA)).await.unwrap();
    assert_eq!(by_udp.answers.len(), 1, "datagrams are answered meanwhile");
    stop.send(()).unwrap();
    tokio::time::timeout(LIMIT, tasks.join_next()).await.expect("the server ends").unwrap().unwrap();
    let end = tokio::time::timeout(LIMIT, idle[0].read(&mut [0])).await.expect("its connections end with it");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

struct Server {
    dir: tempfile::TempDir,
    record: Record,
    zone: Arc<EmbeddedZone>,
    dns: EmbeddedDns,
    address: SocketAddr,
    _tasks: tokio::task::JoinSet<()>,
}

impl Server {
    async fn start(name: &str, kind: RecordType) -> Self {
        Self::with(&settings(), name, kind).await
    }

    async fn with(settings: &Settings, name: &str, kind: RecordType) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let record = record(name, kind);
        let zone = EmbeddedZone::open(settings, dir.path(), [&record]).unwrap();
        let (server, address) = EmbeddedServer::bind(&zone, metrics()).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(server.serve(std::future::pending()));
        let dns = EmbeddedDns::new(&zone, &record).unwrap();
        Self { dir, record, zone, dns, address, _tasks: tasks }
    }

    async fn ask(&self, name: &str, kind: WireType) -> Message {
        ask::ask(self.address, &question(name, kind)).await.unwrap()
    }
}

fn question(name: &str, kind: WireType) -> Message {
    let mut message = ask::question(&RecordName::new("x").unwrap(), Kind::Text).unwrap();
    message.queries = vec![Query::query(Name::from_ascii(format!("{name}.")).unwrap(), kind)];
    message
}

fn answer(table: &Table, request: &[u8]) -> Option<Vec<u8>> {
    reply(table, request, Transport::Udp)?.bytes()
}

fn metrics() -> DnsMetrics {
    DnsMetrics::register(&mut Registry::default())
}

fn open(dir: &Path, records: &[Record]) -> Arc<EmbeddedZone> {
    EmbeddedZone::open(&settings(), dir, records).unwrap()
}

fn settings() -> Settings {
    let name = |text| RecordName::new(text).unwrap();
    let server = |text, addresses: &[&str]| NameServer {
        name: name(text),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    };
    Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        zone: name("zone.test"),
        name_servers: vec![
            server("ns1.zone.test", &["192.0.2.53", "2001:db8::53"]),
            server("ns2.zone.test", &[]),
            server("ns.a.b.zone.test", &["192.0.2.54"]),
            server("ns.elsewhere.test", &[]),
        ],
        rate_limit: None,
    }
}

fn record(name: &str, kind: RecordType) -> Record {
    Record {
        name: RecordName::new(name).unwrap(),
        kind,
        ttl_seconds: 5,
        provider: Provider::Embedded,
        read_interval: Duration::from_secs(60),
        name_servers: Vec::new(),
        resolvers: Vec::new(),
    }
}
