//! Keys and streams of real servers, and of one that never comes to an end.

use std::io::Write as _;
use std::process::{Command, Stdio};

use tokio::io::AsyncReadExt as _;

use super::*;
use crate::config::{KeyCheck, KeyGroup, KeyScope, Keys};

fn wants(keys: Keys) -> Wants {
    Wants { keys: Keys { scope: KeyScope::All, ..keys }, ..Wants::default() }
}

fn checks(pairs: &[(&str, &str)]) -> Vec<KeyCheck> {
    pairs.iter().flat_map(|(name, value)| KeyCheck::of_parameter(name, value).expect("a parameter")).collect()
}

fn checking(pairs: &[(&str, &str)]) -> Keys {
    Keys { checks: checks(pairs), ..Keys::default() }
}

/// Series of keys and streams on a page.
fn about_keys(page: &str) -> Vec<&str> {
    let is_one = |line: &&str| {
        ["redis_key_", "redis_keys_", "redis_stream_", "redis_number_of_distinct", "redrover_scrape_keys"]
            .iter()
            .any(|start| line.starts_with(start))
            && !line.starts_with("redis_keyspace")
    };
    page.lines().filter(is_one).collect()
}

async fn fill(server: &Server) {
    for words in [
        &["SET", "n:1", "42.5"][..],
        &["SET", "n:2", "word"],
        &["SET", "n:3", "100000000000000000000000000000000000"],
        &["RPUSH", "queue", "a", "b", "c"],
        &["SADD", "s:1", "a", "b"],
        &["ZADD", "z", "1", "a"],
        &["HSET", "h", "a", "1", "b", "2", "c", "3", "d", "4"],
        &["PFADD", "hll", "a", "b", "c"],
        &["XADD", "orders", "5000-1", "a", "1"],
        &["XADD", "orders", "7000-1", "a", "2"],
        &["XADD", "orders", "9000-1", "a", "3"],
        &["XGROUP", "CREATE", "orders", "billing", "0"],
        &["XREADGROUP", "GROUP", "billing", "worker", "COUNT", "2", "STREAMS", "orders", ">"],
        &["XACK", "orders", "billing", "5000-1"],
        &["-n", "3", "SET", "odd \"name\"\\\n", "7"],
    ] {
        server.cli(words);
    }
}

#[tokio::test]
async fn keys_have_their_size_their_number_and_their_memory() {
    let server = Server::start(&[]).await;
    fill(&server).await;
    let keys = checking(&[
        ("check-keys", "n:*,db3=odd*"),
        ("check-single-keys", "queue,s:1,z,h,hll,orders,gone,db3=gone"),
        ("count-keys", "n:*,db3=*,nothing*"),
    ]);
    let exporter = exporter(server.target(), wants(keys), OPTIONS);
    for _ in 0..2 {
        let page = page(&exporter, AMPLE).await;
        for (key, size) in [
            ("n:1", 4),
            ("n:2", 4),
            ("n:3", 36),
            ("queue", 3),
            ("s:1", 2),
            ("z", 1),
            ("h", 4),
            ("hll", 3),
            ("orders", 3),
            ("gone", 0),
        ] {
            assert_has(&page, &format!("redis_key_size{{db=\"db0\",key=\"{key}\"}} {size}"));
            let memory = value(&page, &format!("redis_key_memory_usage_bytes{{db=\"db0\",key=\"{key}\"}}"));
            assert_eq!(memory.is_some_and(|bytes| bytes > 40.0), key != "gone", "{key}: {memory:?}");
        }
        assert_has(&page, "redis_key_value{db=\"db0\",key=\"n:1\"} 42.5");
        assert_has(&page, "redis_key_value{db=\"db3\",key=\"odd \\\"name\\\"\\\\\\n\"} 7");
        assert_eq!(
            page.matches("\nredis_key_value{").count(),
            2,
            "text is no number, nor is a long one\n{page}"
        );
        assert_has(&page, "redis_key_size{db=\"db3\",key=\"gone\"} 0");
        for name in ["redis_keys_count", "redis_keys_matching"] {
            assert_has(&page, &format!("{name}{{db=\"db0\",key=\"n:*\"}} 3"));
            assert_has(&page, &format!("{name}{{db=\"db0\",key=\"nothing*\"}} 0"));
            assert_has(&page, &format!("{name}{{db=\"db3\",key=\"*\"}} 1"));
        }
        assert_has(&page, "redrover_scrape_keys_complete 1");
        assert!(!page.contains("redrover_scrape_blocked") && !page.contains("redis_errors_total{"), "{page}");
    }
}

#[tokio::test]
async fn streams_have_their_entries_their_groups_and_their_readers() {
    let server = Server::start(&[]).await;
    fill(&server).await;
    let keys = checking(&[("check-streams", "*"), ("check-single-streams", "orders,gone")]);
    let exporter = exporter(server.target(), wants(keys), OPTIONS);
    let page = page(&exporter, AMPLE).await;
    for (name, want) in [
        ("length", 3),
        ("groups", 1),
        ("radix_tree_keys", 1),
        ("first_entry_id", 5000),
        ("last_entry_id", 9000),
        ("last_generated_id", 9000),
        ("max_deleted_entry_id", 0),
    ] {
        assert_has(&page, &format!("redis_stream_{name}{{db=\"db0\",stream=\"orders\"}} {want}"));
    }
    let group = "db=\"db0\",stream=\"orders\",group=\"billing\"";
    for (name, want) in [
        ("consumers", 1),
        ("messages_pending", 1),
        ("last_delivered_id", 7000),
        ("entries_read", 2),
        ("lag", 1),
    ] {
        assert_has(&page, &format!("redis_stream_group_{name}{{{group}}} {want}"));
    }
    let reader = format!("{group},consumer=\"worker\"");
    assert_has(&page, &format!("redis_stream_group_consumer_messages_pending{{{reader}}} 1"));
    let idle = value(&page, &format!("redis_stream_group_consumer_idle_seconds{{{reader}}}"));
    assert!(idle.is_some_and(|seconds| (0.0..60.0).contains(&seconds)), "{idle:?}");
    assert_has(&page, "redrover_scrape_keys_complete 1");
    assert!(!page.contains("stream=\"gone\"") && !page.contains("redrover_scrape_blocked"), "{page}");
}

#[tokio::test]
async fn groups_of_keys_are_counted_in_every_database() {
    let server = Server::start(&[]).await;
    server.cli(&["EVAL", "for i = 1, 2500 do redis.call('SET', 'user:' .. i, i) end", "0"]);
    fill(&server).await;
    let groups = ["^([a-z]+):", "^(o)"].map(|pattern| KeyGroup::new(pattern).unwrap()).to_vec();
    let exporter =
        exporter(server.target(), wants(Keys { groups, groups_max: 3, ..Keys::default() }), OPTIONS);
    let page = page(&exporter, AMPLE).await;
    // Of n, o, s, user and those that match nothing, two use too little memory to be told apart.
    assert_has(&page, "redis_key_group_keys{db=\"db0\",key_group=\"user\"} 2500");
    assert_has(&page, "redis_key_group_count{db=\"db0\",key_group=\"user\"} 2500");
    assert_has(&page, "redis_key_group_keys{db=\"db3\",key_group=\"o\"} 1");
    assert_has(&page, "redis_number_of_distinct_key_groups{db=\"db0\"} 5");
    assert_has(&page, "redis_number_of_distinct_key_groups{db=\"db3\"} 1");
    let memory = value(&page, "redis_key_group_memory_usage_bytes{db=\"db0\",key_group=\"user\"}");
    assert!(memory.is_some_and(|bytes| bytes > 2500.0 * 40.0), "{memory:?}");
    assert_eq!(page.matches("\nredis_key_group_keys{db=\"db0\"").count(), 4, "three and the rest\n{page}");
    assert!(page.contains("key_group=\"overflow\"") && page.contains("key_group=\"unclassified\""), "{page}");
    assert!(value(&page, "redis_last_key_groups_scrape_duration_milliseconds").is_some_and(|ms| ms > 0.0));
    assert_has(&page, "redrover_scrape_keys_complete 1");
}

#[tokio::test]
async fn a_page_with_keys_is_one_that_promtool_likes() {
    let server = Server::start(&[]).await;
    fill(&server).await;
    let groups = vec![KeyGroup::new("^([a-z]+):").unwrap()];
    let keys =
        Keys { groups, ..checking(&[("check-keys", "*"), ("check-streams", "*"), ("count-keys", "*")]) };
    let exporter = exporter(server.target(), wants(keys), ExporterOptions::default());
    let page = page(&exporter, AMPLE).await;
    assert!(page.contains("\nredis_key_group_keys{") && page.contains("\nredis_stream_group_lag{"), "{page}");
    let pipes = || Stdio::piped();
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(pipes()).stdout(pipes()).stderr(pipes());
    let mut promtool = promtool.spawn().expect("promtool is installed");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(said, ["", ""]);
}

#[tokio::test]
async fn a_primary_is_left_alone_unless_told_otherwise() {
    let primary = Server::start(&[]).await;
    fill(&primary).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]).await;
    until("the replica is in step", async || replica.cli(&["EXISTS", "queue"]).trim() == "1").await;
    let keys = checking(&[("check-keys", "n:*"), ("check-streams", "*")]);
    let wants = Wants { keys, ..Wants::default() };
    let of = |server: &Server| exporter(server.target(), wants.clone(), OPTIONS);
    let page_of = page(&of(&primary), AMPLE).await;
    assert_eq!(about_keys(&page_of), [""; 0]);
    assert_eq!(value(&page_of, "redis_commands_total{cmd=\"scan\"}"), None);
    let page = page(&of(&replica), AMPLE).await;
    assert_has(&page, "redis_key_size{db=\"db0\",key=\"n:1\"} 4");
    assert_has(&page, "redis_stream_length{db=\"db0\",stream=\"orders\"} 3");
}

#[tokio::test]
async fn limits_and_callers_are_heeded() {
    let server = Server::start(&[]).await;
    server.cli(&["EVAL", "for i = 1, 300 do redis.call('SET', 'user:' .. i, i) end", "0"]);
    let keys = Keys { series_max: 50, batch: 10, ..checking(&[("check-keys", "user:*")]) };
    let exporter = exporter(server.target(), wants(keys), OPTIONS);
    let page = page(&exporter, AMPLE).await;
    assert_eq!(page.matches("\nredis_key_size{").count(), 50);
    assert_has(&page, "redrover_scrape_keys_complete 0");
    let more =
        checks(&[("check-keys", "nothing:*"), ("check-single-keys", "user:1"), ("count-keys", "user:*")]);
    let name = server.target().name;
    let page = exporter.scrape(name.as_str(), &more, AMPLE, Format::Text).await.unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_has(&page, "redis_key_size{db=\"db0\",key=\"user:1\"} 1");
    assert_has(&page, "redis_keys_matching{db=\"db0\",key=\"user:*\"} 300");
}

/// What a user needs beside the observer's rights; docs/exporter.md has it.
const RIGHTS: &str = "+select +readonly +scan +type +strlen +getrange +pfcount +llen +scard +zcard +hlen +xlen \
                      +memory|usage +xinfo|stream +xinfo|groups +xinfo|consumers";

#[tokio::test]
async fn the_rights_of_the_manual_are_enough_and_a_lack_is_told() {
    let manual = include_str!("../../../../docs/exporter.md");
    assert!(manual.replace("\n    ", " ").contains(RIGHTS), "docs/exporter.md has other rights");
    let server = Server::start(&[]).await;
    fill(&server).await;
    let base = ["ACL", "SETUSER", "watch", "on", ">pw", "-@all", "+info"];
    let rights: Vec<&str> = RIGHTS.split(' ').collect();
    server.cli(&[&base[..], &rights[..], &["~*"]].concat());
    let groups = vec![KeyGroup::new("^([a-z]+):").unwrap()];
    let keys = Keys {
        groups,
        ..checking(&[("check-keys", "*,db3=*"), ("check-streams", "*"), ("count-keys", "*")])
    };
    let exporter = exporter(with_login(server.target(), Some("watch"), "pw"), wants(keys), OPTIONS);
    let whole = page(&exporter, AMPLE).await;
    assert_has(&whole, "redrover_scrape_keys_complete 1");
    assert!(!rights.iter().any(|right| whole.contains(&format!("command=\"{}\"", &right[1..]))), "{whole}");
    server.cli(&["ACL", "SETUSER", "watch", "-memory|usage", "resetkeys", "~n:*"]);
    let partial = page(&exporter, AMPLE).await;
    assert_has(&partial, "redis_up 1");
    assert_has(&partial, "redrover_scrape_keys_complete 0");
    assert_has(&partial, "redrover_scrape_blocked{command=\"memory|usage\",reason=\"permission\"} 1");
    assert_has(&partial, "redis_key_size{db=\"db0\",key=\"n:1\"} 4");
    assert!(
        !partial.contains("redrover_scrape_blocked{command=\"type\""),
        "a key that is not allowed blocks nothing"
    );
}

#[tokio::test]
async fn replicas_of_a_cluster_tell_of_their_own_keys() {
    let mode = ["--cluster-enabled", "yes"];
    let (primary, replica) = (Server::start(&mode).await, Server::start(&mode).await);
    primary.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    replica.cli(&["CLUSTER", "MEET", "127.0.0.1", &primary.port.to_string()]);
    let id = primary.cli(&["CLUSTER", "MYID"]);
    until("it replicates", async || replica.cli(&["CLUSTER", "REPLICATE", id.trim()]).trim() == "OK").await;
    until("the cluster stands", async || primary.cli(&["SET", "n:1", "1"]).trim() == "OK").await;
    until("the replica has it", async || replica.cli(&["DBSIZE"]).trim() == "1").await;
    let keys = checking(&[("check-keys", "n:*"), ("check-single-keys", "n:1")]);
    let exporter = exporter(replica.target(), Wants { keys, ..Wants::default() }, OPTIONS);
    let page = page(&exporter, AMPLE).await;
    assert_has(&page, "redis_key_size{db=\"db0\",key=\"n:1\"} 1");
    assert_has(&page, "redrover_scrape_keys_complete 1");
}

/// Answers the first pipeline of a scrape as a server would, and every SCAN with keys and another cursor, for ever.
#[tokio::test]
async fn a_walk_without_end_ends_in_time_and_leaves_the_rest_of_the_page() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = socket.read(&mut bytes).await {
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                let mut answer = String::new();
                for line in text.split("\r\n") {
                    match line {
                        "INFO" => {
                            let info = "# Server\r\nrole:slave\r\n# Keyspace\r\ndb0:keys=1\r\n";
                            answer.push_str(&format!("${}\r\n{info}\r\n", info.len()));
                        }
                        "SCAN" => answer.push_str("*2\r\n$1\r\n7\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
                        "CONFIG" | "SLOWLOG" | "LATENCY" => answer.push_str("*0\r\n"),
                        "TYPE" => answer.push_str("+string\r\n"),
                        "STRLEN" | "MEMORY" => answer.push_str(":1\r\n"),
                        "GETRANGE" => answer.push_str("$1\r\n7\r\n"),
                        _ => {}
                    }
                }
                if socket.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    let keys = checking(&[("check-keys", "*"), ("count-keys", "*")]);
    let exporter = exporter(target("127.0.0.1", port), wants(keys), OPTIONS);
    let clock = SystemClock::new();
    let began = clock.now();
    let page = page(&exporter, Duration::from_millis(800)).await;
    let took = clock.now().since(began);
    assert!(took < Duration::from_millis(800), "{took:?}");
    assert_has(&page, "redis_up 1");
    assert_has(&page, "redis_key_value{db=\"db0\",key=\"a\"} 7");
    assert_has(&page, "redrover_scrape_keys_complete 0");
    assert!(!page.contains("redis_keys_matching"), "a part is not told as the whole");
}
