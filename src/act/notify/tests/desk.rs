//! Routing, rate limits and grouping.

use proptest::prelude::*;

use super::super::desk::Desk;
use super::super::message::{Kind, Message, Phase};
use super::world::{START, message, service};
use crate::config::{Channel, Level, RateLimits, Secret, Way};

fn text(name: &str) -> Channel {
    let way = Way::Slack { url: Secret::new("http://x/") };
    let rate_limits = RateLimits::default();
    Channel { name: name.to_owned(), way, min_level: Level::Info, services: Vec::new(), rate_limits }
}

fn pager(name: &str) -> Channel {
    let url = "http://x/".parse().unwrap();
    let way = Way::PagerDuty { url, routing_key: Secret::new("k"), ca_file: None };
    Channel { way, ..text(name) }
}

fn about(key: &str, phase: Phase, level: Level, at: i64) -> Message {
    let kind = if phase == Phase::Over { Kind::Over } else { Kind::Outage };
    let title = format!("{key} {}", phase.as_str());
    Message { key: key.to_owned(), phase, level, kind, title, at_unix_ms: at, ..message() }
}

/// The titles that go out at once, or are released in this moment.
fn out(desk: &mut Desk, message: Option<&Message>, channels: &[Channel], at: i64) -> Vec<(String, String)> {
    let mut all = message.map(|m| desk.take(m, channels, at)).unwrap_or_default();
    all.extend(desk.release(channels, at));
    all.into_iter().map(|a| (a.channel, a.message.title)).collect()
}

#[test]
fn a_channel_hears_of_its_services_and_levels_only() {
    let channels = [
        Channel { min_level: Level::Critical, ..text("loud") },
        Channel { services: vec![service("carts")], ..text("carts") },
        text("all"),
    ];
    let hears = |message: &Message| -> Vec<String> {
        out(&mut Desk::default(), Some(message), &channels, START).into_iter().map(|(name, _)| name).collect()
    };
    let error = about("k", Phase::Lasts, Level::Error, START);
    assert_eq!(hears(&error), ["all"]);
    assert_eq!(hears(&Message { level: Level::Critical, ..error.clone() }), ["loud", "all"]);
    assert_eq!(hears(&Message { service: service("carts"), ..error }), ["carts", "all"]);
}

#[test]
fn what_comes_too_fast_is_held_back_and_told_together() {
    let channels = [text("t")];
    let mut desk = Desk::default();
    let mut tell = |seconds: i64, message: Option<Message>| {
        out(&mut desk, message.as_ref(), &channels, START + 1000 * seconds)
    };
    let at = |key: &str| Some(about(key, Phase::Lasts, Level::Critical, START));
    assert_eq!(tell(0, at("a")).len(), 1);
    assert_eq!(tell(1, at("b")), []);
    assert_eq!(tell(2, at("c")), []);
    assert_eq!(tell(59, at("d")), []);
    assert_eq!(tell(60, None), [("t".to_owned(), "d lasts".to_owned())]);
    assert_eq!(tell(61, None), []);

    let told = desk_with(&channels, &[at("a"), at("b"), at("c"), at("d")]).release(&channels, START + 60_000);
    assert_eq!((told[0].message.held_back, told[0].message.earlier.len()), (3, 3), "{told:?}");
}

/// What the earlier messages ask for must still be done.
#[test]
fn a_message_asks_for_what_those_that_it_tells_asked_for() {
    let asking = |todo: &[&str]| {
        let todo = todo.iter().map(|line| (*line).to_owned()).collect();
        Message { todo, ..about("a", Phase::Alone, Level::Critical, START) }
    };
    for (messages, wanted) in [
        (vec![asking(&["Nothing."]), asking(&["Nothing."])], vec!["Nothing."]),
        (vec![asking(&["Do x.", "Do y."]), asking(&["Nothing."])], vec!["Do x.", "Do y."]),
        (
            vec![asking(&["Do x."]), asking(&["Do y."]), asking(&["Do x.", "Do z."])],
            vec!["Do x.", "Do z.", "Do y."],
        ),
    ] {
        assert_eq!(Message::folded(messages).unwrap().todo, wanted);
    }
    let many = (0..50).map(|n| asking(&[format!("Do {n}.").as_str()])).collect();
    assert_eq!(Message::folded(many).unwrap().todo.len(), 12, "it is bounded");
}

fn desk_with(channels: &[Channel], messages: &[Option<Message>]) -> Desk {
    let mut desk = Desk::default();
    for message in messages.iter().flatten() {
        assert!(desk.take(message, channels, START).is_empty());
    }
    desk
}

#[test]
fn a_failover_waits_for_nothing() {
    let channels = [text("t"), pager("p")];
    let mut desk = Desk::default();
    for second in 0..20 {
        let kind = if second % 2 == 0 { Kind::SwitchBegun } else { Kind::Switched };
        let message = Message { kind, ..about("k", Phase::Lasts, Level::Critical, START) };
        assert_eq!(desk.take(&message, &channels, START + second).len(), 2);
    }
}

#[test]
fn what_is_gone_in_a_moment_is_not_told_and_its_end_neither() {
    let channels = [text("t"), pager("p")];
    let warning = |phase| about("k", phase, Level::Warning, START);
    let mut desk = Desk::default();
    assert_eq!(out(&mut desk, Some(&warning(Phase::Lasts)), &channels, START), []);
    assert_eq!(out(&mut desk, Some(&warning(Phase::Over)), &channels, START + 10_000), []);
    assert_eq!(out(&mut desk, None, &channels, START + 3_600_000), []);

    assert_eq!(out(&mut desk, Some(&warning(Phase::Lasts)), &channels, START), []);
    assert_eq!(out(&mut desk, None, &channels, START + 30_000).len(), 2, "it has lasted");
    let over = out(&mut desk, Some(&warning(Phase::Over)), &channels, START + 40_000);
    assert_eq!(over, [("p".to_owned(), "k over".to_owned())], "the other waits for its limit");
    assert_eq!(out(&mut desk, None, &channels, START + 330_000), [("t".to_owned(), "k over".to_owned())]);
}

#[test]
fn who_keeps_incidents_hears_each_of_them_and_nothing_that_never_ends() {
    let channels = [pager("p")];
    let mut desk = Desk::default();
    let titles = |all: Vec<(String, String)>| all.into_iter().map(|(_, title)| title).collect::<Vec<_>>();
    let mut tell = |key: &str, phase| {
        titles(out(&mut desk, Some(&about(key, phase, Level::Critical, START)), &channels, START))
    };
    assert_eq!(tell("a", Phase::Acknowledged), [""; 0]);
    assert_eq!(tell("a", Phase::Lasts), ["a lasts"]);
    assert_eq!(tell("b", Phase::Lasts), ["b lasts"], "another incident shares no limit");
    assert_eq!(tell("a", Phase::Acknowledged), ["a acknowledged"]);
    assert_eq!(tell("c", Phase::Alone), [""; 0]);
    assert_eq!(tell("a", Phase::Over), ["a over"]);
    assert_eq!(tell("a", Phase::Over), [""; 0]);
}

#[test]
fn a_clock_that_goes_back_holds_nothing_longer_than_its_limit() {
    let channels = [text("t")];
    let mut desk = Desk::default();
    let critical = |key: &str| about(key, Phase::Lasts, Level::Critical, START);
    assert_eq!(out(&mut desk, Some(&critical("a")), &channels, START).len(), 1);
    assert_eq!(out(&mut desk, Some(&critical("b")), &channels, START - 3_600_000).len(), 1);
}

proptest! {
    /// Whatever comes, and in whatever order: limits are kept, and every message is told or waits.
    #[test]
    fn limits_are_kept_and_nothing_is_lost(
        steps in proptest::collection::vec((0..200_000_i64, 0..4_usize, 0..3_usize, any::<bool>()), 1..80)
    ) {
        let channels = [text("t")];
        let mut desk = Desk::default();
        let (mut now, mut taken, mut told) = (START, 0_u32, 0_u32);
        let mut last: std::collections::BTreeMap<(String, Level), i64> = Default::default();
        for (pause, level, name, is_failover) in steps {
            now += pause;
            let level = Level::ALL[level];
            let service = service(["a", "b", "c"][name]);
            let kind = if is_failover { Kind::Switched } else { Kind::Outage };
            let message = Message { kind, service, ..about(&format!("{taken}"), Phase::Lasts, level, now) };
            taken += 1;
            let at_once = desk.take(&message, &channels, now);
            prop_assert_eq!(at_once.len(), usize::from(is_failover));
            told += at_once.len() as u32;
            for addressed in desk.release(&channels, now) {
                let message = addressed.message;
                told += 1 + message.held_back;
                prop_assert!(message.earlier.len() <= 10);
                let scope = (message.service.to_string(), message.level);
                if let Some(before) = last.insert(scope, now) {
                    let limit = channels[0].rate_limits.of(message.level).as_millis() as i64;
                    prop_assert!(now - before >= limit, "{} after {}", message.title, now - before);
                }
            }
            let text = serde_json::to_string(&desk).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Desk>(&text).unwrap(), &desk);
        }
        for _ in 0..2 {
            now += 24 * 3_600_000;
            told += desk.release(&channels, now).iter().map(|a| 1 + a.message.held_back).sum::<u32>();
        }
        prop_assert_eq!(taken, told);
    }
}
