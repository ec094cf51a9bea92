use super::super::lessons::LESSONS_MAX;
use super::*;
use crate::analyse::{Settings, measure_names};
use crate::types::{SiteName, SystemClock, TargetName};

fn place() -> Place {
    (
        ServiceName::new("sessions").unwrap(),
        SiteName::new("dc-a").unwrap(),
        TargetName::new("redis://redis-1:6379").unwrap(),
    )
}

fn lesson(minute: i64) -> Lesson {
    let (_, site, target) = place();
    let row =
        measure_names().enumerate().map(|(place, _)| ((minute * 7 + place as i64) % 11) as f64).collect();
    Lesson { site, target, time: minute * 60, row, is_usual: true, has_drifted: false }
}

fn work(folder: &Path, history_min: Duration) -> Work {
    let learning = Learning {
        settings: Settings::default(),
        history: Duration::from_secs(86_400),
        history_min,
        retrain: Duration::from_secs(3600),
    };
    let (learner, _) = Learner::new(folder, learning, Arc::new(SystemClock::new()));
    Arc::into_inner(learner.work).expect("it is the only one")
}

#[test]
fn a_model_is_made_kept_restored_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let first = work(folder.path(), hours(2));
    (0..119).for_each(|minute| first.learn(&place().0, &lesson(minute)));
    assert!(first.shelf.lock().unwrap().is_empty(), "two hours are not over");
    (119..140).for_each(|minute| first.learn(&place().0, &lesson(minute)));
    let trained = first.shelf.lock().unwrap().get(&place()).expect("there is a model").trained;
    assert!((119 * 60..140 * 60).contains(&trained), "{trained}");
    (140..210).for_each(|minute| first.learn(&place().0, &lesson(minute)));
    let again = first.shelf.lock().unwrap()[&place()].trained;
    assert!(again >= trained + 3600, "{again} after {trained}");

    let second = work(folder.path(), hours(2));
    second.restore();
    assert_eq!(second.shelf.lock().unwrap()[&place()].trained, again);

    // A damaged file is refused, and made anew.
    let path = second.models.path(&place());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let third = work(folder.path(), hours(2));
    third.restore();
    assert!(third.shelf.lock().unwrap().is_empty());
    assert!(third.models.list().unwrap()[0].artifact.is_err());
    third.learn(&place().0, &lesson(211));
    assert!(load(&path).is_ok() && third.shelf.lock().unwrap().contains_key(&place()));
}

#[test]
fn a_model_that_somebody_else_made_is_taken_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let agent = work(folder.path(), Duration::from_secs(20 * 3600));
    (0..130).for_each(|minute| agent.learn(&place().0, &lesson(minute)));
    assert!(agent.shelf.lock().unwrap().is_empty(), "there is too little history");
    // As `redrover train` does, with a configuration that asks for less.
    let other = work(folder.path(), Duration::from_secs(7200));
    let (made, _) = other.learning.train(&other.models, &place()).unwrap().expect("it is enough");
    agent.learn(&place().0, &lesson(130));
    assert_eq!(agent.shelf.lock().unwrap()[&place()].trained, made.trained);
}

#[test]
fn what_has_drifted_is_made_anew_before_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path(), Duration::from_secs(7200));
    (0..140).for_each(|minute| work.learn(&place().0, &lesson(minute)));
    let trained = work.shelf.lock().unwrap()[&place()].trained;
    for (later, has_drifted, is_due) in
        [(1799, true, false), (1800, true, true), (1800, false, false), (3600, false, true)]
    {
        let found = work.is_due(&place(), trained + later, has_drifted);
        assert_eq!(found, is_due, "{later} s later, drifted: {has_drifted}");
    }
}

/// Whoever looks hands rows over and goes on, however long the learner takes, and however many rows wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_the_learner() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock::new());
    let learning = work(folder.path(), Duration::from_secs(20 * 3600)).learning;
    let (learner, lessons) = Learner::new(folder.path(), learning, clock);
    let (work, cancelled) = (Arc::clone(&learner.work), CancellationToken::new());
    // With this in other hands the learner stands still in the middle of a lesson.
    let (taken, is_taken) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let other = Arc::clone(&work);
    let holder = std::thread::spawn(move || {
        let _held = other.tried.lock();
        taken.send(()).unwrap();
        released.recv()
    });
    is_taken.recv().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(learner.run(cancelled.clone()));
    lessons.give(&place().0, vec![lesson(0)]);
    let history = work.models.history(&place());
    let has_begun = async {
        while !history.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), has_begun).await.expect("the learner begins");
    for minute in 1..=2 * LESSONS_MAX as i64 {
        lessons.give(&place().0, vec![lesson(minute)]);
        assert!(lessons.younger(&place(), None).is_none());
    }
    drop(release);
    cancelled.cancel();
    assert!(tasks.join_next().await.is_some_and(|ended| ended.is_ok()));
    assert!(holder.join().is_ok());
}

#[test]
fn a_model_that_a_person_wants_enters_at_once_if_it_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path(), Duration::from_secs(7200));
    (0..150).for_each(|minute| work.learn(&place().0, &lesson(minute)));
    let entrance = || work.shelf.lock().unwrap()[&place()].entrance;
    assert_eq!(entrance(), Entrance::AfterTrial, "nobody asked for it");
    let other = ServiceName::new("other").unwrap();
    assert!(work.places(Some(&other)).is_empty());
    assert_eq!(work.places(Some(&place().0)), work.places(None));
    work.places(None).iter().for_each(|place| work.retrain(place));
    assert_eq!(entrance(), Entrance::AtOnce);
    assert_eq!(work.shelf.lock().unwrap()[&place()].trained, 149 * 60, "all rows are in it");

    // A limit that everything is above: this model is no better than the one in use, and must show itself first.
    let mut shy = self::work(folder.path(), Duration::from_secs(7200));
    shy.learning.settings.threshold = crate::analyse::Threshold::Fixed(0.01);
    let table = shy.table(&place()).unwrap();
    let mut follower = Follower::new(
        shy.learning.train(&shy.models, &place()).unwrap().unwrap().0.content,
        shy.learning.settings.threshold,
    );
    let jumps: Vec<f64> = table.row(0).iter().map(|value| value * 100.0 + 1e9).collect();
    let mut odd = Table::new(measure_names());
    (0..60).for_each(|row| odd.push(table.times()[table.rows() - 1] + 60 * (row + 1), &jumps, true));
    (0..table.rows()).for_each(|row| follower.recall(table.times()[row], table.row(row)));
    assert!(!is_sound(follower.clone(), &odd, 0), "it finds the usual unusual");
    assert!(!is_sound(follower, &odd.head(TRIAL_ROWS_MIN - 1), 0), "too few rows to tell by");
}

#[tokio::test]
async fn an_order_from_a_file_and_one_from_the_program_are_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock::new());
    let learning = work(folder.path(), Duration::from_secs(7200)).learning;
    let (learner, lessons) = Learner::new(folder.path(), learning, clock);
    let work = Arc::clone(&learner.work);
    let cancelled = CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(learner.run(cancelled.clone()));
    lessons.give(&place().0, (0..150).map(lesson).collect());
    let entered = async |since: i64| {
        while lessons.younger(&place(), Some(since)).is_none_or(|ready| ready.entrance != Entrance::AtOnce) {
            tokio::task::yield_now().await;
        }
    };
    lessons.retrain(None).expect("there is room");
    tokio::time::timeout(Duration::from_secs(60), entered(148 * 60)).await.expect("it is made");
    Models::new(folder.path()).order(Some(&place().0)).unwrap();
    lessons.give(&place().0, vec![lesson(150)]);
    tokio::time::timeout(Duration::from_secs(60), entered(149 * 60)).await.expect("it is made again");
    assert!(work.models.orders().is_empty(), "each is obeyed once");
    cancelled.cancel();
    assert!(tasks.join_next().await.is_some_and(|ended| ended.is_ok()));
}

#[test]
fn rows_before_an_incident_are_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path(), Duration::from_secs(20 * 3600));
    (0..60).for_each(|minute| work.learn(&place().0, &lesson(minute)));
    work.take_back(&ServiceName::new("other").unwrap(), 59 * 60);
    let usual = || {
        let table = work.table(&place()).unwrap();
        (0..table.rows()).filter(|row| table.is_usual(*row)).count()
    };
    assert_eq!(usual(), 60, "another service's incident");
    work.take_back(&place().0, 59 * 60);
    assert_eq!(usual(), 44, "a quarter of an hour, both ends counted");
    work.learn(&place().0, &lesson(60));
    assert_eq!(usual(), 45);
}
