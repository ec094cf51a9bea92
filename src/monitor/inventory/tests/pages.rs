//! Pages of metrics, good and nasty.

use proptest::prelude::*;

use crate::monitor::inventory::sheet::Sheet;
use crate::monitor::inventory::text::{Line, NotASample, lines};
use crate::monitor::inventory::v2;
use crate::types::GapReason;

fn one(line: &str) -> Result<Line<'_>, NotASample> {
    lines(line).next().expect("a line")
}

#[test]
fn what_other_parsers_stumble_over_is_read() {
    for (line, name, labels, value) in [
        ("m 1", "m", &[][..], 1.0),
        ("m{} 1", "m", &[], 1.0),
        ("m { } 1", "m", &[], 1.0),
        ("a:b 1", "a:b", &[], 1.0),
        (r#"m{a="x}y"} 1"#, "m", &[("a", "x}y")], 1.0),
        (r#"m{a="x,y"} 1"#, "m", &[("a", "x,y")], 1.0),
        (r#"m{a="x y # z",b="{"} 1"#, "m", &[("a", "x y # z"), ("b", "{")], 1.0),
        (r#"m{a="q\"b\\s\nn\t"} 1"#, "m", &[("a", "q\"b\\s\nn\\t")], 1.0),
        (r#"m{a=""} 1"#, "m", &[("a", "")], 1.0),
        (r#"m{a="1",} 1"#, "m", &[("a", "1")], 1.0),
        (r#"m{ a = "1" , b = "2" } 1"#, "m", &[("a", "1"), ("b", "2")], 1.0),
        ("m\t1e3\t1791201600000", "m", &[], 1000.0),
        (r#"m_bucket{le="+Inf"} 7 # {trace="x"} 0.5"#, "m_bucket", &[("le", "+Inf")], 7.0),
        ("m +Inf", "m", &[], f64::INFINITY),
        ("m -Inf", "m", &[], f64::NEG_INFINITY),
        ("  m   -0.5  ", "m", &[], -0.5),
        ("m{ä=\"1\"} 1", "", &[], 0.0),
    ] {
        let Ok(read) = one(line) else {
            assert!(name.is_empty(), "{line}");
            continue;
        };
        let found: Vec<_> = read.labels.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        assert_eq!((read.name, found.as_slice(), read.value), (name, labels, value), "{line}");
    }
    assert!(one("m NaN").is_ok_and(|line| line.value.is_nan()));
}

#[test]
fn what_is_no_sample_is_told_and_the_next_line_is_read() {
    for line in [
        "m",
        "m ",
        "1m 1",
        "{} 1",
        "m{ 1",
        "m{a} 1",
        "m{a=1} 1",
        r#"m{a="1" 1"#,
        r#"m{a="1"b="2"} 1"#,
        r#"m{a="1",,} 1"#,
        r#"m{a="\"#,
        r#"m{a="1} 1"#,
        "m one",
        "m 1 soon",
        "m 0x10",
        "m 1_0",
        "m infinity",
        "m{} {} 1",
        "<html>",
    ] {
        assert_eq!(one(line), Err(NotASample), "{line}");
        let page = format!("# HELP m text\n{line}\nnext 2\n");
        let last = lines(&page).last().expect("a line").expect("a sample");
        assert_eq!((last.name, last.value), ("next", 2.0));
    }
    let long = format!("m{{a=\"{}\"}} 1", "x".repeat(20_000));
    assert_eq!(one(&long), Err(NotASample));
    let many: Vec<_> = (0..65).map(|i| format!("l{i}=\"\"")).collect();
    assert_eq!(one(&format!("m{{{}}} 1", many.join(","))), Err(NotASample));
    assert_eq!(lines("\n# EOF\n\r\n").count(), 0);
}

#[test]
fn own_metrics_of_a_cluster_become_base_units() {
    let page = r#"
# TYPE has_quorum gauge
has_quorum{cluster="c",node="1",exporter="cluster_wd"} 1
database_syncer_lag_ms{syncer_type="crdt",target_db_id="1",source_id="2",node="1"} 250
database_syncer_lag_ms{syncer_type="crdt",target_db_id="1",source_id="2",node="1"} 250
database_syncer_lag_ms{syncer_type="crdt",target_db_id="1",node="1"} 250
endpoint_read_requests{db="1",node="1",proxy="1"} 9.12001144e+08
endpoint_read_requests_latency_histogram_sum{db="1",node="1",proxy="1"} 1.5e+06
endpoint_read_requests_latency_histogram_bucket{db="1",node="1",le="64"} 7
redis_server_master_link_status{db="1",redis="2"} 2
redis_server_master_link_status{db="1",redis="3"} 99
node_metrics_up{node="1"} NaN
unknown_metric{a="b"} 1
this is no sample
"#;
    let mut sheet = Sheet::default();
    v2::read(&mut sheet, page);
    let (samples, gaps) = sheet.finish();
    let found: Vec<_> = samples.iter().map(|s| (s.metric, s.labels.len(), s.value)).collect();
    assert_eq!(
        found,
        [
            ("redis_enterprise_node_quorum", 1, 1.0),
            ("redis_enterprise_syncer_lag_seconds", 3, 0.25),
            ("redis_enterprise_syncer_lag_seconds", 2, 0.25),
            ("redis_enterprise_endpoint_requests_total", 3, 912_001_144.0),
            ("redis_enterprise_endpoint_latency_seconds_total", 3, 1.5),
            ("redis_enterprise_shard_link_up", 2, 0.0),
        ]
    );
    assert_eq!(gaps, [("metrics", GapReason::Protocol)]);
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,20}",
        labels in proptest::collection::vec(("[a-z_][a-z0-9_]{0,8}", "[^\\r\\x0b\\x0c\\x85\\u{2028}\\u{2029}]{0,12}"), 0..6),
        value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO,
    ) {
        let written: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let page = format!("{name}{{{}}} {value:e}\n", written.join(","));
        let all: Vec<_> = lines(&page).collect();
        prop_assert_eq!(all.len(), 1);
        let line = all[0].clone().expect("a sample");
        let read: Vec<_> = line.labels.iter().map(|(n, v)| ((*n).to_owned(), v.clone().into_owned())).collect();
        prop_assert_eq!((line.name, read, line.value), (name.as_str(), labels, value));
    }

    #[test]
    fn nothing_makes_it_panic(page in "\\PC{0,200}", nasty in "[m{}\"\\\\=, 1#\\n]{0,60}") {
        let _ = lines(&page).count() + lines(&nasty).count();
    }
}
