//! What is told of a replay, and how it looks.

use super::world::{BEGIN, Recorder, replayed, service, whole};
use crate::decide::Verdict;
use crate::replay::{Mark, Outage, Report, Score};
use crate::types::ServiceName;

fn outage(from: u64, until: u64) -> Outage {
    let ms = |seconds: u64| i64::try_from((BEGIN + seconds) * 1000).unwrap();
    let service = ServiceName::new("sessions").unwrap();
    Outage { service, from_unix_ms: ms(from), until_unix_ms: ms(until) }
}

fn mark(verdict: Verdict, from: u64, until: u64) -> Mark {
    let Outage { from_unix_ms, until_unix_ms, .. } = outage(from, until);
    Mark { verdict, from_unix_ms, until_unix_ms, is_asked: false }
}

#[test]
fn outages_are_found_missed_or_not_recorded() {
    let outages = [outage(100, 200), outage(300, 400), outage(500, 600), outage(700, 800)];
    let marks = [
        mark(Verdict::Recommend, 110, 190),
        mark(Verdict::Failover, 130, 130),
        mark(Verdict::Halt, 310, 390),
        mark(Verdict::Recommend, 450, 520),
        mark(Verdict::Failover, 650, 650),
        mark(Verdict::Failover, 900, 900),
        mark(Verdict::Recommend, 950, 951),
    ];
    let score = Score::of(&marks, &outages, |from, _| from < outage(700, 800).from_unix_ms);
    let found: Vec<_> = score.outages.iter().map(|o| (o.verdict, o.seconds)).collect();
    // A failover goes before the recommendation that came first; one that stood before counts from the beginning.
    assert_eq!(found[0], (Some(Verdict::Failover), Some(30.0)));
    assert_eq!(found[1], (None, None));
    assert_eq!(found[2], (Some(Verdict::Recommend), Some(0.0)));
    assert_eq!((score.found(), score.missed(), score.unseen()), (2, 1, 1));
    assert_eq!((score.needless_failovers, score.needless_recommendations), (2, 1));
    assert_eq!(score.seconds_to_decide(), Some((0.0, 30.0)));
    assert_eq!(Score::default().seconds_to_decide(), None);
}

async fn report() -> Report {
    let mut recorder = Recorder::new(service());
    recorder.rounds(40).await;
    recorder.is_down = true;
    recorder.rounds(5).await;
    recorder.switch();
    recorder.rounds(60).await;
    let outages = [outage(203, 260)];
    let account = replayed(&recorder, &service(), Some(&outages)).await;
    Report { span: whole(), source: "the journal in <a&b>".to_owned(), services: vec![account] }
}

#[tokio::test]
async fn the_table_tells_what_was_decided_and_when() {
    let told = report().await.to_string();
    for said in [
        "2027-01-15T08:00:00Z to 2027-01-16T08:00:00Z, from the journal in <a&b>",
        "105 rounds, 2027-01-15T08:00:05Z to 2027-01-15T08:08:45Z, no gaps; 105 of 105 compared have the verdict of then",
        "1 incident(s); then: 1 failover; this policy: 1 failover",
        "marked outages, this policy: 1 of 1 found, 0 missed; needless: 0 failover(s), 0 recommendation(s); \
         decided after 22 s (median), 22 s (longest)",
        "failover after 20s",
        "the active site is down for the whole confirm window",
    ] {
        assert!(told.contains(said), "{said}\nnot in\n{told}");
    }
}

#[tokio::test]
async fn the_values_hold_what_the_table_holds() {
    let json = serde_json::to_value(report().await).unwrap();
    assert_eq!(json["from_unix_ms"], whole().from_unix_ms);
    let service = &json["services"][0];
    assert_eq!(service["incidents"][0]["would"]["verdict"], "failover");
    assert_eq!(service["score_would"]["outages"][0]["seconds"], 22.0);
    assert_eq!(service["coverage"]["rounds"], 105);
}

#[tokio::test]
async fn the_page_needs_nothing_else_and_escapes_every_text() {
    let page = report().await.html();
    assert!(page.contains("the journal in &lt;a&amp;b&gt;"), "{page}");
    for foreign in ["<script", "http://", "https://", "url(", "@import", "<a&b>"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for part in ["<svg", "class=\"outage\"", "class=\"threshold\"", "prefers-color-scheme: dark", "<polyline"]
    {
        assert!(page.contains(part), "{part}");
    }
    for (open, close) in
        [("<svg ", "</svg>"), ("<table>", "</table>"), ("<rect ", "</rect>"), ("<li>", "</li>")]
    {
        assert_eq!(page.matches(open).count(), page.matches(close).count(), "{open}");
    }
    assert!(page.len() < 40_000, "{} bytes", page.len());
}
