//! Other policies give other verdicts, the same policy the same ones.

use std::time::Duration;

use super::world::{BEGIN, Recorder, replayed, service};
use crate::config::{Mode, Service};
use crate::decide::{Request, Verdict};
use crate::replay::{Account, Mark};
use crate::types::ServiceName;

/// Seconds from the beginning at which a verdict was first said.
fn at(marks: &[Mark], verdict: Verdict) -> Vec<u64> {
    let of = marks.iter().filter(|mark| mark.verdict == verdict);
    of.map(|mark| u64::try_from(mark.from_unix_ms).unwrap() / 1000 - BEGIN).collect()
}

fn with(change: impl FnOnce(&mut Service)) -> Service {
    let mut service = service();
    change(&mut service);
    service
}

/// The primary dies in round 41, at 205 s; the agent switches, and dc-b serves.
async fn story() -> Recorder {
    let mut recorder = Recorder::new(service());
    recorder.rounds(40).await;
    recorder.is_down = true;
    recorder.rounds(5).await;
    recorder.switch();
    recorder.rounds(60).await;
    recorder
}

#[tokio::test]
async fn the_same_policy_decides_the_same() {
    let account = replayed(&story().await, &service(), None).await;
    assert_eq!(at(&account.then, Verdict::Failover), [225]);
    assert_eq!(account.would, account.then);
    assert_eq!(account.coverage.compared, account.coverage.same, "{:?}", account.coverage);
    assert_eq!(account.coverage.after_switch, 0);
    let incident = &account.incidents[0];
    assert_eq!(incident.then, incident.would);
    assert!(!incident.is_cut_short);
}

#[tokio::test]
async fn a_shorter_window_decides_earlier_and_says_nothing_of_what_follows() {
    let policy = with(|s| (s.policy.confirm_window, s.policy.confirm_rounds) = (Duration::from_secs(10), 2));
    let account = replayed(&story().await, &policy, None).await;
    assert_eq!(
        (at(&account.then, Verdict::Failover), at(&account.would, Verdict::Failover)),
        (vec![225], vec![215])
    );
    // The rounds at 220 and 225 s; then the recorded name moved.
    assert_eq!(account.coverage.after_switch, 2);
    assert!(!account.incidents[0].is_cut_short);
}

#[tokio::test]
async fn a_longer_window_is_cut_short_by_the_recorded_switch() {
    let policy = with(|s| s.policy.confirm_window = Duration::from_secs(600));
    let account = replayed(&story().await, &policy, None).await;
    assert_eq!(at(&account.would, Verdict::Failover), [0; 0]);
    let incident = &account.incidents[0];
    assert!(incident.is_cut_short, "{incident:?}");
    assert_eq!(incident.would.as_ref().unwrap().verdict, Verdict::Hold);
    assert!(account.coverage.same < account.coverage.compared);
}

/// Two outages of five minutes each, ten minutes apart, under a policy that only recommended.
async fn two_outages() -> Recorder {
    let mut recorder = Recorder::new(with(|s| s.mode = Mode::Recommend));
    recorder.rounds(40).await;
    for _ in 0..2 {
        recorder.is_down = true;
        recorder.rounds(60).await;
        recorder.is_down = false;
        recorder.rounds(120).await;
    }
    recorder
}

#[tokio::test]
async fn a_switch_of_the_policy_counts_for_its_interval_and_once_for_its_outage() {
    let recorder = two_outages().await;
    let same = replayed(&recorder, &recorder.service, None).await;
    assert_eq!(at(&same.would, Verdict::Recommend), at(&same.then, Verdict::Recommend));
    let account = replayed(&recorder, &service(), None).await;
    assert_eq!(at(&account.would, Verdict::Failover), [225]);
    // The second outage comes within half an hour of it.
    assert_eq!(at(&account.would, Verdict::Recommend), [1125]);
    let soon = &account.incidents.last().unwrap().would.as_ref().unwrap().reasons;
    assert!(soon.iter().any(|reason| reason.contains("too recent")), "{soon:?}");
    let hasty = with(|s| {
        s.policy.min_auto_interval = Duration::ZERO;
        s.policy.flap.penalty = 1.0;
    });
    assert_eq!(at(&replayed(&recorder, &hasty, None).await.would, Verdict::Failover), [225, 1125]);
}

#[tokio::test]
async fn a_recorded_acknowledgement_lifts_the_interval_of_the_policy() {
    let mut recorder = Recorder::new(with(|s| s.mode = Mode::Recommend));
    recorder.rounds(40).await;
    recorder.is_down = true;
    recorder.rounds(60).await;
    recorder.is_down = false;
    recorder.rounds(60).await;
    recorder.restart(Duration::from_secs(1));
    recorder.controls.acknowledged = Some(Duration::ZERO);
    recorder.rounds(60).await;
    recorder.is_down = true;
    recorder.rounds(30).await;
    let account = replayed(&recorder, &service(), None).await;
    assert_eq!(at(&account.would, Verdict::Failover).len(), 2, "{:?}", account.would);
}

#[tokio::test]
async fn what_a_person_ordered_is_done_once_and_is_not_needless() {
    let mut recorder = Recorder::new(service());
    recorder.rounds(40).await;
    recorder.controls.request = Some(Request {
        to: super::world::site("dc-b"),
        by: "anna".to_owned(),
        age: Duration::ZERO,
        kind: Default::default(),
    });
    // The recorded agent was paused, and did nothing; the ages grow with the repeats.
    recorder.controls.is_paused = true;
    recorder.rounds(3).await;
    recorder.controls.is_paused = false;
    recorder.rounds(3).await;
    let account = replayed(&recorder, &service(), Some(&[])).await;
    let failovers: Vec<_> = account.would.iter().filter(|m| m.verdict == Verdict::Failover).collect();
    assert_eq!(failovers.len(), 1, "{:?}", account.would);
    assert!(failovers[0].is_asked);
    assert_eq!(account.score_would.unwrap().needless_failovers, 0);
}

#[tokio::test]
async fn a_replay_is_the_same_every_time() {
    let recorder = two_outages().await;
    let first: Account = replayed(&recorder, &service(), None).await;
    assert_eq!(first, replayed(&recorder, &service(), None).await);
}

#[tokio::test]
async fn a_service_that_was_never_recorded_has_no_rounds() {
    let other = with(|s| s.name = ServiceName::new("other").unwrap());
    let account = replayed(&story().await, &other, None).await;
    assert_eq!(account.coverage.rounds, 0);
    assert!(account.incidents.is_empty());
}

/// What happens to the world of a recording.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Down,
    Up,
    Restart,
    Standstill,
    Pause,
    Resume,
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happened_the_same_policy_decides_the_same(
        story in proptest::collection::vec((0_usize..6, 1_usize..40), 1..12),
    ) {
        use Happening::{Down, Pause, Restart, Resume, Standstill, Up};
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (account, recorded) = runtime.block_on(async {
            let mut recorder = Recorder::new(with(|s| s.mode = Mode::Recommend));
            recorder.rounds(30).await;
            let mut recorded = 30;
            for (happening, rounds) in story {
                match [Down, Up, Restart, Standstill, Pause, Resume][happening] {
                    Down => recorder.is_down = true,
                    Up => recorder.is_down = false,
                    Restart => recorder.restart(Duration::from_secs(90)),
                    Standstill => recorder.now = recorder.now.plus(Duration::from_secs(300)),
                    Pause => recorder.controls.is_paused = true,
                    Resume => recorder.controls.is_paused = false,
                }
                recorder.rounds(rounds).await;
                recorded += u64::try_from(rounds).unwrap();
            }
            let policy = recorder.service.clone();
            (replayed(&recorder, &policy, None).await, recorded)
        });
        proptest::prop_assert_eq!(account.coverage.rounds, recorded);
        proptest::prop_assert_eq!(account.coverage.compared, recorded);
        proptest::prop_assert_eq!(account.coverage.same, recorded, "{:?} {:?}", account.then, account.would);
        proptest::prop_assert_eq!(account.then, account.would);
    }
}
