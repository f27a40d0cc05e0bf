//! Session, refs, snapshots.

use std::sync::Arc;

use talk_tokio::{SessionError, UserParams};

use super::support::{Town, ok, say, within};

#[tokio::test]
async fn session_is_shared_until_it_fails() {
    let town = Town::new().await;
    let session = town.stranger("alice");
    assert_eq!(session, town.stranger("alice"));
    assert_ne!(session, town.stranger("bob"));
    assert_eq!(
        (session.app_id().as_str(), session.user_id().as_str()),
        ("app", "alice")
    );
    assert_eq!(session.current_user(), session.user("alice").unwrap());
    within(session.shutdown()).await;
    assert_eq!(session.error(), Some(SessionError::Shutdown));
    assert_ne!(session, town.stranger("alice"));
}

#[tokio::test]
async fn refs_of_the_same_entity_are_equal() {
    let town = Town::new().await;
    let session = town.stranger("alice");
    let conversation = session.conversation("c").unwrap();
    assert_eq!(conversation, session.conversation("c").unwrap());
    let bob = session.user("bob").unwrap();
    assert_eq!(
        conversation.participant("bob").unwrap(),
        conversation.participant(&bob).unwrap()
    );
    let message = conversation.message("m").unwrap();
    assert_eq!(message, conversation.message("m").unwrap());
    assert_eq!(
        message.reactions("👍").unwrap(),
        message.reactions("👍").unwrap()
    );
    assert_ne!(
        message.reactions("👍").unwrap(),
        message.reactions("👎").unwrap()
    );
}

#[tokio::test]
async fn session_without_work_opens_no_connection() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    ok(alice.user("bob").unwrap().set(UserParams::named("Bob"))).await;
    let bob = town.stranger("bob");
    let _refs = (bob.current_user(), bob.conversation("c").unwrap());
    let online = ok(alice.user("bob").unwrap().subscribe_online().connected()).await;
    assert!(!online.unwrap().is_connected);
}

#[tokio::test]
async fn snapshot_unchanged_parts_share_allocation() {
    let (_town, pair) = Town::with_pair().await;
    say(&pair.alice, "one").await;
    let messages = pair.alice.subscribe_messages();
    let before = ok(messages.connected()).await.unwrap();
    say(&pair.alice, "two").await;
    let mut again = pair.alice.subscribe_messages();
    let after = super::support::shown(&mut again, |window| {
        window.as_ref().is_some_and(|window| window.len() == 2)
    })
    .await
    .unwrap();
    assert!(Arc::ptr_eq(before.get(0).unwrap(), after.get(1).unwrap()));
    let sender =
        |message: &talk_tokio::MessageSnapshot| Arc::clone(message.sender.as_ref().unwrap());
    assert!(
        Arc::ptr_eq(
            &sender(after.get(0).unwrap()),
            &sender(after.get(1).unwrap())
        ),
        "one user, once"
    );
}
