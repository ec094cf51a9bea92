//! What Prometheus holds becomes evidence; what it does not hold is a gap.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::monitor::RangeSeries;
use crate::replay::tests::config;
use crate::types::Link;

const STEP: Duration = Duration::from_secs(5);
const BEGIN: i64 = 1_800_000_000_000;

/// A series with one value for each step; `None` is a step without one.
fn series(labels: &[(&str, &str)], values: &[Option<f64>]) -> RangeSeries {
    let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
    let at = |step: usize| BEGIN + 5000 * i64::try_from(step).unwrap();
    let points = values.iter().enumerate().filter_map(|(step, value)| Some((at(step), (*value)?))).collect();
    RangeSeries { labels, points }
}

fn labels<'a>(site: &'a str, target: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own =
        [("redis_service", "sessions"), ("datacenter", site), ("target", target), ("instance", "a1:9911")];
    own.iter().chain(more).copied().collect()
}

fn chunk(answers: Vec<(&'static str, RangeSeries)>, steps: i64) -> Chunk {
    let config = config();
    let mut chunk = Chunk::new(BEGIN, BEGIN + 5000 * (steps - 1), STEP);
    for (name, series) in answers {
        chunk.add(name, vec![series], &config.services[0]);
    }
    chunk
}

fn rounds(chunk: &Chunk) -> Vec<Option<(Evidence, Option<Then>)>> {
    let config = config();
    let mut rebuilder = Rebuilder::new(&config, &config.services[0], STEP);
    let moment = |step| {
        let wall = Duration::from_millis(u64::try_from(chunk.time(step)).unwrap());
        Moment { mono: wall, wall }
    };
    (0..chunk.steps).map(|step| rebuilder.round(chunk, step, moment(step))).collect()
}

const A: &str = "redis://dc-a:6379";
const B: &str = "redis://dc-b:6379";

#[test]
fn a_look_is_rebuilt_from_its_series() {
    let yes = [Some(1.0)];
    let link = [("master_host", "dc-a"), ("master_port", "6379")];
    let chunk = chunk(
        vec![
            ("redis_up", series(&labels("dc-a", A, &[]), &yes)),
            ("redis_up", series(&labels("dc-b", B, &[]), &yes)),
            (
                "redis_instance_info",
                series(&labels("dc-a", A, &[("role", "master"), ("master_replid", "h1")]), &yes),
            ),
            (
                "redis_instance_info",
                series(&labels("dc-b", B, &[("role", "slave"), ("master_replid", "h1")]), &yes),
            ),
            ("redis_master_repl_offset", series(&labels("dc-a", A, &[]), &[Some(5000.0)])),
            ("redis_slave_repl_offset", series(&labels("dc-b", B, &link), &[Some(4900.0)])),
            ("redis_master_link_up", series(&labels("dc-b", B, &link), &yes)),
            ("redis_master_sync_in_progress", series(&labels("dc-b", B, &link), &[Some(0.0)])),
            ("redis_loading_dump_file", series(&labels("dc-b", B, &[]), &[Some(0.0)])),
            ("redis_memory_used_bytes", series(&labels("dc-b", B, &[]), &[Some(1024.0)])),
            ("redis_rdb_last_bgsave_status", series(&labels("dc-b", B, &[]), &yes)),
            ("redrover_signal", series(&labels("dc-a", A, &[("signal", "data_path")]), &[Some(0.0)])),
            ("redrover_signal", series(&labels("dc-a", A, &[("signal", "latency")]), &[Some(0.25)])),
            (
                "redrover_active_datacenter",
                series(
                    &[("redis_service", "sessions"), ("datacenter", "dc-a"), ("instance", "a1:9911")],
                    &yes,
                ),
            ),
            (
                "redrover_fence_epoch",
                series(&[("redis_service", "sessions"), ("instance", "a1:9911")], &[Some(7.0)]),
            ),
        ],
        1,
    );
    let (evidence, then) = rounds(&chunk).remove(0).unwrap();
    assert_eq!(then, None, "what was decided was not recorded");
    let [a, b] = [0, 1].map(|site| &evidence.snapshots[site].targets[0]);
    assert_eq!(a.ping, Ok(Duration::from_millis(250)));
    assert_eq!(a.canary, CanaryResult::Written(Duration::from_millis(250)));
    assert_eq!(b.canary, CanaryResult::NotAsked);
    let (of_a, of_b) = (a.facts.as_ref().unwrap(), b.facts.as_ref().unwrap());
    assert_eq!((of_a.role, of_a.offset_bytes), (Some(Role::Primary), Some(5000)));
    assert_eq!((of_b.role, of_b.offset_bytes), (Some(Role::Replica), Some(4900)));
    let link = Link { up: true, source: "dc-a:6379".to_owned(), syncing: false };
    assert_eq!(of_b.link, Some(link));
    assert_eq!(
        (of_a.link.as_ref(), of_a.loading, of_a.memory_used_bytes),
        (None, None, None),
        "gaps, not zeros"
    );
    assert_eq!(
        (of_b.loading, of_b.memory_used_bytes, of_b.persistence_ok),
        (Some(false), Some(1024), Some(true))
    );
    assert_eq!(of_b.replication_id.as_deref(), Some("h1"));
    let RecordReading::Seen(view) = &evidence.record else { panic!("{:?}", evidence.record) };
    assert!(view.state.fence.as_ref().unwrap().values.first().unwrap().contains("epoch=7;active=dc-a"));
    assert_eq!(evidence.controls.known_epoch, Some(7));
}

#[test]
fn what_is_missing_is_a_gap_and_never_a_zero() {
    let (up, down) = (Some(1.0), Some(0.0));
    let chunk = chunk(
        vec![
            ("redis_up", series(&labels("dc-a", A, &[]), &[up, None, down, down, None])),
            ("redis_up", series(&labels("dc-b", B, &[]), &[up, up, up, up, None])),
            (
                "redrover_target_gap",
                series(&labels("dc-a", A, &[("reason", "refused")]), &[None, None, None, up, None]),
            ),
        ],
        5,
    );
    let rounds = rounds(&chunk);
    assert!(rounds[4].is_none(), "nobody looked: no round");
    let reason = |round: usize| {
        let (evidence, _) = rounds[round].as_ref().unwrap();
        evidence.snapshots[0].targets[0].ping.as_ref().err().map(|gap| gap.reason)
    };
    assert_eq!(reason(0), None);
    assert_eq!(reason(1), Some(GapReason::NotAsked), "not seen by Prometheus");
    assert_eq!(reason(2), Some(GapReason::Timeout), "down, and nobody knows why: the careful reading");
    assert_eq!(reason(3), Some(GapReason::Refused));
}

#[test]
fn the_one_primary_is_active_where_redrover_says_nothing() {
    let (yes, no) = (Some(1.0), None);
    let exporter = |instance, role| [("instance", instance), ("role", role)];
    let chunk = chunk(
        vec![
            ("redis_up", series(&[("instance", "dc-a:6379")], &[yes, Some(0.0), Some(0.0)])),
            ("redis_up", series(&[("instance", B)], &[yes, yes, yes])),
            ("redis_instance_info", series(&exporter("dc-a:6379", "master"), &[yes, no, no])),
            ("redis_instance_info", series(&exporter(B, "slave"), &[yes, yes, no])),
            ("redis_instance_info", series(&exporter(B, "master"), &[no, no, yes])),
        ],
        3,
    );
    let fences: Vec<String> = rounds(&chunk)
        .into_iter()
        .map(|round| {
            let RecordReading::Seen(view) = round.unwrap().0.record else { panic!("it is known") };
            view.state.fence.unwrap().values.first().unwrap().clone()
        })
        .collect();
    for (fence, said) in
        fences.iter().zip(["active=dc-a;from=dc-a", "active=dc-a;from=dc-a", "active=dc-b;from=dc-a"])
    {
        assert!(fence.contains(said), "{fence}");
    }
}

#[test]
fn what_redrover_decided_and_what_fired_is_read_back() {
    let own = [("redis_service", "sessions"), ("instance", "a1:9911")];
    let (yes, no) = (Some(1.0), Some(0.0));
    let chunk = chunk(
        vec![
            ("redis_up", series(&labels("dc-a", A, &[]), &[yes; 5])),
            ("redrover_recommendation_pending", series(&own, &[no, yes, no, no, no])),
            ("redrover_halted", series(&own, &[no, no, no, no, yes])),
            (
                "redrover_decisions_total",
                series(&own, &[Some(3.0), Some(3.0), Some(4.0), Some(4.0), Some(0.0)]),
            ),
            (
                "ALERTS",
                series(&[("alertname", "RedisDown"), ("datacenter", "dc-a")], &[None, yes, None, None, None]),
            ),
        ],
        5,
    );
    let rounds = rounds(&chunk);
    let verdicts: Vec<_> =
        rounds.iter().map(|round| round.as_ref().unwrap().1.as_ref().unwrap().verdict).collect();
    use Verdict::{Failover, Halt, Hold, Recommend};
    assert_eq!(verdicts, [Hold, Recommend, Failover, Hold, Halt]);
    let alerts = |round: usize| &rounds[round].as_ref().unwrap().0.alerts;
    assert_eq!((alerts(0).len(), alerts(1).len()), (0, 1));
    assert_eq!(
        (alerts(1)[0].name.as_str(), alerts(1)[0].site.as_ref().unwrap().as_str()),
        ("RedisDown", "dc-a")
    );
}
