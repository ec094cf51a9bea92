//! The outbox: in order, once, bounded, and there after a restart.

use tempfile::TempDir;

use crate::store::{Fate, Letter, NewLetter, Outbox, SqliteJournal};

fn open(folder: &TempDir) -> Outbox {
    SqliteJournal::open(folder.path()).unwrap().outbox()
}

fn letter(channel: &str, key: &str, rank: u8, body: &str) -> NewLetter {
    let (channel, key, body) = (channel.to_owned(), key.to_owned(), body.to_owned());
    NewLetter { channel, key, rank, made_unix_ms: 1_000, body }
}

async fn next(outbox: &Outbox, channel: &str, now: i64) -> Option<Letter> {
    outbox.next(channel.to_owned(), now).await.unwrap()
}

async fn body(outbox: &Outbox, channel: &str) -> Option<String> {
    next(outbox, channel, 1_000).await.map(|letter| letter.body)
}

#[tokio::test]
async fn letters_wait_through_a_restart_and_are_delivered_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(&folder);
    assert_eq!(outbox.desk("{}".to_owned()).await.unwrap(), (0, "{}".to_owned()));
    let letters = vec![
        letter("a", "k", 1, "first of k"),
        letter("a", "l", 2, "urgent"),
        letter("a", "k", 3, "more urgent, but second of k"),
        letter("b", "k", 1, "of another channel"),
    ];
    assert!(outbox.put(7, "{\"x\":1}".to_owned(), letters).await.unwrap().is_empty());
    drop(outbox);

    let outbox = open(&folder);
    assert_eq!(outbox.desk("{}".to_owned()).await.unwrap(), (7, "{\"x\":1}".to_owned()));
    for (at, wanted) in ["urgent", "first of k", "more urgent, but second of k"].into_iter().enumerate() {
        let letter = next(&outbox, "a", 1_000).await.unwrap();
        assert_eq!(letter.body, wanted, "{at}");
        outbox.settle(letter.id, Fate::Delivered, 1_001).await.unwrap();
    }
    assert_eq!(body(&outbox, "a").await, None);
    assert_eq!(outbox.waiting().await.unwrap(), [("b".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_letter_that_is_put_off_keeps_its_followers_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(&folder);
    let letters =
        vec![letter("a", "k", 1, "begun"), letter("a", "k", 1, "over"), letter("a", "l", 1, "other")];
    outbox.put(1, String::new(), letters).await.unwrap();
    let begun = next(&outbox, "a", 1_000).await.unwrap();
    outbox.put_off(begun.id, 5_000).await.unwrap();
    assert_eq!(body(&outbox, "a").await.as_deref(), Some("other"));
    let other = next(&outbox, "a", 1_000).await.unwrap();
    outbox.settle(other.id, Fate::Refused, 1_000).await.unwrap();
    assert_eq!(body(&outbox, "a").await, None, "the end does not overtake the beginning");
    let again = next(&outbox, "a", 5_000).await.unwrap();
    assert_eq!((again.body.as_str(), again.tries), ("begun", 1));
}

#[tokio::test]
async fn of_too_many_the_oldest_of_the_lowest_rank_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(&folder);
    let many =
        |rank, n| (0..n).map(move |i| letter("a", &format!("{rank}/{i}"), rank, &format!("{rank}/{i}")));
    assert!(
        outbox
            .put(1, String::new(), many(0, 1_000).chain(many(3, 1_000)).collect())
            .await
            .unwrap()
            .is_empty()
    );
    let dropped = outbox.put(2, String::new(), many(2, 1_010).collect()).await.unwrap();
    assert_eq!(dropped, [("a".to_owned(), 1_010)].into());
    assert_eq!(outbox.waiting().await.unwrap(), [("a".to_owned(), 2_000)].into());
    assert_eq!(body(&outbox, "a").await.as_deref(), Some("3/0"), "the urgent ones stay");
}

#[tokio::test]
async fn a_channel_that_is_gone_takes_its_letters_along() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(&folder);
    outbox.put(1, String::new(), vec![letter("a", "k", 1, "x"), letter("b", "k", 1, "y")]).await.unwrap();
    let gone = outbox.keep_channels(vec!["b".to_owned()], 2_000).await.unwrap();
    assert_eq!(gone, [("a".to_owned(), 1)].into());
    assert_eq!((body(&outbox, "a").await, body(&outbox, "b").await.as_deref()), (None, Some("y")));
    outbox.close_desk().await.unwrap();
    assert_eq!(outbox.desk("{}".to_owned()).await.unwrap(), (0, "{}".to_owned()));
}
