//! What is looked at beside the Redis: each kind of look, shared looks, and looks that hang.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::{RData, Record};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use super::server::{Act, Server, say};
use super::{HandClock, SHORT};
use crate::config::{ClientErrors, Config, Datacenter, Enterprise, Prometheus, Reach, Secret, Service};
use crate::monitor::around::reach::resolve;
use crate::monitor::tests::rig::{AMPLE, config, free_port, service, site, target};
use crate::monitor::{Collectors, Format, Metrics, Monitor, Page, SiteClient as _, WriteCanary};
use crate::types::{Check, CheckKind, GapReason, RecordName, Surroundings};

fn tcp(port: u16) -> Reach {
    Reach::Tcp { host: "127.0.0.1".to_owned(), port }
}

fn place(name: &str, domain_checks: Vec<Reach>) -> Datacenter {
    Datacenter { name: site(name), domain_checks, enterprise: None }
}

fn collectors(config: &Config, clock: Arc<HandClock>) -> (Arc<Collectors>, Registry) {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    (Arc::new(Collectors::new(config, metrics, clock).unwrap()), registry)
}

fn reasons(checks: &[Check]) -> Vec<Option<GapReason>> {
    checks.iter().map(|check| check.result.as_ref().err().map(|gap| gap.reason)).collect()
}

#[tokio::test]
async fn each_check_is_a_time_or_a_gap() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap().port();
    let missing = Server::start(|_| say(404, "")).await;
    let hung = Server::start(|_| Act::Hang).await;
    let redirecting = "HTTP/1.1 301 X\r\nlocation: http://no-such-host.invalid/\r\ncontent-length: 0\r\n\r\n";
    let redirecting = Server::start(move |_| Act::Say(redirecting.to_owned())).await;
    let cut = Server::start(|_| Act::Part("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n".to_owned())).await;
    let closed = free_port();
    let mut config = config(Vec::new());
    config.self_checks = vec![
        tcp(open),
        tcp(closed),
        Reach::Tcp { host: "no-such-host.invalid".to_owned(), port: open },
        Reach::Dns(RecordName::new("localhost").unwrap()),
        Reach::Http(missing.url()),
        Reach::Http(redirecting.url()),
        Reach::Http(cut.url()),
        Reach::Http(hung.url()),
        Reach::Http(format!("http://127.0.0.1:{closed}").parse().unwrap()),
    ];
    let (collectors, registry) = collectors(&config, HandClock::new());
    let checks = collectors.self_checks(SHORT).await;
    let refused = Some(GapReason::Refused);
    let want =
        [None, refused, Some(GapReason::Dns), None, None, None, None, Some(GapReason::Timeout), refused];
    assert_eq!(reasons(&checks), want, "{checks:?}");
    let first = &checks[0];
    assert_eq!((first.name.as_str(), first.kind), (format!("127.0.0.1:{open}").as_str(), CheckKind::Tcp));
    assert_eq!((checks[3].name.as_str(), checks[3].kind), ("localhost", CheckKind::Dns));
    assert_eq!(checks[4].kind, CheckKind::Http);

    let mut page = Page::new(Format::Text);
    page.registry(&registry);
    let page = String::from_utf8(page.finish()).unwrap();
    for line in [
        "redrover_collector_gaps_total{collector=\"self_check\",reason=\"refused\"} 2\n",
        "redrover_collector_gaps_total{collector=\"self_check\",reason=\"timeout\"} 1\n",
        "redrover_collector_duration_seconds_count{collector=\"self_check\"} 9\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
}

/// A name server that gives each name the answer of its first label, or none.
async fn name_server() -> (SocketAddr, JoinSet<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let mut message = Message::from_vec(&buffer[..length]).unwrap();
            let name = message.queries[0].name().clone();
            message.metadata.message_type = MessageType::Response;
            match &*name.to_ascii() {
                "there.example." => {
                    let data = RData::A("10.0.0.1".parse().unwrap());
                    message.answers.push(Record::from_rdata(name, 60, data));
                }
                "gone.example." => message.metadata.response_code = ResponseCode::NXDomain,
                "broken.example." => message.metadata.response_code = ResponseCode::ServFail,
                _ => continue,
            }
            socket.send_to(&message.to_vec().unwrap(), from).await.unwrap();
        }
    });
    (address, tasks)
}

#[tokio::test]
async fn a_name_resolves_or_is_a_gap() {
    let (address, _tasks) = name_server().await;
    let mut connection = ConnectionConfig::udp();
    connection.port = address.port();
    let mut server = NameServerConfig::udp(address.ip());
    server.connections = vec![connection];
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    (builder.options_mut().attempts, builder.options_mut().timeout) = (1, AMPLE);
    let resolver = builder.build().unwrap();
    for (name, want) in [
        ("there.example", None),
        ("gone.example", Some(GapReason::Dns)),
        ("broken.example", Some(GapReason::Dns)),
        ("silent.example", Some(GapReason::Timeout)),
    ] {
        let found = resolve(&resolver, &RecordName::new(name).unwrap(), SHORT).await;
        assert_eq!(found.map_err(|gap| gap.reason).err(), want, "{name}");
    }
}

#[tokio::test]
async fn one_look_serves_all_services_of_a_round() {
    let there = Server::start(|_| say(200, "")).await;
    let mut config = config(Vec::new());
    config.global.probe_interval = Duration::from_secs(4);
    config.datacenters = vec![place("dc-a", vec![Reach::Http(there.url())]), place("dc-b", Vec::new())];
    let clock = HandClock::new();
    let (collectors, _) = collectors(&config, Arc::clone(&clock));
    let look = async || {
        let name = site("dc-a");
        let looks = join_all((0..5).map(|_| collectors.domain(&name, AMPLE))).await;
        assert!(looks.iter().all(|checks| reasons(checks) == [None]));
        there.paths().len()
    };
    assert_eq!(look().await, 1);
    clock.forward(Duration::from_millis(2999));
    assert_eq!(look().await, 1);
    // The next round looks anew.
    clock.forward(Duration::from_millis(1));
    assert_eq!(look().await, 2);
    assert!(collectors.domain(&site("dc-b"), AMPLE).await.is_empty());
    assert!(collectors.domain(&site("dc-c"), AMPLE).await.is_empty());
    assert!(collectors.self_checks(AMPLE).await.is_empty());
}

#[tokio::test]
async fn a_look_that_hangs_is_never_doubled() {
    let hung = Server::start(|_| Act::Hang).await;
    let mut config = config(Vec::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = tcp(listener.local_addr().unwrap().port());
    config.datacenters = vec![place("dc-a", vec![open, Reach::Http(hung.url())])];
    let clock = HandClock::new();
    let (collectors, _) = collectors(&config, Arc::clone(&clock));
    let name = site("dc-a");
    let seen = [None, Some(GapReason::Timeout)];
    // One asks and gives up; whoever comes later, even much later, waits for the same look.
    let brief = Duration::from_millis(100);
    assert!(tokio::time::timeout(brief, collectors.domain(&name, SHORT)).await.is_err());
    clock.forward(Duration::from_secs(3600));
    let (one, other) = tokio::join!(collectors.domain(&name, SHORT), collectors.domain(&name, brief));
    // What answers is seen by all, also by who has less time than who began.
    assert_eq!((reasons(&one), reasons(&other)), (seen.to_vec(), seen.to_vec()));
    assert_eq!(hung.paths().len(), 1);
    clock.forward(Duration::from_secs(3600));
    assert_eq!(reasons(&collectors.domain(&name, SHORT).await), seen);
    assert_eq!(hung.paths().len(), 2);
}

/// A service whose one target refuses, with a database at the cluster and a query.
fn watched() -> Service {
    let mut service = service(vec![target("127.0.0.1", free_port())]);
    service.sites[0].database = Some(7);
    service.client_errors = Some(ClientErrors { promql: "vector(0.5)".to_owned() });
    service
}

#[tokio::test]
async fn what_hangs_around_a_site_costs_its_deadline_and_hides_nothing() {
    let hung = Server::start(|_| Act::Hang).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(vec![watched()]);
    let mut dc_a = place("dc-a", vec![tcp(listener.local_addr().unwrap().port()), Reach::Http(hung.url())]);
    let (username, password) = ("redrover".to_owned(), Secret::new("hunter2"));
    let interval = Duration::from_secs(30);
    dc_a.enterprise = Some(Enterprise {
        url: hung.url(),
        username,
        password,
        promotion: None,
        ca_file: None,
        metrics_url: None,
        interval,
    });
    config.datacenters = vec![dc_a];
    config.prometheus = Some(Prometheus { url: hung.url(), login: None, ca_file: None });
    let (collectors, registry) = collectors(&config, HandClock::new());
    let monitor = Monitor::new(&config.services[0], collectors).unwrap();

    let start = tokio::time::Instant::now();
    let seen = monitor.look(&site("dc-a"), SHORT, WriteCanary::Write).await;
    assert!((SHORT..SHORT * 2).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(seen.targets[0].ping.as_ref().unwrap_err().reason, GapReason::Refused);
    assert_eq!(seen.control.unwrap().unwrap_err().reason, GapReason::Timeout);
    assert_eq!(reasons(&seen.domain), [None, Some(GapReason::Timeout)]);
    let around = monitor.surroundings(SHORT).await;
    assert_eq!(around.client_errors.unwrap().unwrap_err().reason, GapReason::Timeout);

    let mut page = Page::new(Format::OpenMetrics);
    page.registry(&registry);
    let page = String::from_utf8(page.finish()).unwrap();
    for collector in ["domain", "client", "enterprise"] {
        let line =
            format!("redrover_collector_gaps_total{{collector=\"{collector}\",reason=\"timeout\"}} 1\n");
        assert!(page.contains(&line), "{line}{page}");
    }
}

#[tokio::test]
async fn what_is_not_configured_is_not_asked() {
    let mut plain = watched();
    (plain.sites[0].database, plain.client_errors) = (None, None);
    let config = config(vec![plain]);
    let (collectors, _) = collectors(&config, HandClock::new());
    let monitor = Monitor::new(&config.services[0], collectors).unwrap();
    let seen = monitor.look(&site("dc-a"), AMPLE, WriteCanary::Skip).await;
    assert_eq!((seen.control, seen.domain), (None, Vec::new()));
    assert_eq!(monitor.surroundings(AMPLE).await, Surroundings::default());
}
