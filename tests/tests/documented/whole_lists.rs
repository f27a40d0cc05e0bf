//! Whole lists and the history of a conversation.

use futures_util::{StreamExt, TryStreamExt};
use talk_emulator::Seed;
use talk_tokio::{Error, Limits, SimpleFilter, get_talk_session};

use super::support::{Town, ok, say, within};

/// A conversation of Alice with `n` messages, `0` being the oldest.
fn talkative(n: usize) -> Seed {
    let seed = Seed::new("app")
        .user("alice", "Alice")
        .conversation("c", ["alice"]);
    (0..n).fold(seed, |seed, i| seed.message("c", "alice", i.to_string()))
}

fn numbers(range: impl Iterator<Item = usize>) -> Vec<String> {
    range.map(|i| i.to_string()).collect()
}

#[tokio::test]
async fn history_yields_every_message() {
    let town = Town::with_data(talkative(250)).await;
    let conversation = town.stranger("alice").conversation("c").unwrap();
    let newest_first = conversation.history().map_ok(|message| message.plaintext());
    let newest_first: Vec<_> = ok(newest_first.try_collect()).await;
    assert_eq!(newest_first, numbers((0..250).rev()));
    let oldest_first = conversation.history().oldest_first();
    let oldest_first = oldest_first.map_ok(|message| message.plaintext());
    let oldest_first: Vec<_> = ok(oldest_first.try_collect()).await;
    assert_eq!(oldest_first, numbers(0..250));
}

#[tokio::test]
async fn history_changes_meanwhile_neither_repeat_nor_lose() {
    let town = Town::with_data(talkative(100)).await;
    let conversation = town.stranger("alice").conversation("c").unwrap();
    let mut history = conversation.history();
    let mut seen = Vec::new();
    // The message that the next page is found by is deleted, and newer ones arrive.
    for _ in 0..30 {
        seen.push(ok(history.try_next()).await.unwrap());
    }
    ok(conversation.message(&seen[29].id).unwrap().delete()).await;
    say(&conversation, "new").await;
    while let Some(message) = ok(history.try_next()).await {
        seen.push(message);
    }
    let seen: Vec<_> = seen.iter().map(|message| message.plaintext()).collect();
    assert_eq!(seen, numbers((0..100).rev()));
}

#[tokio::test]
async fn history_of_a_stranger_fails_once() {
    let (town, _pair) = Town::with_pair().await;
    let conversation = town.person("carol").await.conversation("c").unwrap();
    let items: Vec<_> = within(conversation.history().collect()).await;
    assert_eq!(items, [Err(Error::NotAParticipant)]);
    let items: Vec<_> = within(conversation.history().oldest_first().collect()).await;
    assert_eq!(items, [Err(Error::NotAParticipant)]);
    let participants = within(conversation.all_participants()).await;
    assert_eq!(participants, Err(Error::NotAParticipant));
}

#[tokio::test]
async fn history_beyond_the_window_fails() {
    let town = Town::with_data(talkative(60)).await;
    let limits = Limits::default().window(50);
    let session = get_talk_session(town.options("alice").limits(limits)).unwrap();
    let history = session.conversation("c").unwrap().history();
    let mut items: Vec<_> = within(history.collect()).await;
    assert_eq!(items.pop(), Some(Err(Error::TooManyItems { limit: 50 })));
    assert_eq!(items.len(), 50);
}

#[tokio::test]
async fn all_participants_loads_every_page() {
    let ids = || (0..70).map(|i| format!("user{i:02}"));
    let seed = ids().fold(Seed::new("app"), |seed, id| seed.user(id, "User"));
    let town = Town::with_data(seed.conversation("c", ids())).await;
    let conversation = town.stranger("user00").conversation("c").unwrap();
    let participants = ok(conversation.all_participants()).await;
    let seen: Vec<_> = participants
        .iter()
        .map(|it| it.user.id.to_string())
        .collect();
    assert_eq!(seen, ids().rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn all_conversations_applies_the_filter() {
    let ids = || (0..50).map(|i| format!("c{i:02}"));
    let users = Seed::new("app").user("alice", "Alice").user("bob", "Bob");
    let seed = ids().fold(users, |seed, id| seed.conversation(id, ["alice", "bob"]));
    let seed = seed.message("c07", "bob", "Hi").message("c33", "bob", "Hi");
    let town = Town::with_data(seed).await;
    let session = town.stranger("alice");
    assert_eq!(ok(session.all_conversations(None)).await.len(), 50);
    let unread = SimpleFilter::new().is_unread(true);
    let unread = ok(session.all_conversations(unread)).await;
    let unread: Vec<_> = unread.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(unread, ["c33", "c07"]);
}

#[tokio::test]
async fn filter_accepts_timestamps() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "Hi").await;
    let conversation = ok(pair.alice.get()).await.unwrap();
    let sent = conversation.last_message.as_ref().unwrap().created_at;
    for (filter, expected) in [
        (SimpleFilter::new().last_activity_at(sent..), 1),
        (SimpleFilter::new().last_activity_at(..sent), 0),
        (SimpleFilter::new().created_at(..=sent), 1),
    ] {
        let found = ok(pair.of_alice.all_conversations(filter)).await;
        assert_eq!(found.len(), expected);
    }
}
