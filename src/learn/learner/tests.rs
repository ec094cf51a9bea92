use tokio::task::JoinSet;

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

/// Learns as the task does, with nothing to do beside.
fn learn(work: &Work, lesson: &Lesson) {
    if let Some(place) = work.learn(&place().0, lesson) {
        work.make(&place, Why::Time);
    }
}

#[test]
fn a_model_is_made_kept_restored_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let first = work(folder.path(), hours(2));
    (0..119).for_each(|minute| learn(&first, &lesson(minute)));
    assert!(first.shelf.lock().unwrap().is_empty(), "two hours are not over");
    (119..140).for_each(|minute| learn(&first, &lesson(minute)));
    let trained = first.shelf.lock().unwrap().get(&place()).expect("there is a model").trained;
    assert!((119 * 60..140 * 60).contains(&trained), "{trained}");
    (140..210).for_each(|minute| learn(&first, &lesson(minute)));
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
    learn(&third, &lesson(211));
    assert!(load(&path).is_ok() && third.shelf.lock().unwrap().contains_key(&place()));
}

#[test]
fn a_model_that_somebody_else_made_is_taken_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let agent = work(folder.path(), Duration::from_secs(20 * 3600));
    (0..130).for_each(|minute| learn(&agent, &lesson(minute)));
    assert!(agent.shelf.lock().unwrap().is_empty(), "there is too little history");
    // As `redrover train` does, with a configuration that asks for less.
    let other = work(folder.path(), Duration::from_secs(7200));
    let (made, _) = other.learning.train(&other.models, &place()).unwrap().expect("it is enough");
    learn(&agent, &lesson(130));
    assert_eq!(agent.shelf.lock().unwrap()[&place()].trained, made.trained);
}

#[test]
fn what_has_drifted_is_made_anew_before_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path(), Duration::from_secs(7200));
    (0..140).for_each(|minute| learn(&work, &lesson(minute)));
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
    let mut tasks = JoinSet::new();
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
    (0..150).for_each(|minute| learn(&work, &lesson(minute)));
    let entrance = || work.shelf.lock().unwrap()[&place()].entrance;
    assert_eq!(entrance(), Entrance::AfterTrial, "nobody asked for it");
    let other = ServiceName::new("other").unwrap();
    assert!(work.places(Some(&other)).is_empty());
    assert_eq!(work.places(Some(&place().0)), work.places(None));
    work.places(None).iter().for_each(|place| work.make(place, Why::Wanted));
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

/// A learner at work, and the way to it.
struct AtWork {
    lessons: Lessons,
    models: Models,
    cancelled: CancellationToken,
    tasks: JoinSet<()>,
}

impl AtWork {
    fn begin(folder: &Path, history_min: Duration) -> Self {
        let learning = work(folder, history_min).learning;
        let (learner, lessons) = Learner::new(folder, learning, Arc::new(SystemClock::new()));
        let cancelled = CancellationToken::new();
        let tasks = JoinSet::from_iter([learner.run(cancelled.clone())]);
        Self { lessons, models: Models::new(folder), cancelled, tasks }
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let wait = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(
            tokio::time::timeout(Duration::from_secs(60), wait).await.is_ok(),
            "waited in vain until {what}"
        );
    }

    async fn end(self) {
        self.cancelled.cancel();
        self.tasks.join_all().await;
    }
}

#[tokio::test]
async fn an_order_stands_until_it_is_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let at_work = AtWork::begin(folder.path(), Duration::from_secs(7200));
    assert!(at_work.models.order(None).is_err(), "nothing was kept yet");
    at_work.lessons.give(&place().0, (0..150).map(lesson).collect());
    at_work.until("a model is made", |it| it.lessons.younger(&place(), None).is_some()).await;
    for (minute, order) in [(150, None), (151, Some(&place().0))] {
        at_work.models.order(order).unwrap();
        at_work.models.order(order).expect("to repeat it adds nothing");
        at_work.lessons.give(&place().0, vec![lesson(minute)]);
        let is_made = |it: &AtWork| {
            let made = it.lessons.younger(&place(), Some((minute - 1) * 60));
            made.is_some_and(|ready| ready.trained == minute * 60 && ready.entrance == Entrance::AtOnce)
        };
        at_work.until("it is obeyed, with the row that came with it", is_made).await;
        at_work.until("it is struck out", |it| it.models.orders().is_empty()).await;
    }
    at_work.end().await;

    // An order that nobody obeyed waits for the next agent; one for a service without targets is soon done with.
    let other = ServiceName::new("other").unwrap();
    let models = Models::new(folder.path());
    models.order(None).unwrap();
    models.order(Some(&other)).unwrap();
    assert_eq!(models.orders(), [None, Some(other)].into());
    let next = AtWork::begin(folder.path(), Duration::from_secs(7200));
    next.lessons.give(&place().0, vec![lesson(152)]);
    next.until("it is obeyed", |it| it.lessons.younger(&place(), Some(151 * 60)).is_some()).await;
    next.until("both are struck out", |it| it.models.orders().is_empty()).await;
    next.end().await;
}

/// However many models are to be made, what comes meanwhile is written down between two of them.
#[tokio::test]
async fn rows_are_taken_between_two_models() {
    let folder = tempfile::tempdir().unwrap();
    let learning = work(folder.path(), Duration::from_secs(7200)).learning;
    let (mut learner, lessons) = Learner::new(folder.path(), learning, Arc::new(SystemClock::new()));
    let services: Vec<ServiceName> =
        (0..20).map(|n| ServiceName::new(format!("service-{n}")).unwrap()).collect();
    let of = |service: &ServiceName| (service.clone(), place().1, place().2);
    for service in &services {
        (0..150).for_each(|minute| drop(learner.work.learn(service, &lesson(minute))));
        learner.note(of(service), Why::Wanted);
    }
    lessons.give(&services[0], vec![lesson(150)]);
    let history = learner.work.history(&of(&services[0]));
    let (cancelled, last) = (CancellationToken::new(), of(&services[19]));
    let tasks = JoinSet::from_iter([learner.run(cancelled.clone())]);
    let wait = async {
        while history.youngest().unwrap() != Some(150 * 60) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the row is written down");
    assert!(lessons.younger(&last, None).is_none(), "before all models are made");
    cancelled.cancel();
    tasks.join_all().await;
}

#[test]
fn rows_before_an_incident_are_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path(), Duration::from_secs(20 * 3600));
    (0..60).for_each(|minute| learn(&work, &lesson(minute)));
    work.take_back(&ServiceName::new("other").unwrap(), 59 * 60);
    let usual = || {
        let table = work.table(&place()).unwrap();
        (0..table.rows()).filter(|row| table.is_usual(*row)).count()
    };
    assert_eq!(usual(), 60, "another service's incident");
    work.take_back(&place().0, 59 * 60);
    assert_eq!(usual(), 44, "a quarter of an hour, both ends counted");
    learn(&work, &lesson(60));
    assert_eq!(usual(), 45);
}
