//! A full disk, a folder that can only be read, damaged files: the state is clear, nothing is moved, a person is told
//! once; and when it is mended, all goes on by itself.

use std::fs;

use serde_json::{Value, json};

use super::support::agent::{SERVICE, notification};
use super::support::disk::{Disk, limit_files, outlive_limits};
use super::support::process::wait_until;
use super::support::scene::{Holder, NAME, ROUNDS_LIMIT, Scene, TARGETS};
use super::support::sink::HttpSink;

/// The levels that wake a person.
const PAGES: [&str; 2] = ["critical", "error"];

struct Stage {
    scene: Scene,
    sink: HttpSink,
}

impl Stage {
    /// A scene whose agent tells a sink what happens. It is stopped: its disk may be prepared.
    async fn stopped() -> Self {
        let sink = HttpSink::start();
        let body =
            "{\"kind\":\"{{kind}}\",\"phase\":\"{{phase}}\",\"level\":\"{{level}}\",\"text\":\"{{text}}\"}";
        let notify = json!([{"webhook": {"url": sink.url("/hook"), "body": body}}]);
        let mut scene = Scene::start(Holder::Embedded, &[("/notify", notify)]).await;
        stop(&mut scene).await;
        let folder = scene.setup.data_dir();
        fs::remove_dir_all(&folder).expect("it can be removed");
        fs::create_dir(&folder).expect("it can be made");
        Self { scene, sink }
    }

    async fn start_and_adopt(&mut self) {
        self.scene.agent = self.scene.setup.start_with(outlive_limits).await;
        self.scene.adopt(SERVICE).await;
        self.scene.agent.wait_vetoes(SERVICE, &["no_majority"], ROUNDS_LIMIT).await;
    }

    /// What woke a person so far: kind, and all of it.
    fn pages(&self) -> Vec<(String, String)> {
        let bodies = self.sink.requests();
        let messages = bodies.iter().map(|r| serde_json::from_str::<Value>(r.text()).expect("JSON"));
        let pages =
            messages.filter(|m| PAGES.iter().any(|level| m["level"] == *level) && m["phase"] != "over");
        pages.map(|m| (m["kind"].as_str().unwrap_or_default().to_owned(), m.to_string())).collect()
    }

    async fn wait_page(&self, kind: &str) -> String {
        wait_until(&format!("the message {kind}"), ROUNDS_LIMIT, async || {
            self.pages().iter().any(|(found, _)| found == kind)
        })
        .await;
        self.pages().into_iter().find(|(found, _)| found == kind).expect("it was waited for").1
    }

    /// The primary dies while nothing can be written down: nothing is done, and one message says why.
    async fn assert_helpless(&mut self, why: &[&str]) {
        self.scene
            .agent
            .wait_metric("redrover_journal_durable", &[("redis_service", SERVICE)], 0.0, ROUNDS_LIMIT)
            .await;
        self.scene.primary.kill();
        let alert = [("alertname", "RedisDown"), ("redis_service", SERVICE), ("datacenter", "dc-a")];
        let answer = self.scene.agent.post_webhook(&notification("firing", &alert)).await;
        assert_eq!(answer.status, 503, "Alertmanager is to come again: {}", answer.body);
        let page = self.wait_page("journal_lost").await;
        assert!(why.iter().any(|why| page.contains(why)), "{page} names none of {why:?}");
        self.scene.wait_rounds(12).await;
        self.scene.assert_unmoved(0).await;
        assert_eq!(self.pages().len(), 1, "{:#?}", self.pages());
    }

    /// What was held up goes on.
    async fn assert_goes_on(&mut self) {
        self.scene.wait_number("redrover_journal_durable", 1.0).await;
        self.scene.agent.post_alert(SERVICE, "firing").await;
        self.scene.wait_switch(SERVICE).await;
        self.scene.wait_answer(NAME, TARGETS[1]).await;
        let verified = self.scene.order(&["history", "--verify"]).await;
        assert!(verified.contains("newest seal of kept"), "{verified}");
    }
}

async fn stop(scene: &mut Scene) {
    scene.agent.process().signal("TERM");
    let limit = super::support::process::START_LIMIT;
    assert_eq!(scene.agent.process().wait_exit(limit).await.code(), Some(0));
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_moved_until_there_is_room() {
    let mut stage = Stage::stopped().await;
    // Where nothing may be mounted, the next test is the same without a disk of its own.
    let Some(disk) = Disk::mount(&stage.scene.setup.data_dir(), "16m") else { return };
    stage.start_and_adopt().await;
    disk.fill();
    // What the files have already is used up first.
    wait_until("the journal to be full", ROUNDS_LIMIT, async || {
        let alert = notification("firing", &[("alertname", "Other"), ("redis_service", SERVICE)]);
        stage.scene.agent.post_webhook(&alert).await.status == 503
    })
    .await;
    stage.assert_helpless(&["database or disk is full"]).await;
    disk.empty();
    stage.assert_goes_on().await;
}

#[tokio::test]
async fn beyond_a_limit_of_files_nothing_is_moved_until_it_is_lifted() {
    let mut stage = Stage::stopped().await;
    stage.start_and_adopt().await;
    // The log of the agent is a file too, and must not end it.
    limit_files(&mut stage.scene.agent, Some(4096));
    stage.assert_helpless(&["disk I/O error", "database or disk is full"]).await;
    limit_files(&mut stage.scene.agent, None);
    stage.assert_goes_on().await;
}

#[tokio::test]
async fn a_folder_that_can_only_be_read_is_served_from_and_not_acted_on() {
    let mut stage = Stage::stopped().await;
    let Some(disk) = Disk::mount(&stage.scene.setup.data_dir(), "16m") else {
        // The folder is taken away instead: it cannot be written either.
        return unusable_folder(stage).await;
    };
    stage.start_and_adopt().await;
    stop(&mut stage.scene).await;
    disk.set_read_only(true);
    stage.scene.agent = stage.scene.setup.start().await;
    assert_eq!(stage.scene.answer().await, [TARGETS[0]], "the name is answered");
    stage.assert_helpless(&["Read-only file system"]).await;
    disk.set_read_only(false);
    stage.assert_goes_on().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_waited_for() {
    unusable_folder(Stage::stopped().await).await;
}

/// A file stands where the folder should be.
async fn unusable_folder(mut stage: Stage) {
    stage.start_and_adopt().await;
    stop(&mut stage.scene).await;
    let (folder, away) = (stage.scene.setup.data_dir(), stage.scene.setup.data_dir().with_extension("away"));
    fs::rename(&folder, &away).expect("it can be moved");
    fs::write(&folder, "in the way").expect("it can be written");
    stage.scene.agent = stage.scene.setup.start().await;
    stage
        .scene
        .agent
        .wait_metric("redrover_journal_durable", &[("redis_service", SERVICE)], 0.0, ROUNDS_LIMIT)
        .await;
    let page = stage.wait_page("journal_lost").await;
    assert!(page.contains("cannot create"), "{page}");
    assert_eq!(stage.pages().len(), 1, "{:#?}", stage.pages());
    fs::remove_file(&folder).expect("it can be removed");
    fs::rename(&away, &folder).expect("it can be moved back");
    stage.scene.wait_number("redrover_journal_durable", 1.0).await;
    stage.scene.wait_answer(NAME, TARGETS[0]).await;
    stage.scene.agent.wait_vetoes(SERVICE, &["no_majority"], ROUNDS_LIMIT).await;
    stage.scene.primary.kill();
    stage.assert_goes_on().await;
}

#[tokio::test]
async fn damaged_files_are_moved_aside_and_one_message_asks_for_a_person() {
    for (file, wanted) in [("journal.db", None), ("zone.db", Some("SERVFAIL"))] {
        let mut stage = Stage::stopped().await;
        stage.start_and_adopt().await;
        stop(&mut stage.scene).await;
        let path = stage.scene.setup.data_dir().join(file);
        let mut bytes = fs::read(&path).expect("the file");
        bytes.iter_mut().skip(100).for_each(|byte| *byte ^= 0xa5);
        fs::write(&path, &bytes).expect("it can be written");
        stage.scene.agent = stage.scene.setup.start().await;
        let log = stage.scene.agent.process().stderr();
        assert!(log.contains(&format!("{file}.damaged-")), "{log}");
        stage.wait_page("halted").await;
        match wanted {
            None => assert_eq!(stage.scene.answer().await, [TARGETS[0]], "the name is answered"),
            Some(_) => assert!(stage.scene.answer().await.is_empty(), "and none is made up"),
        }
        stage.scene.wait_rounds(4).await;
        assert_eq!(stage.pages().len(), 1, "{file}: {:#?}", stage.pages());
        stage.scene.primary.kill();
        stage.scene.agent.post_alert(SERVICE, "firing").await;
        stage.scene.wait_rounds(12).await;
        assert_eq!(stage.scene.decisions(Some("failover")).await, 0.0);
        assert_eq!(stage.scene.standby.info("role").await.ok().flatten().as_deref(), Some("slave"));
        // That the service is down as well is told once, for nobody else moves it.
        let pages = stage.pages();
        assert!(
            pages.len() <= 2 && pages[1..].iter().all(|(kind, _)| kind == "outage"),
            "{file}: {pages:#?}"
        );
    }
}
