//! Servers that answer anything: whatever comes, the page can be read, and what cannot be used is a gap with its reason.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio::time::Instant;

use super::super::blocked::Blocked;
use super::super::command::Command;
use super::super::error::ScrapeError;
use super::super::families::samples;
use super::super::keys::{Plan, Seen, Walk};
use super::super::link::Link;
use super::super::reading::{Asked, EVERY_PARAMETER, Reading};
use super::super::resp::parse;
use super::*;
use crate::config::{KeyCheck, KeyGroup, KeyScope, Keys};
use crate::monitor::exposition::Page;
use crate::monitor::info::InfoReply;
use crate::monitor::socket::Ends;

/// What a scrape asks, beside INFO.
const COMMANDS: [Command; 12] = [
    Command::ConfigGet,
    Command::SlowlogLen,
    Command::SlowlogGet,
    Command::LatencyLatest,
    Command::LatencyHistogram,
    Command::ClusterInfo,
    Command::ClusterNodes,
    Command::ClientList,
    Command::SentinelMasters,
    Command::SentinelReplicas,
    Command::SentinelSentinels,
    Command::SentinelQuorum,
];

/// Words of answers.
const KNOWN: &[&str] = &[
    "0",
    "-1",
    "9223372036854775807",
    "1e400",
    "nan",
    "id",
    "name",
    "ip",
    "port",
    "flags",
    "calls",
    "usec",
    "event",
    "histogram_usec",
    "client-output-buffer-limit",
    "normal 1 2 3 slave x y -4",
    "databases",
    "4294967296",
    "id=1 name=a\"b addr=:1 age=-3 db=0\nid=2 resp= user",
    "cluster_state:ok\r\ncluster_size:-7",
    "string",
    "stream",
    "none",
    "length",
    "lag",
    "idle",
    "pending",
    "first-entry",
    "groups",
    "5-1",
    "HYLL",
    "a\nb\\c\"d{}",
];

/// Words that answers have, so that odd ones come near to right ones, and texts that are none.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => proptest::sample::select(KNOWN).prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

/// An answer of the protocol.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let line = word().prop_map(|word| word.into_iter().filter(|b| !b"\r\n".contains(b)).collect::<Vec<_>>());
    let leaf = prop_oneof![
        4 => word().prop_map(|word| [format!("${}\r\n", word.len()).as_bytes(), &word, b"\r\n"].concat()),
        1 => any::<i64>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
        1 => (proptest::sample::select(&["+", "-", "-ERR unknown ", "-NOPERM "][..]), line)
            .prop_map(|(mark, line)| [mark.as_bytes(), &line, b"\r\n"].concat()),
        1 => Just(b"$-1\r\n".to_vec()),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        proptest::collection::vec(inner, 0..8)
            .prop_map(|items| [format!("*{}\r\n", items.len()).into_bytes(), items.concat()].concat())
    })
}

/// Lines of an INFO, some of them near to right ones.
fn info() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        proptest::sample::select(
            &[
                "# Commandstats",
                "# Keyspace",
                "# Replication",
                "# Latencystats",
                "# Errorstats",
                "# Sentinel",
                "#",
                "",
                "role:slave",
                "master_host:a\"b",
                "master_port:-1",
                "maxmemory:1e999",
                "used_memory:-99999999999999999999",
                "cmdstat_a\"b\\:calls=1,usec=nan",
                "latency_percentiles_usec_x:p50=1,p\"9=2,=3",
                "db0:keys=,expires=-1",
                "slave0:ip=\",port=,state=\\,offset=1,lag=x",
                "errorstat_\u{7f}:count=1",
                "server_time_usec:1",
                "uptime_in_seconds:18446744073709551615",
                "master0:name=x,status=ok,address=:,slaves=-1,sentinels=2",
            ][..]
        )
        .prop_map(|line| line.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ];
    let end = proptest::sample::select(&["\n", "\r\n"][..]);
    proptest::collection::vec((line, end), 0..60).prop_map(|lines| {
        let lines = lines.into_iter().map(|(line, end)| [line, end.as_bytes().to_vec()].concat());
        [b"# Server\r\n".to_vec(), lines.collect::<Vec<_>>().concat(), b"last:1\r\n".to_vec()].concat()
    })
}

/// Whether a line is what both forms allow: a name, labels with their texts escaped, and a number.
fn is_sample(line: &str) -> bool {
    let name = line.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let Some(mut rest) = name.strip_prefix('{') else { return is_number(name.strip_prefix(' ')) };
    loop {
        let Some((label, value)) = rest.split_once("=\"") else { return false };
        let is_label = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if label.is_empty() || !label.chars().all(is_label) {
            return false;
        }
        let mut chars = value.char_indices();
        let end = loop {
            match chars.next() {
                Some((at, '"')) => break at,
                Some((_, '\\')) if matches!(chars.next(), Some((_, '\\' | '"' | 'n'))) => {}
                None | Some((_, '\\' | '\n')) => return false,
                Some(_) => {}
            }
        };
        rest = &value[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return is_number(rest.strip_prefix("} ")),
        }
    }
}

fn is_number(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

fn ends() -> Ends {
    let deadline = Duration::from_secs(1);
    Ends { end: Instant::now() + deadline, deadline }
}

/// Answers each command with the next of the answers, for ever.
async fn respond(mut socket: DuplexStream, answers: Vec<Vec<u8>>) {
    let mut answers = answers.iter().cycle();
    let mut bytes = vec![0; 1 << 20];
    while let Ok(read @ 1..) = socket.read(&mut bytes).await {
        // A command begins with the only star at the beginning of a line: no key of this test has one.
        let lines = bytes[..read].split(|b| *b == b'\n');
        let commands = lines.filter(|line| line.first() == Some(&b'*') && line.len() > 2).count();
        // The clock stands still while somebody is busy: each batch takes a while.
        tokio::time::advance(Duration::from_millis(5)).await;
        for answer in answers.by_ref().take(commands) {
            if socket.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_answered_the_page_can_be_read(
        info in info(),
        answers in proptest::collection::vec(answer(), COMMANDS.len()),
    ) {
        let Ok(info) = InfoReply::parse(&info) else { return Ok(()) };
        let argument = |command| if command == Command::ConfigGet { EVERY_PARAMETER } else { "shop" };
        let asked: Vec<Asked<'_>> = COMMANDS
            .iter()
            .zip(&answers)
            .map(|(command, bytes)| Asked { command: *command, argument: argument(*command), reply: parse(bytes).unwrap() })
            .collect();
        let (keys, now) = (Seen::default(), SystemClock::new().now());
        let reading = Reading { info: &info, asked: &asked, keys: &keys, now };
        for format in [Format::Text, Format::OpenMetrics] {
            let mut page = Page::new(format);
            for spec in CATALOG {
                let mut block = page.block(spec);
                samples(&reading, spec, &mut |ending, labels, value| {
                    block.sample(ending, labels.iter().copied(), value);
                });
            }
            let page = String::from_utf8(page.finish()).unwrap();
            for line in page.lines().filter(|line| !line.starts_with("# ")) {
                prop_assert!(is_sample(line), "{line:?}");
            }
        }
    }

    #[test]
    fn whatever_a_peer_sends_ends_in_answers_or_a_typed_error(
        parts in proptest::collection::vec(prop_oneof![answer(), word()], 0..12),
        wanted in 1..4_usize,
        is_closed in any::<bool>(),
    ) {
        let answers = runtime().block_on(async {
            let (near, mut far) = duplex(1 << 16);
            far.write_all(&parts.concat()).await.unwrap();
            let far = (!is_closed).then_some(far);
            let answers = Link::new(Box::new(near)).exchange(b"", wanted, ends()).await;
            drop(far);
            answers
        });
        match answers {
            Ok(answers) => prop_assert!(answers.replies().map_or(true, |replies| replies.len() == wanted)),
            Err(ScrapeError::Timeout { .. }) => prop_assert!(!is_closed),
            Err(ScrapeError::Lost { .. } | ScrapeError::Refused { .. } | ScrapeError::Garbled { .. }) => {}
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn whatever_is_told_of_keys_the_walk_ends_in_time(answers in proptest::collection::vec(answer(), 1..20)) {
        let info = InfoReply::parse(b"# Server\nrole:slave\ncluster_enabled:1\n# Keyspace\ndb0:keys=1\ndb2:keys=1\n").unwrap();
        let checks = [
            ("check-keys", "a?,db1=b"),
            ("check-streams", "s?"),
            ("check-single-streams", "s"),
            ("count-keys", "a"),
        ];
        let checks = checks.iter().flat_map(|(name, value)| KeyCheck::of_parameter(name, value).unwrap()).collect();
        let groups = vec![KeyGroup::new("^(.)").unwrap()];
        let keys = Keys { scope: KeyScope::All, checks, groups, series_max: 20, groups_max: 5, ..Keys::default() };
        let plan = Plan::new(&keys, &[], &info).unwrap();
        let (seen, took) = runtime().block_on(async {
            let (near, far) = duplex(1 << 20);
            let began = Instant::now();
            let mut link = Link::new(Box::new(near));
            let known = (Blocked::default(), SystemClock::new().now());
            let walk = Walk::new(&mut link, &plan, ends(), known);
            let walked = tokio::time::timeout(Duration::from_secs(2), async {
                tokio::select! {
                    walked = walk.run() => walked.seen,
                    () = respond(far, answers) => Seen::default(),
                }
            });
            (walked.await, began.elapsed())
        });
        prop_assert!(took <= Duration::from_secs(1), "{took:?}");
        let seen = seen.unwrap();
        let mut page = Page::new(Format::Text);
        for spec in CATALOG {
            let mut block = page.block(spec);
            super::super::keys::samples(&seen, spec.source, &mut |ending, labels, value| {
                block.sample(ending, labels.iter().copied(), value);
            });
        }
        let page = String::from_utf8(page.finish()).unwrap();
        for line in page.lines().filter(|line| !line.starts_with("# ")) {
            prop_assert!(is_sample(line), "{line:?}");
        }
        let keys = page.matches("\nredis_key_size{").count();
        prop_assert!(keys <= 20, "{}", keys);
    }
}
