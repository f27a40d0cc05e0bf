//! The table of subscriptions: initial window, order, growth, and null snapshots.
//!
//! [`bad_input`](super::bad_input) covers the ranges of `load_more`.

use talk_tokio::{
    ConversationFilter, ConversationParams, ConversationRef, ConversationSnapshot, Error,
    MessageSnapshot, ParticipantParams, ReactionSnapshot, Session, Subscription, TypingSnapshot,
    Window,
};

use super::support::{Town, add, ok, say, shown};

type Messages = Subscription<Option<Window<MessageSnapshot>>>;

fn texts(window: &Window<MessageSnapshot>) -> Vec<String> {
    window.iter().map(|message| message.plaintext()).collect()
}

fn latest<T>(subscription: &Subscription<Option<Window<T>>>) -> Window<T>
where
    Option<Window<T>>: Clone,
{
    subscription.latest().unwrap().unwrap()
}

/// Sends `count` messages: `0`, `1`, …
async fn fill(conversation: &ConversationRef, count: usize) {
    for n in 0..count {
        say(conversation, &n.to_string()).await;
    }
}

fn conversation_ids(window: &Window<ConversationSnapshot>) -> Vec<String> {
    window.iter().map(|it| it.id.as_str().to_owned()).collect()
}

#[tokio::test]
async fn conversations_page_by_20_latest_activity_first() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    for n in 0..45 {
        let conversation = alice.conversation(format!("c{n:02}")).unwrap();
        ok(conversation.create_if_not_exists(Default::default())).await;
    }
    let mut conversations = alice.subscribe_conversations(None);
    let window = ok(conversations.connected()).await;
    let expected: Vec<_> = (25..45).rev().map(|n| format!("c{n}")).collect();
    assert_eq!(
        (conversation_ids(&window), window.loaded_all()),
        (expected, false)
    );
    ok(conversations.load_more(None)).await;
    let window = conversations.latest().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (40, false));
    ok(conversations.load_more(None)).await;
    let window = conversations.latest().unwrap();
    assert_eq!((window.len(), window.loaded_all()), (45, true));

    say(&alice.conversation("c07").unwrap(), "hi").await;
    let window = shown(&mut conversations, |window| {
        window.first().unwrap().id == "c07"
    })
    .await;
    assert_eq!(window.len(), 45);
}

#[tokio::test]
async fn conversations_of_absent_user_are_empty() {
    let town = Town::new().await;
    let nobody = town.stranger("nobody");
    let mut conversations = nobody.subscribe_conversations(None);
    let window = ok(conversations.connected()).await;
    assert_eq!((window.len(), window.loaded_all()), (0, true));
    ok(nobody
        .current_user()
        .set(talk_tokio::UserParams::named("Somebody")))
    .await;
    let conversation = nobody.conversation("c").unwrap();
    ok(conversation.create_if_not_exists(Default::default())).await;
    shown(&mut conversations, |window| window.len() == 1).await;
}

#[tokio::test]
async fn filtered_conversation_leaves_and_returns() {
    let (_town, pair) = Town::with_pair().await;
    let filter = talk_tokio::SimpleFilter::new().is_unread(true);
    let mut unread = pair
        .of_bob
        .subscribe_conversations(ConversationFilter::from(filter));
    for _ in 0..2 {
        shown(&mut unread, Window::is_empty).await;
        say(&pair.alice, "hi").await;
        shown(&mut unread, |window| window.len() == 1).await;
        ok(pair.bob.mark_as_read()).await;
    }
    shown(&mut unread, Window::is_empty).await;
}

/// The visible conversations of the list receive live updates.
#[tokio::test]
async fn conversation_list_and_single_both_update() {
    let (_town, pair) = Town::with_pair().await;
    let alone = pair.bob.subscribe();
    let mut list = pair.of_bob.subscribe_conversations(None);
    shown(&mut list, |window| window.len() == 1).await;
    ok(pair
        .alice
        .set(ConversationParams::default().subject("Plans")))
    .await;
    let has_subject = |it: &ConversationSnapshot| it.subject.as_deref() == Some("Plans");
    shown(&mut list, |window| window.iter().all(|it| has_subject(it))).await;
    assert!(has_subject(&alone.latest().unwrap().unwrap()));
}

#[tokio::test]
async fn messages_page_by_30_newest_first() {
    let (_town, pair) = Town::with_pair().await;
    fill(&pair.alice, 65).await;
    let messages = pair.bob.subscribe_messages();
    let window = ok(messages.connected()).await.unwrap();
    let expected: Vec<_> = (35..65).rev().map(|n| n.to_string()).collect();
    assert_eq!((texts(&window), window.loaded_all()), (expected, false));
    ok(messages.load_more(None)).await;
    assert_eq!(
        (latest(&messages).len(), latest(&messages).loaded_all()),
        (60, false)
    );
    ok(messages.load_more(None)).await;
    let window = latest(&messages);
    assert_eq!((window.len(), window.loaded_all()), (65, true));
    assert_eq!(texts(&window)[64], "0");
}

#[tokio::test]
async fn participants_page_by_10_latest_joined_first() {
    let (town, pair) = Town::with_pair().await;
    for n in 0..20 {
        let id = format!("user{n:02}");
        town.person(&id).await;
        add(&pair.alice, &id).await;
    }
    let participants = pair.bob.subscribe_participants();
    let window = ok(participants.connected()).await.unwrap();
    let ids: Vec<_> = window
        .iter()
        .map(|p| p.user.id.as_str().to_owned())
        .collect();
    let expected: Vec<_> = (10..20).rev().map(|n| format!("user{n}")).collect();
    assert_eq!((ids, window.loaded_all()), (expected, false));
    ok(participants.load_more(None)).await;
    assert_eq!(latest(&participants).len(), 20);
    ok(participants.load_more(None)).await;
    let window = latest(&participants);
    assert_eq!((window.len(), window.loaded_all()), (22, true));
    assert_eq!(window.get(21).unwrap().user.id.as_str(), "alice");
}

/// Lets twelve users react to a message, and returns Alice's subscription to the reactions.
async fn reacted(
    town: &Town,
    pair: &super::support::Pair,
) -> Subscription<Option<Window<ReactionSnapshot>>> {
    let message = say(&pair.alice, "hi").await;
    for n in 0..12 {
        react(town, &format!("user{n:02}"), message.id().as_str()).await;
    }
    message.reactions("👍").unwrap().subscribe()
}

async fn react(town: &Town, user: &str, message: &str) -> Session {
    let person = town.person(user).await;
    let conversation = person.conversation("c").unwrap();
    ok(conversation.create_if_not_exists(Default::default())).await;
    let message = conversation.message(message).unwrap();
    ok(message.reactions("👍").unwrap().add()).await;
    person
}

#[tokio::test]
async fn reactions_page_by_10_oldest_first() {
    let (town, pair) = Town::with_pair().await;
    let mut reactions = reacted(&town, &pair).await;
    let window = ok(reactions.connected()).await.unwrap();
    let ids: Vec<_> = window
        .iter()
        .map(|r| r.user.id.as_str().to_owned())
        .collect();
    let expected: Vec<_> = (0..10).map(|n| format!("user{n:02}")).collect();
    assert_eq!((ids, window.loaded_all()), (expected, false));
    ok(reactions.load_more(None)).await;
    let window = latest(&reactions);
    assert_eq!((window.len(), window.loaded_all()), (12, true));

    // The window contains the whole list, so that a new reaction is visible.
    let message = ok(pair.alice.subscribe_messages().connected())
        .await
        .unwrap();
    let message = message.first().unwrap().id.as_str().to_owned();
    react(&town, "user12", &message).await;
    let window = shown(&mut reactions, |window| {
        window.as_ref().is_some_and(|window| window.len() == 13)
    })
    .await
    .unwrap();
    assert_eq!(window.get(12).unwrap().user.id.as_str(), "user12");
}

#[tokio::test]
async fn subscription_to_absent_entity_is_null() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    shows_null(&alice).await.unwrap();
}

#[tokio::test]
async fn subscription_without_participation_is_null() {
    let (town, _pair) = Town::with_pair().await;
    let carol = town.person("carol").await;
    shows_null(&carol).await.unwrap();
}

/// Checks that every subscription to the conversation `c` shows null.
async fn shows_null(session: &Session) -> Result<(), Error> {
    let conversation = session.conversation("c")?;
    assert_eq!(ok(conversation.subscribe().connected()).await, None);
    assert_eq!(
        ok(conversation.subscribe_messages().connected()).await,
        None
    );
    assert_eq!(
        ok(conversation.subscribe_participants().connected()).await,
        None
    );
    assert_eq!(ok(conversation.subscribe_typing().connected()).await, None);
    let bob = conversation.participant("bob")?.subscribe();
    assert_eq!(ok(bob.connected()).await, None);
    let reactions = conversation.message("msg_1")?.reactions("👍")?.subscribe();
    assert_eq!(ok(reactions.connected()).await, None);
    let nobody = session.user("nobody")?;
    assert_eq!(ok(nobody.subscribe().connected()).await, None);
    assert_eq!(ok(nobody.subscribe_online().connected()).await, None);
    Ok(())
}

#[tokio::test]
async fn leaving_shows_null_and_rejoining_restores() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "hi").await;
    let mut conversation = pair.bob.subscribe();
    let mut messages = pair.bob.subscribe_messages();
    let mut participants = pair.bob.subscribe_participants();
    let mut typing = pair.bob.subscribe_typing();
    let bob = pair.alice.participant("bob").unwrap();
    for _ in 0..2 {
        shown(&mut conversation, Option::is_some).await;
        shown(&mut messages, Option::is_some).await;
        shown(&mut participants, Option::is_some).await;
        shown(&mut typing, Option::is_some).await;
        ok(bob.delete()).await;
        shown(&mut conversation, Option::is_none).await;
        shown(&mut messages, Option::is_none).await;
        shown(&mut participants, Option::is_none).await;
        shown(&mut typing, Option::is_none).await;
        ok(bob.set(ParticipantParams::default())).await;
    }
    let back = shown(&mut messages, Option::is_some).await.unwrap();
    assert_eq!(texts(&back), ["hi"]);
    let back = shown(&mut typing, Option::is_some).await;
    assert_eq!(back, Some(TypingSnapshot::Few(Vec::new())));
}

#[tokio::test]
async fn new_items_extend_the_head() {
    let (town, pair) = Town::with_pair().await;
    fill(&pair.alice, 31).await;
    let mut messages = pair.bob.subscribe_messages();
    shown(&mut messages, Option::is_some).await;
    say(&pair.alice, "new").await;
    let window = shown(&mut messages, |window| window.as_ref().unwrap().len() == 31).await;
    assert_eq!(window.unwrap().first().unwrap().plaintext(), "new");

    let mut participants = pair.bob.subscribe_participants();
    shown(&mut participants, Option::is_some).await;
    town.person("carol").await;
    add(&pair.alice, "carol").await;
    let window = shown(&mut participants, |window| {
        window.as_ref().unwrap().len() == 3
    })
    .await;
    assert_eq!(window.unwrap().first().unwrap().user.id.as_str(), "carol");
}

#[tokio::test]
async fn load_more_larger_count_widens_request() {
    let (_town, pair) = Town::with_pair().await;
    fill(&pair.alice, 60).await;
    let messages: Messages = pair.bob.subscribe_messages();
    ok(messages.connected()).await;
    let (first, second) = tokio::join!(messages.load_more(5), messages.load_more(10));
    first.unwrap();
    second.unwrap();
    assert_eq!(latest(&messages).len(), 40);
}

#[tokio::test]
async fn load_more_does_not_touch_another_subscription() {
    let (_town, pair) = Town::with_pair().await;
    fill(&pair.alice, 40).await;
    let messages = pair.bob.subscribe_messages();
    let others = pair.bob.subscribe_messages();
    ok(messages.connected()).await;
    ok(others.connected()).await;
    ok(messages.load_more(5)).await;
    assert_eq!((latest(&messages).len(), latest(&others).len()), (35, 30));
    let later = pair.bob.subscribe_messages();
    assert_eq!(ok(later.connected()).await.unwrap().len(), 30);
}
