//! Scrapes of real servers, and of peers that are none.

mod keys;
mod odd;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::prober::SCRAPES_MAX;
use super::targets::RENEWAL;
use super::{Connections, Exporter, ExporterOptions};
use crate::config::{Discover, Exporter as Wants, Group, Login, Target, Tls};
use crate::monitor::catalog::{CATALOG, Names};
use crate::monitor::format::Format;
use crate::monitor::tests::rig::{
    AMPLE, HandClock, Papers, Pretender, Server, Then, config, free_port, service, target, until, with_login,
};
use crate::types::{Clock, ServiceName, SystemClock};

const OPTIONS: ExporterOptions = ExporterOptions { names: Names::Compat, connections: Connections::Kept };

fn exporter(target: Target, wants: Wants, options: ExporterOptions) -> Exporter {
    let mut config = config(vec![service(vec![target])]);
    config.exporter = wants;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Exporter::new(&config, &clock, options).unwrap()
}

fn usual(target: Target) -> Exporter {
    exporter(target, Wants::default(), OPTIONS)
}

async fn page(exporter: &Exporter, deadline: Duration) -> String {
    let name = exporter.discover(deadline).await.remove(0).0;
    let bytes = exporter.scrape(name.as_str(), &[], deadline, Format::Text).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

fn assert_has(page: &str, line: &str) {
    assert!(page.lines().any(|found| found == line), "{line}\nis not in\n{page}");
}

fn value(page: &str, series: &str) -> Option<f64> {
    let start = format!("{series} ");
    page.lines().find_map(|line| line.strip_prefix(&start))?.parse().ok()
}

fn assert_failed(page: &str, reason: &str) {
    assert_has(page, "redis_up 0");
    assert_has(page, &format!("redis_exporter_last_scrape_error{{err=\"{reason}\"}} 1"));
}

/// Names of families on a page.
fn families(page: &str) -> BTreeSet<&str> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|rest| rest.split(' ').next()).collect()
}

#[tokio::test]
async fn a_healthy_server_brings_all_kinds_over_one_connection() {
    let monitored = ["--latency-monitor-threshold", "1", "--slowlog-log-slower-than", "0"];
    let server = Server::start(&monitored).await;
    server.cli(&["SET", "a", "1"]);
    server.cli(&["LPUSH", "a", "1"]);
    server.cli(&["EVAL", "local i = 0 while i < 5000000 do i = i + 1 end", "0"]);
    let exporter = usual(server.target());
    let first = page(&exporter, AMPLE).await;
    let second = page(&exporter, AMPLE).await;
    assert_has(&first, "redis_up 1");
    assert_has(&first, "redis_exporter_last_scrape_error{err=\"\"} 0");
    assert_has(&first, "redis_db_keys{db=\"db0\"} 1");
    assert_has(&first, "redis_db_keys{db=\"db15\"} 0");
    assert_has(&first, "redis_config_maxclients 10000");
    assert_has(
        &first,
        "redis_config_client_output_buffer_limit_bytes{class=\"slave\",limit=\"hard\"} 268435456",
    );
    assert_has(
        &first,
        "redis_config_client_output_buffer_limit_overcome_seconds{class=\"pubsub\",limit=\"soft\"} 60",
    );
    assert_has(&first, "redis_errors_total{err=\"WRONGTYPE\"} 1");
    assert_has(&first, "redis_commands_latencies_usec_bucket{cmd=\"set\",le=\"+Inf\"} 1");
    assert_has(&first, "redis_commands_latencies_usec_count{cmd=\"set\"} 1");
    assert_has(&first, "redis_latency_percentiles_usec_count{cmd=\"set\"} 1");
    for quantile in ["50", "99", "99.9"] {
        let series = format!("redis_latency_percentiles_usec{{cmd=\"set\",quantile=\"{quantile}\"}}");
        assert!(value(&first, &series).is_some_and(|usec| usec > 0.0), "{series}\n{first}");
    }
    assert!(value(&first, "redis_slowlog_length").is_some_and(|n| n > 2.0), "{first}");
    assert!(value(&second, "redis_slowlog_last_id") > value(&first, "redis_slowlog_last_id"), "{second}");
    let spike = value(&first, "redis_latency_spike_duration_seconds{event_name=\"command\"}");
    assert!(spike.is_some_and(|seconds| (0.001..10.0).contains(&seconds)), "{first}");
    assert!(!first.contains("redis_config_value{") && !first.contains("redis_connected_client_info{"));
    let connections = |page: &str| value(page, "redis_connections_received_total").unwrap();
    assert!((connections(&first) - connections(&second)).abs() < 0.5, "the connection is kept");
    assert_eq!(value(&second, "redis_exporter_last_scrape_connect_time_seconds"), Some(0.0));

    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_has(&page(&exporter, AMPLE).await, "redis_up 1");
    let fresh = ExporterOptions { connections: Connections::Fresh, ..OPTIONS };
    let fresh = self::exporter(server.target(), Wants::default(), fresh);
    let (first, second) = (page(&fresh, AMPLE).await, page(&fresh, AMPLE).await);
    assert!(connections(&second) - connections(&first) > 0.5, "each scrape connects");
}

#[tokio::test]
async fn parameters_and_connections_come_where_they_are_asked_for() {
    let server = Server::start(&["--requirepass", "hunter2"]).await;
    let wants = Wants { parameters: true, clients_max: 10, ..Wants::default() };
    let exporter = exporter(with_login(server.target(), None, "hunter2"), wants, OPTIONS);
    let page = page(&exporter, AMPLE).await;
    assert_has(&page, "redis_config_value{key=\"hz\"} 10");
    assert_has(&page, "redis_config_key_value{key=\"requirepass\",value=\"hidden\"} 1");
    assert_has(&page, "redis_config_maxclients 10000");
    assert!(!page.contains("hunter2"), "{page}");
    let info = page.lines().find(|line| line.starts_with("redis_connected_client_info{")).expect("a client");
    for part in ["user=\"default\"", "host=\"127.0.0.1\"", "resp=\"2\"", "db=\"0\""] {
        assert!(info.contains(part), "{info}");
    }
    assert!(page.contains("\nredis_connected_client_channel_subscriptions_count{id="), "{page}");
}

/// Names of redis_exporter that are not exported, with the reason.
const LEFT_OUT: [(&str, &str); 9] = [
    ("redis_connected_clients_details", OLD),
    ("redis_exporter_build_info", OWN),
    ("redis_exporter_last_scrape_ping_time_seconds", OWN),
    ("redis_exporter_scrape_duration_seconds", OWN),
    ("redis_exporter_scrapes_total", OWN),
    ("redis_rdb_current_size_bytes", "it is read from the disk of the server"),
    ("redis_script_result", SCRIPT),
    ("redis_script_values", SCRIPT),
    ("redis_target_scrape_request_errors_total", OWN),
];
const OLD: &str = "newer versions have single series instead";
const OWN: &str = "it is about that program itself";
const SCRIPT: &str = "it runs scripts of the operator's";

#[tokio::test]
async fn what_a_server_blocks_is_noticed_once_and_told() {
    let server = Server::start(&[]).await;
    server.cli(&["ACL", "SETUSER", "watch", "on", ">pw", "-@all", "+info", "+slowlog|len"]);
    let exporter = usual(with_login(server.target(), Some("watch"), "pw"));
    let rejected = |page: &str| value(page, "redis_commands_rejected_calls_total{cmd=\"config|get\"}");
    let first = page(&exporter, AMPLE).await;
    let second = page(&exporter, AMPLE).await;
    let third = page(&exporter, AMPLE).await;
    for command in ["config|get", "slowlog|get", "latency|latest", "latency|histogram"] {
        let line = format!("redrover_scrape_blocked{{command=\"{command}\",reason=\"permission\"}} 1");
        assert_has(&first, &line);
        assert_has(&third, &line);
    }
    assert_has(&third, "redis_up 1");
    assert_has(&third, "redis_slowlog_length 0");
    assert!(rejected(&second).is_some_and(|n| n > 0.0), "{second}");
    assert_eq!(rejected(&second), rejected(&third), "it is not asked again");
    assert!(!first.contains("command=\"slowlog|len\""), "{first}");
    let old = server.cli(&["ACL", "SETUSER", "watch", "-info"]);
    assert_eq!(old.trim(), "OK");
    assert_failed(&page(&exporter, AMPLE).await, "permission");
}

#[tokio::test]
async fn the_login_decides_and_does_not_show() {
    let server = Server::start(&["--requirepass", "hunter2"]).await;
    assert_has(&page(&usual(with_login(server.target(), None, "hunter2")), AMPLE).await, "redis_up 1");
    for target in [server.target(), with_login(server.target(), None, "wrong-secret")] {
        let page = page(&usual(target), AMPLE).await;
        assert_failed(&page, "auth");
        assert!(!page.contains("wrong-secret"), "{page}");
    }
}

#[tokio::test]
async fn a_cluster_node_tells_of_its_cluster_at_once() {
    let server = Server::start(&["--cluster-enabled", "yes"]).await;
    let exporter = usual(server.target());
    for _ in 0..2 {
        let page = page(&exporter, AMPLE).await;
        assert_has(&page, "redis_cluster_enabled 1");
        assert_has(&page, "redis_cluster_state 0");
        assert_has(&page, "redis_cluster_slots_assigned 0");
        assert_has(&page, "redis_cluster_known_nodes 1");
    }
}

#[tokio::test]
async fn a_sentinel_tells_of_its_primaries() {
    let primary = Server::start(&[]).await;
    let sentinel = Server::sentinel(&primary).await;
    let exporter = usual(sentinel.target());
    let labels = format!("master_name=\"shop\",master_address=\"127.0.0.1:{}\"", primary.port);
    for _ in 0..2 {
        let page = page(&exporter, AMPLE).await;
        assert_has(&page, "redis_sentinel_masters 1");
        assert_has(&page, &format!("redis_sentinel_master_sentinels{{{labels}}} 1"));
        assert_has(&page, &format!("redis_sentinel_master_ok_sentinels{{{labels}}} 1"));
        assert_has(&page, &format!("redis_sentinel_master_ok_slaves{{{labels}}} 0"));
        assert_has(&page, &format!("redis_sentinel_master_setting_ckquorum{{{labels}}} 1"));
        assert_has(&page, &format!("redis_sentinel_master_setting_down_after_seconds{{{labels}}} 30"));
        assert_has(&page, "redis_sentinel_master_ckquorum_status{master_name=\"shop\",message=\"OK\"} 1");
        assert!(!page.contains("redrover_scrape_blocked"), "{page}");
    }
}

#[tokio::test]
async fn a_hung_server_costs_its_own_deadline_also_with_many_callers() {
    let server = Server::start(&[]).await;
    let exporter = usual(server.target());
    assert_has(&page(&exporter, AMPLE).await, "redis_up 1");
    server.signal("STOP");
    let deadline = Duration::from_millis(600);
    let clock = SystemClock::new();
    let began = clock.now();
    let pages = futures_util::future::join_all((0..3 * SCRAPES_MAX).map(|_| page(&exporter, deadline))).await;
    let took = clock.now().since(began);
    assert!(took >= deadline && took < deadline * 3, "{took:?}");
    pages.iter().for_each(|page| assert_failed(page, "timeout"));
    server.signal("CONT");
    until("it answers again", async || page(&exporter, AMPLE).await.contains("\nredis_up 1\n")).await;
}

#[tokio::test]
async fn a_peer_that_is_no_redis_is_a_gap_with_its_reason() {
    let refused = usual(target("127.0.0.1", free_port()));
    assert_failed(&page(&refused, AMPLE).await, "refused");
    assert_failed(&page(&usual(target("no-such-host.invalid", 1)), AMPLE).await, "dns");
    let huge = b"$99999999\r\n".iter().copied().chain(std::iter::repeat_n(b'x', 9 * 1024 * 1024));
    for (answer, then, reason) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Then::Close, "protocol"),
        (b"\x16\x03\x01\x02".to_vec(), Then::Stall, "protocol"),
        (huge.collect(), Then::Stall, "protocol"),
        (b"*3\r\n$1\r\n".to_vec(), Then::Close, "closed"),
        (Vec::new(), Then::Close, "closed"),
        (b"-ERR max number of clients reached\r\n".to_vec(), Then::Close, "maxclients"),
        (b"-DENIED Redis is running in protected mode\r\n".to_vec(), Then::Close, "permission"),
    ] {
        let peer = Pretender::start(answer.clone(), then).await;
        let page = page(&usual(target("127.0.0.1", peer.port)), AMPLE).await;
        assert!(page.contains(&format!("err=\"{reason}\"")), "{reason}: {page}");
        assert_failed(&page, reason);
    }
}

/// A server that answers INFO one byte at a time, for ever.
#[tokio::test]
async fn a_peer_that_drips_is_given_up_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(b"$1000000\r\n").await;
            while socket.write_all(b"#").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    let page = page(&usual(target("127.0.0.1", port)), Duration::from_millis(400)).await;
    assert_failed(&page, "timeout");
}

/// The names of redis_exporter 1.45 and 1.86 that were seen at live servers, `name<TAB>type<TAB>labels`.
const OBSERVED: &str = include_str!("../../../tests/testdata/redis_exporter_names.tsv");

#[test]
fn every_name_of_redis_exporter_is_in_the_catalog_or_left_out_with_a_reason() {
    let mut wrong = Vec::new();
    for line in OBSERVED.lines() {
        let mut columns = line.split('\t');
        let [name, kind, labels] = std::array::from_fn(|_| columns.next().unwrap_or_default());
        if LEFT_OUT.iter().any(|(left, _)| *left == name) {
            continue;
        }
        let Some(spec) = CATALOG.iter().find(|spec| spec.name == name) else {
            wrong.push(format!("{name} is missing"));
            continue;
        };
        let mut own: Vec<&str> = spec.labels.to_vec();
        own.sort_unstable();
        if own.join(",") != labels || (spec.kind.as_str() != kind && !OTHER_TYPE.contains(&name)) {
            wrong.push(format!("{name} is a {} of {own:?}", spec.kind.as_str()));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    for (name, why) in LEFT_OUT {
        assert!(!why.is_empty() && CATALOG.iter().all(|spec| spec.name != name), "{name} is exported");
    }
}

/// Names whose type the linter complains of there, and which are what their names say here.
const OTHER_TYPE: [&str; 1] = ["redis_rdb_saves_total"];

#[tokio::test]
async fn a_page_of_either_set_of_names_has_each_family_once() {
    let server = Server::start(&["--appendonly", "yes"]).await;
    let clean = exporter(server.target(), Wants::default(), ExporterOptions::default());
    let (clean, compat) = (page(&clean, AMPLE).await, page(&usual(server.target()), AMPLE).await);
    let (clean, compat) = (families(&clean), families(&compat));
    assert!(clean.is_subset(&compat) && compat.len() > clean.len() + 10, "{} {}", clean.len(), compat.len());
}

fn group(discover: Discover, seed: Target) -> Wants {
    let name = ServiceName::new("found").unwrap();
    let group = Group { name, targets: vec![seed], discover, discovered: Login::default() };
    Wants { groups: vec![group], ..Wants::default() }
}

/// The targets, once what was known of them is too old.
async fn names(exporter: &Exporter, clock: &HandClock) -> BTreeSet<String> {
    clock.forward(RENEWAL);
    exporter.discover(AMPLE).await.into_iter().map(|(name, _)| name.to_string()).collect()
}

fn only_groups(wants: Wants) -> (Exporter, Arc<HandClock>) {
    let mut config = config(Vec::new());
    config.exporter = wants;
    let clock = HandClock::new();
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
    (Exporter::new(&config, &shared, OPTIONS).unwrap(), clock)
}

#[tokio::test]
async fn the_nodes_of_a_cluster_are_found_and_may_be_scraped() {
    let mode = ["--cluster-enabled", "yes"];
    let nodes = [Server::start(&mode).await, Server::start(&mode).await];
    nodes[0].cli(&["CLUSTER", "MEET", "127.0.0.1", &nodes[1].port.to_string()]);
    let want: BTreeSet<String> = nodes.iter().map(|node| node.target().name.to_string()).collect();
    let (exporter, clock) = only_groups(group(Discover::Cluster, nodes[0].target()));
    until("both nodes are found", async || names(&exporter, &clock).await == want).await;
    // What is known is taken for a while: the seed is asked again only after it.
    let asked = || {
        let stats = nodes[0].cli(&["INFO", "commandstats"]);
        let row = stats.lines().find_map(|line| line.strip_prefix("cmdstat_cluster|nodes:calls="))?;
        row.split(',').next()?.parse::<u32>().ok()
    };
    let before = asked().expect("it was asked");
    let many = (0..20).map(|_| exporter.discover(AMPLE));
    assert!(futures_util::future::join_all(many).await.iter().all(|found| found.len() == 2));
    assert_eq!(asked(), Some(before));
    clock.forward(RENEWAL);
    let many = (0..20).map(|_| exporter.discover(AMPLE));
    assert!(futures_util::future::join_all(many).await.iter().all(|found| found.len() == 2));
    assert_eq!(asked(), Some(before + 1), "one of many callers asks");
    // One that was started later does not know the second node before it asks.
    let (later, _clock) = only_groups(group(Discover::Cluster, nodes[0].target()));
    let page =
        later.scrape(nodes[1].target().name.as_str(), &[], AMPLE, Format::Text).await.expect("it is found");
    assert_has(&String::from_utf8(page).unwrap(), "redis_up 1");
    let elsewhere = Server::start(&[]).await;
    assert_eq!(later.scrape(elsewhere.target().name.as_str(), &[], AMPLE, Format::Text).await, None);
}

#[tokio::test]
async fn what_a_sentinel_watches_is_found_and_may_be_scraped() {
    let primary = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]).await;
    let sentinel = Server::sentinel(&primary).await;
    let (exporter, clock) = only_groups(group(Discover::Sentinel, sentinel.target()));
    let want: BTreeSet<String> =
        [&sentinel, &primary, &replica].into_iter().map(|server| server.target().name.to_string()).collect();
    until("all three are found", async || names(&exporter, &clock).await == want).await;
    let page =
        exporter.scrape(replica.target().name.as_str(), &[], AMPLE, Format::Text).await.expect("it is found");
    assert_has(&String::from_utf8(page).unwrap(), "redis_up 1");
}

#[tokio::test]
async fn a_password_and_papers_that_change_need_no_restart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, "first\n").unwrap();
    let papers = Papers::write(dir.path(), "one");
    let [certificate, key, ca] = [&papers.certificate, &papers.key, &papers.ca].map(|p| p.to_str().unwrap());
    let tls_port = free_port().to_string();
    let tls = ["--tls-port", &tls_port, "--tls-cert-file", certificate, "--tls-key-file", key];
    let server = Server::start(
        &[&tls[..], &["--tls-auth-clients", "no", "--tls-ca-cert-file", ca, "--requirepass", "first"]]
            .concat(),
    )
    .await;
    let own_ca = dir.path().join("trusted");
    std::fs::copy(&papers.ca, &own_ca).unwrap();
    let target = Target {
        tls: Some(Tls { ca_file: Some(own_ca.clone()), ..Tls::default() }),
        password_file: Some(file.clone()),
        ..with_login(target("127.0.0.1", tls_port.parse().unwrap()), Some("default"), "first")
    };
    let fresh = ExporterOptions { connections: Connections::Fresh, ..OPTIONS };
    let exporter = exporter(target, Wants::default(), fresh);
    assert_has(&page(&exporter, AMPLE).await, "redis_up 1");

    server.cli(&["-a", "first", "--no-auth-warning", "CONFIG", "SET", "requirepass", "second"]);
    assert_failed(&page(&exporter, AMPLE).await, "auth");
    std::fs::write(&file, "second\n").unwrap();
    assert_has(&page(&exporter, AMPLE).await, "redis_up 1");

    let others = Papers::write(dir.path(), "another");
    std::fs::copy(&others.ca, &own_ca).unwrap();
    assert_failed(&page(&exporter, AMPLE).await, "tls");
    std::fs::copy(&papers.ca, &own_ca).unwrap();
    assert_has(&page(&exporter, AMPLE).await, "redis_up 1");
}
