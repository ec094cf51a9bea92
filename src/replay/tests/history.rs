//! What the journal says becomes rounds again: repeats, gaps and restarts.

use std::time::Duration;

use super::world::{BEGIN, INTERVAL, Recorder, replayed, service, stretches, whole};
use crate::decide::{RecordReading, Verdict};
use crate::replay::stretch::potential;
use crate::replay::{Player, Stretch};
use crate::types::SiteName;

fn times(stretches: &[Stretch]) -> Vec<u64> {
    let span = whole();
    let moments = stretches.iter().flat_map(|s| s.between(span.lead_unix_ms, span.until_unix_ms));
    moments.map(|(now, _)| now.unix_seconds() - BEGIN).collect()
}

#[tokio::test]
async fn every_round_comes_back_at_its_time() {
    let mut recorder = Recorder::new(service());
    recorder.rounds(100).await;
    recorder.is_down = true;
    recorder.rounds(2).await;
    let (stretches, without) = stretches(&recorder).await;
    assert!(stretches.len() < 10, "equal decisions are one entry: {}", stretches.len());
    assert_eq!(without, 0);
    assert_eq!(times(&stretches), (1..=102).map(|round| round * 5).collect::<Vec<_>>());
    assert!(stretches.iter().all(|s| !s.is_restart));
}

#[tokio::test]
async fn evidence_that_is_repeated_ages_and_its_streams_move_on() {
    let mut recorder = Recorder::new(service());
    recorder.controls.acknowledged = Some(Duration::from_secs(60));
    recorder.rounds(100).await;
    recorder.is_down = true;
    recorder.rounds(1).await;
    let (stretches, _) = stretches(&recorder).await;
    let long = stretches.iter().max_by_key(|s| s.rounds).unwrap();
    let (now, last) = long.between(0, i64::MAX).last().unwrap();
    let by = now.since(long.first);
    assert_eq!(by, INTERVAL * u32::try_from(long.rounds - 1).unwrap());
    assert_eq!(last.controls.acknowledged, Some(Duration::from_secs(60) + by));
    let RecordReading::Seen(view) = &last.record else { panic!("it was read") };
    assert_eq!((view.read, last.snapshots[0].taken), (now, now));
    let offset = |evidence: &crate::decide::Evidence, site: usize| {
        evidence.snapshots[site].targets[0].facts.as_ref().unwrap().offset_bytes.unwrap()
    };
    // 1000 bytes a round, and the replica 100 bytes behind, as at the beginning.
    assert_eq!(offset(&last, 0) - offset(&long.evidence, 0), 1000 * (long.rounds - 1));
    assert_eq!(offset(&last, 0) - offset(&last, 1), 100);
}

#[tokio::test]
async fn a_span_begins_and_ends_within_a_stretch() {
    let mut recorder = Recorder::new(service());
    recorder.rounds(100).await;
    let (stretches, _) = stretches(&recorder).await;
    let at = |seconds: u64| i64::try_from((BEGIN + seconds) * 1000).unwrap();
    let moments = stretches.iter().flat_map(|s| s.between(at(301), at(320)));
    let seconds: Vec<u64> = moments.map(|(now, _)| now.unix_seconds() - BEGIN).collect();
    assert_eq!(seconds, [305, 310, 315, 320]);
}

#[tokio::test]
async fn after_a_restart_nothing_is_remembered() {
    let mut recorder = Recorder::new(service());
    recorder.rounds(100).await;
    recorder.restart(Duration::from_secs(600));
    recorder.rounds(30).await;
    let (stretches, _) = stretches(&recorder).await;
    assert_eq!(stretches.iter().filter(|s| s.is_restart).count(), 1);
    let service = service();
    let mut player = Player::new(&service);
    let mut is_warm = Vec::new();
    for stretch in &stretches {
        if stretch.is_restart {
            player.restart(stretch.first);
            is_warm.clear();
        }
        for (now, evidence) in stretch.between(0, i64::MAX) {
            let decision = player.play(evidence, now).decision;
            is_warm.push(!decision.vetoes.iter().any(|veto| veto.reason.label() == "warming_up"));
        }
    }
    assert_eq!(is_warm.iter().position(|warm| *warm), Some(24), "the 25th round is the first warm one");
    let account = replayed(&recorder, &service, None).await;
    assert_eq!((account.coverage.rounds, account.coverage.gaps), (130, 1));
    assert_eq!((account.coverage.compared, account.coverage.same), (130, 130));
    assert!((account.coverage.gap_seconds - 605.0).abs() < 1e-9, "{:?}", account.coverage);
}

#[tokio::test]
async fn a_standstill_is_one_for_the_core_too() {
    let mut recorder = Recorder::new(service());
    recorder.rounds(100).await;
    recorder.now = recorder.now.plus(Duration::from_secs(600));
    recorder.rounds(20).await;
    let (stretches, _) = stretches(&recorder).await;
    assert!(stretches.iter().all(|s| !s.is_restart), "the process went on");
    let account = replayed(&recorder, &service(), None).await;
    assert_eq!((account.coverage.compared, account.coverage.same), (120, 120));
    let told: Vec<_> = account.incidents.iter().filter_map(|i| i.would.as_ref()).collect();
    assert!(told.is_empty(), "a standstill by itself is no incident: {told:?}");
    let service = service();
    let mut player = Player::new(&service);
    let rounds = stretches.iter().flat_map(|s| s.between(0, i64::MAX));
    let labels = rounds.map(|(now, evidence)| {
        let decision = player.play(evidence, now).decision;
        decision.reasons.iter().any(|reason| reason.label() == "disturbed")
    });
    let disturbed: Vec<bool> = labels.collect();
    assert!(!disturbed[99] && disturbed[100], "the first round after it");
}

#[tokio::test]
async fn entries_of_earlier_versions_are_a_gap() {
    let mut recorder = Recorder::new(service());
    recorder.has_evidence = false;
    recorder.rounds(50).await;
    recorder.restart(Duration::ZERO);
    recorder.has_evidence = true;
    recorder.rounds(10).await;
    let account = replayed(&recorder, &service(), None).await;
    assert_eq!(account.coverage.rounds, 10);
    assert!(account.coverage.without_evidence > 0, "{:?}", account.coverage);
}

#[tokio::test]
async fn what_was_decided_comes_with_its_round() {
    let mut recorder = Recorder::new(service());
    recorder.rounds(30).await;
    recorder.is_down = true;
    recorder.rounds(6).await;
    let (stretches, _) = stretches(&recorder).await;
    let failover = stretches.iter().filter_map(|s| s.then.as_ref()).find(|t| t.verdict == Verdict::Failover);
    let failover = failover.expect("it was one");
    assert!(failover.is_incident && failover.confidence.is_some_and(|c| c > 0.9), "{failover:?}");
    let service = service();
    let mut player = Player::new(&service);
    let first = stretches[0].between(0, i64::MAX).next().unwrap();
    let played = player.play(first.1, first.0);
    assert_eq!(played.decision.active, Some(SiteName::new("dc-a").unwrap()));
    assert!(
        (potential(&played.decision) - stretches[0].then.as_ref().unwrap().confidence.unwrap()).abs() < 1e-12
    );
}
