//! The evidence that a decision rests on, as the journal keeps it.

use std::time::Duration;

use super::*;
use crate::decide::{
    Controls, Crowd, Decision, Evidence, FiringAlert, Leadership, RecordReading, Reliability,
};

/// A decision of a version that wrote no evidence.
const OLD: &str = include_str!("../../../tests/testdata/journal/decided_without_evidence.json");
/// What the documentation of [`Body::Decided`] promises, bytes: sites, further targets, vantages and alerts.
const PLAIN_BYTES_MAX: usize = 2300;
const TARGET_BYTES_MAX: usize = 800;
const VANTAGE_BYTES_MAX: usize = 350;
const ALERT_BYTES_MAX: usize = 220;

fn decision() -> Box<Decision> {
    match serde_json::from_str(OLD).unwrap() {
        Body::Decided { decision, evidence: None } => decision,
        other => panic!("unexpected: {other:?}"),
    }
}

fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

fn moment() -> Moment {
    Moment {
        mono: Duration::from_nanos(86_400_123_456_789),
        wall: Duration::from_nanos(1_795_473_193_007_847_980),
    }
}

fn target(number: usize) -> TargetSnapshot {
    let source = format!("redis-{number}.dc-a.example.net:12000");
    let facts = Facts {
        role: Some(Role::Replica),
        link: Some(Link { up: true, source: source.clone(), syncing: false }),
        loading: Some(false),
        offset_bytes: Some(123_456_789_012),
        replication_id: Some("22f6ceecdbabf6f699f175bd5f12ecbc31def918".to_owned()),
        memory_used_bytes: Some(25_276_502_016),
        memory_max_bytes: Some(25_276_502_016),
        memory_system_bytes: Some(25_276_502_016),
        persistence_ok: Some(true),
        ..Facts::default()
    };
    TargetSnapshot {
        target: TargetName::new(format!("rediss://{source}")).unwrap(),
        ping: Ok(Duration::from_nanos(616_876)),
        facts: Ok(facts),
        canary: CanaryResult::Written(Duration::from_nanos(202_165)),
        samples: vec![Sample { metric: "redis_up", labels: Vec::new(), value: 1.0 }],
        elapsed: Duration::from_nanos(3_192_500),
    }
}

fn evidence(targets: usize, vantages: usize, alerts: u64) -> Evidence {
    let snapshots = ["dc-a", "dc-b"].map(|name| Snapshot {
        site: site(name),
        taken: moment(),
        targets: (0..targets).map(target).collect(),
        control: None,
        domain: Vec::new(),
        anomaly: None,
    });
    let votes = ["dc-a", "dc-b", "elsewhere"].map(|name| Vote {
        site: site(name),
        severity: Some(Ratio::ONE),
        is_silent: false,
        is_domain_silent: Some(false),
    });
    let vantage = |number: usize| VantageAnswer {
        agent: AgentName::new(format!("agent-{number}")).unwrap(),
        failure_domain: site("dc-c"),
        said: Ok(VantageReport { wall: moment().wall, votes: votes.to_vec() }),
    };
    let alert = |number: u64| FiringAlert {
        key: AlertKey {
            fingerprint: format!("{number:016x}"),
            starts_at: "2026-11-23T22:33:06.123Z".to_owned(),
        },
        name: format!("RedisDown{number}"),
        site: Some(site("dc-a")),
        age: Duration::from_secs(1000 - number),
    };
    let alerts: Vec<FiringAlert> = (0..alerts).map(alert).collect();
    let sources: Vec<String> = alerts.iter().map(|alert| format!("alert:{}", alert.name)).collect();
    let set = |value: &str| Some(ResourceSet::single(5, value));
    let fence =
        "v=1;owner=agent-1;epoch=3;active=dc-a;from=dc-b;at=1795473193;decision=sessions-1a20a8aaa82-34";
    let state = RecordState { record: set("redis-12000.dc-a.example.net"), fence: set(fence) };
    Evidence {
        agent: AgentName::new("agent-1").unwrap(),
        failure_domain: site("dc-c"),
        snapshots: snapshots.into(),
        probe_timeout: Duration::from_secs(1),
        probe_interval: Duration::from_secs(5),
        vantages: (0..vantages).map(vantage).collect(),
        surroundings: Surroundings::default(),
        crowd: Crowd { down: 0, total: 1 },
        reliability: Reliability::of_counts(sources.iter().map(|source| (source.as_str(), 1, 2))),
        alerts,
        record: RecordReading::Seen(RecordView { state, read: moment() }),
        controls: Controls { is_durable: true, leadership: Leadership::Leads, ..Controls::default() },
    }
}

fn bytes(evidence: &Evidence) -> usize {
    serde_json::to_string(&evidence.abridged()).unwrap().len()
}

#[tokio::test]
async fn a_decision_comes_back_with_its_evidence() {
    for keeper in keepers() {
        let kept = evidence(2, 2, 3).abridged();
        let body = Body::Decided { decision: decision(), evidence: Some(Box::new(kept)) };
        keeper.open().append(vec![entry("s", 1, body.clone())]).await.unwrap();
        let read = keeper.open().read(Query::default()).await.unwrap();
        assert_eq!(read[0].body, body);
    }
}

#[tokio::test]
async fn a_decision_of_an_earlier_or_a_later_version_is_read_without_evidence() {
    let folder = folder();
    let old: serde_json::Value = serde_json::from_str(OLD).unwrap();
    let mut later = old.clone();
    later["evidence"] = serde_json::json!({"snapshots": "in another form"});
    let mut null = old.clone();
    null["evidence"] = serde_json::Value::Null;
    open(&folder).append(vec![entry("s", 1, halted("so that there is a file"))]).await.unwrap();
    for text in [&old, &later, &null] {
        let sql =
            "INSERT INTO entries (at_ms, last_ms, service, kind, body) VALUES (1, 1, 's', 'decided', ?1)";
        raw(&folder).execute(sql, [text.to_string()]).unwrap();
    }
    let decided = Query { kinds: vec![Kind::Decided], ..Query::default() };
    let read = open(&folder).read(decided).await.unwrap();
    assert_eq!(read.len(), 3);
    for entry in read {
        assert_eq!(entry.body, Body::Decided { decision: decision(), evidence: None });
    }
}

#[test]
fn evidence_is_bounded_and_as_small_as_promised() {
    let plain = bytes(&evidence(1, 0, 0));
    assert!(plain <= PLAIN_BYTES_MAX, "{plain}");
    // Two sites get one each.
    let more = (bytes(&evidence(5, 0, 0)) - plain) / 8;
    assert!(more <= TARGET_BYTES_MAX, "{more}");
    let vantage = (bytes(&evidence(1, 4, 0)) - plain) / 4;
    assert!(vantage <= VANTAGE_BYTES_MAX, "{vantage}");
    let alert = (bytes(&evidence(1, 0, 16)) - plain) / 16;
    assert!(alert <= ALERT_BYTES_MAX, "{alert}");
    let kept = evidence(1, 1, 900).abridged();
    assert_eq!(kept.alerts.len(), 32, "a storm of alerts is cut");
    assert_eq!(kept.alerts[0].age, Duration::from_secs(101), "the youngest stay");
    assert_eq!(bytes(&evidence(1, 1, 900)), bytes(&evidence(1, 1, 900).abridged()));
    assert!(bytes(&evidence(1, 1, 900)) < plain + 32 * ALERT_BYTES_MAX + VANTAGE_BYTES_MAX);
    assert!(kept.snapshots.iter().flat_map(|s| &s.targets).all(|t| t.samples.is_empty()));
    let votes = &kept.vantages[0].said.as_ref().unwrap().votes;
    assert_eq!(votes.len(), 2, "votes about sites that nobody knows are dropped");
}
