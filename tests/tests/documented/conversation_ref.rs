//! ConversationRef.

use talk_tokio::{Access, ConversationParams, Notify, Patch};

use super::support::{Town, add, assert_refused, ok, say, shown};

#[tokio::test]
async fn get_absent_conversation_is_null() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    assert_eq!(ok(alice.conversation("nowhere").unwrap().get()).await, None);
}

#[tokio::test]
async fn set_creates_joins_and_applies() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let conversation = alice.conversation("c").unwrap();
    let params = ConversationParams::default()
        .subject("Plans")
        .photo_url("https://example.com/c.png")
        .welcome_messages(["Hello".to_owned()])
        .access(Access::ReadWrite)
        .notify(Notify::MentionsOnly);
    ok(conversation.set(params)).await;
    let seen = ok(conversation.get()).await.unwrap();
    assert_eq!(seen.subject.as_deref(), Some("Plans"));
    assert_eq!(seen.photo_url.as_deref(), Some("https://example.com/c.png"));
    assert_eq!(*seen.welcome_messages, ["Hello"]);
    assert_eq!(seen.notify, Notify::MentionsOnly);

    let bob = town.person("bob").await.conversation("c").unwrap();
    ok(bob.set(ConversationParams::default().subject("Holidays"))).await;
    let seen = ok(bob.get()).await.unwrap();
    assert_eq!(seen.subject.as_deref(), Some("Holidays"));
    assert_eq!(*seen.welcome_messages, ["Hello"]);
    assert_eq!(
        (&seen.access, &seen.notify),
        (&Access::ReadWrite, &Notify::Always)
    );
}

#[tokio::test]
async fn set_null_resets_fields() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let conversation = alice.conversation("c").unwrap();
    let mut params = ConversationParams::default()
        .subject("Plans")
        .welcome_messages(["Hello".to_owned()])
        .notify(Notify::Never);
    params.custom = Patch::Set([("a".to_owned(), Some("1".to_owned()))].into());
    ok(conversation.set(params)).await;
    let mut reset = ConversationParams::default().subject(None);
    reset.welcome_messages = Patch::Reset;
    reset.custom = Patch::Reset;
    reset.notify = Patch::Reset;
    ok(conversation.set(reset)).await;
    let seen = ok(conversation.get()).await.unwrap();
    assert_eq!(
        (seen.subject.as_deref(), &seen.notify),
        (None, &Notify::Always)
    );
    assert!(seen.welcome_messages.is_empty() && seen.custom.is_empty());
}

#[tokio::test]
async fn create_if_not_exists_has_the_documented_defaults() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let conversation = alice.conversation("c").unwrap();
    ok(conversation.create_if_not_exists(Default::default())).await;
    let seen = ok(conversation.get()).await.unwrap();
    assert_eq!(
        (seen.subject.as_deref(), seen.photo_url.as_deref()),
        (None, None)
    );
    assert!(seen.welcome_messages.is_empty() && seen.custom.is_empty());
    assert_eq!(
        (&seen.access, &seen.notify),
        (&Access::ReadWrite, &Notify::Always)
    );
    assert_eq!(seen.last_message, None);
    assert_eq!((seen.unread_message_count, seen.is_unread), (0, false));
}

/// The documentation does not say whether the call changes an existing conversation. Here, it only
/// adds the caller as a participant, and ignores the conversation's own parameters.
#[tokio::test]
async fn create_if_not_exists_joins_existing_unchanged() {
    let (town, pair) = Town::with_pair().await;
    ok(pair
        .alice
        .set(ConversationParams::default().subject("Plans")))
    .await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    let params = ConversationParams::default()
        .subject("Mine")
        .notify(Notify::Never);
    ok(carol.create_if_not_exists(params.clone())).await;
    let seen = ok(carol.get()).await.unwrap();
    assert_eq!(seen.subject.as_deref(), Some("Plans"));
    assert_eq!(seen.notify, Notify::Never);

    ok(pair.bob.create_if_not_exists(params)).await;
    let seen = ok(pair.bob.get()).await.unwrap();
    assert_eq!(
        (seen.subject.as_deref(), &seen.notify),
        (Some("Plans"), &Notify::Always)
    );
}

#[tokio::test]
async fn mark_as_read_and_mark_as_unread() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "one").await;
    say(&pair.alice, "two").await;
    let seen = ok(pair.bob.get()).await.unwrap();
    assert_eq!((seen.unread_message_count, seen.is_unread), (2, true));

    ok(pair.bob.mark_as_read()).await;
    let seen = ok(pair.bob.get()).await.unwrap();
    assert_eq!((seen.unread_message_count, seen.is_unread), (0, false));
    let last = seen.last_message.as_ref().unwrap();
    assert!(seen.read_until >= last.created_at, "up to the last message");

    ok(pair.bob.mark_as_unread()).await;
    let seen = ok(pair.bob.get()).await.unwrap();
    assert_eq!((seen.unread_message_count, seen.is_unread), (0, true));
}

#[tokio::test]
async fn everyone_read_until_is_the_earliest_of_all() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "one").await;
    let of_alice = ok(pair.alice.get()).await.unwrap();
    let of_bob = ok(pair.bob.get()).await.unwrap();
    assert!(
        of_alice.read_until > of_bob.read_until,
        "sending is reading"
    );
    assert_eq!(of_alice.everyone_read_until, of_bob.read_until);
    ok(pair.bob.mark_as_read()).await;
    let seen = ok(pair.alice.get()).await.unwrap();
    let last = seen.last_message.as_ref().unwrap();
    assert!(seen.everyone_read_until >= last.created_at);
}

#[tokio::test]
async fn send_returns_message_ref() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    assert_eq!(message, pair.alice.message(message.id()).unwrap());
    assert_eq!(ok(message.get()).await.unwrap().plaintext(), "hi");
}

#[tokio::test]
async fn send_rejects_with_access_read() {
    let (_town, pair) = Town::with_pair().await;
    let me = talk_tokio::ParticipantParams::default().access(Access::Read);
    ok(pair.alice.participant("bob").unwrap().edit(me)).await;
    assert_refused(pair.bob.send("hi"), 403, "READ_ONLY").await;
}

#[tokio::test]
async fn send_as_outsider_is_rejected() {
    let (town, _pair) = Town::with_pair().await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    assert_refused(carol.send("hi"), 403, "NOT_A_PARTICIPANT").await;
}

#[tokio::test]
async fn mark_as_typing_as_outsider_is_rejected() {
    let (town, _pair) = Town::with_pair().await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    assert_refused(carol.mark_as_typing(), 403, "NOT_A_PARTICIPANT").await;
}

#[tokio::test]
async fn welcome_messages_are_no_messages() {
    let (_town, pair) = Town::with_pair().await;
    let params = ConversationParams::default().welcome_messages(["Hello".to_owned()]);
    ok(pair.alice.set(params)).await;
    assert_eq!(ok(pair.alice.get()).await.unwrap().last_message, None);
    let messages = pair.alice.subscribe_messages();
    assert!(ok(messages.connected()).await.unwrap().is_empty());
}

#[tokio::test]
async fn last_message_deleted_becomes_the_previous() {
    let (_town, pair) = Town::with_pair().await;
    let first = say(&pair.alice, "first").await;
    let second = say(&pair.alice, "second").await;
    let mut seen = pair.bob.subscribe();
    let last_is = |id: Option<&talk_tokio::MessageId>| {
        let id = id.cloned();
        move |seen: &Option<std::sync::Arc<talk_tokio::ConversationSnapshot>>| {
            let last = seen.as_ref().and_then(|seen| seen.last_message.as_ref());
            last.map(|message| &message.id) == id.as_ref()
        }
    };
    shown(&mut seen, last_is(Some(second.id()))).await;
    ok(second.delete()).await;
    shown(&mut seen, last_is(Some(first.id()))).await;
    ok(first.delete()).await;
    shown(&mut seen, last_is(None)).await;
}

/// Keeps both subscriptions open, because the published client once confused the two values then.
#[tokio::test]
async fn another_participants_access_does_not_alter_mine() {
    let (town, pair) = Town::with_pair().await;
    town.person("carol").await;
    add(&pair.alice, "carol").await;
    let mine = pair.alice.subscribe();
    ok(mine.connected()).await;
    let mut all = pair.alice.subscribe_participants();
    shown(&mut all, Option::is_some).await;
    let read = talk_tokio::ParticipantParams::default()
        .access(Access::Read)
        .notify(Notify::Never);
    ok(pair.alice.participant("carol").unwrap().edit(read)).await;
    shown(&mut all, |all| {
        let all = all.as_ref().unwrap();
        all.iter().any(|carol| carol.access == Access::Read)
    })
    .await;
    let mine = mine.latest().unwrap().unwrap();
    assert_eq!(
        (&mine.access, &mine.notify),
        (&Access::ReadWrite, &Notify::Always)
    );
}
