//! UserRef.

use serde_json::json;
use talk_tokio::{Patch, UserParams};

use super::support::{Town, assert_refused, ok, shown};

#[tokio::test]
async fn get_returns_public_attributes() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let mut params = UserParams::named("Alice")
        .locale("nl-NL")
        .photo_url("https://example.com/a.png")
        .role("admin")
        .custom("team", "blue");
    params.welcome_message = "Hello".into();
    params.email = Patch::Set("alice@example.com".into());
    params.phone = Patch::Set(vec!["+31612345678".to_owned()].into());
    params.push_tokens = Patch::Set([("fcm:token".to_owned(), Some(true))].into());
    ok(alice.current_user().set(params)).await;

    let nobody = town.stranger("nobody");
    let seen = ok(nobody.user("alice").unwrap().get()).await.unwrap();
    let expected = json!({
        "id": "alice", "name": "Alice", "custom": {"team": "blue"}, "locale": "nl-NL",
        "photoUrl": "https://example.com/a.png", "role": "admin", "welcomeMessage": "Hello",
    });
    assert_eq!(serde_json::to_value(&seen).unwrap(), expected);
}

#[tokio::test]
async fn get_absent_user_is_null() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    assert_eq!(ok(alice.user("nobody").unwrap().get()).await, None);
}

#[tokio::test]
async fn set_creates_then_changes_given_fields() {
    let town = Town::new().await;
    let alice = town.stranger("alice").current_user();
    let params = UserParams::named("Alice")
        .locale("nl")
        .custom("a", "1")
        .custom("b", "2");
    ok(alice.set(params)).await;
    ok(alice.set(UserParams::default().role("admin").custom("a", "3"))).await;
    let seen = ok(alice.get()).await.unwrap();
    assert_eq!((seen.name.as_str(), seen.role.as_str()), ("Alice", "admin"));
    assert_eq!(seen.locale.as_deref(), Some("nl"));
    assert_eq!(
        (seen.custom.get("a"), seen.custom.get("b")),
        (Some("3"), Some("2"))
    );
}

#[tokio::test]
async fn set_null_resets_fields_and_role() {
    let town = Town::new().await;
    let alice = town.stranger("alice").current_user();
    let params = UserParams::named("Alice").locale("nl").role("admin");
    ok(alice.set(params.custom("a", "1").custom("b", "2"))).await;
    let mut reset = UserParams::default().locale(None).role(None);
    reset.custom = Patch::Set([("a".to_owned(), None)].into());
    ok(alice.set(reset)).await;
    let seen = ok(alice.get()).await.unwrap();
    assert_eq!(
        (seen.locale.as_deref(), seen.role.as_str()),
        (None, "default")
    );
    assert_eq!((seen.custom.len(), seen.custom.get("b")), (1, Some("2")));

    let mut reset = UserParams::default();
    reset.custom = Patch::Reset;
    ok(alice.set(reset)).await;
    assert!(ok(alice.get()).await.unwrap().custom.is_empty());
}

#[tokio::test]
async fn set_name_null_is_rejected() {
    let town = Town::new().await;
    let alice = town.person("alice").await.current_user();
    let mut params = UserParams::default();
    params.name = Patch::Reset;
    assert_refused(alice.set(params), 400, "INVALID_NAME").await;
    assert_eq!(ok(alice.get()).await.unwrap().name, "ALICE");
}

/// The documentation does not restrict `set` to the current user, and the interface allows others.
#[tokio::test]
async fn set_may_be_made_for_others() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let bob = alice.user("bob").unwrap();
    ok(bob.set(UserParams::named("Bob"))).await;
    assert_eq!(ok(bob.get()).await.unwrap().name, "Bob");
}

#[tokio::test]
async fn create_if_not_exists_keeps_existing_user() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let bob = alice.user("bob").unwrap();
    ok(bob.create_if_not_exists(UserParams::named("Bob"))).await;
    ok(bob.create_if_not_exists(UserParams::named("Robert").locale("en"))).await;
    let seen = ok(bob.get()).await.unwrap();
    assert_eq!((seen.name.as_str(), seen.locale.as_deref()), ("Bob", None));
}

#[tokio::test]
async fn create_if_not_exists_needs_a_name() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let bob = alice.user("bob").unwrap();
    let call = bob.create_if_not_exists(UserParams::default());
    assert_refused(call, 400, "INVALID_NAME").await;
}

#[tokio::test]
async fn subscribe_emits_null_then_creation_then_changes() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let bob = alice.user("bob").unwrap();
    let mut seen = bob.subscribe();
    shown(&mut seen, Option::is_none).await;
    ok(bob.set(UserParams::named("Bob"))).await;
    let named = |name: &'static str| {
        move |user: &Option<std::sync::Arc<talk_tokio::User>>| {
            user.as_ref().is_some_and(|user| user.name == name)
        }
    };
    shown(&mut seen, named("Bob")).await;
    ok(bob.set(UserParams::named("Robert"))).await;
    shown(&mut seen, named("Robert")).await;
}

#[tokio::test]
async fn subscribe_online_emits_user_changes() {
    let town = Town::new().await;
    let alice = town.person("alice").await;
    let bob = alice.user("bob").unwrap();
    let mut seen = bob.subscribe_online();
    shown(&mut seen, Option::is_none).await;

    ok(bob.set(UserParams::named("Bob"))).await;
    let bob_is = |name: &'static str, connected: bool| {
        move |seen: &Option<std::sync::Arc<talk_tokio::OnlineSnapshot>>| {
            seen.as_ref()
                .is_some_and(|bob| bob.user.name == name && bob.is_connected == connected)
        }
    };
    shown(&mut seen, bob_is("Bob", false)).await;
    let of_bob = town.stranger("bob");
    let me = of_bob.current_user().subscribe();
    shown(&mut seen, bob_is("Bob", true)).await;
    ok(bob.set(UserParams::named("Robert"))).await;
    shown(&mut seen, bob_is("Robert", true)).await;
    drop(me);
    of_bob.shutdown().await;
    shown(&mut seen, bob_is("Robert", false)).await;
}
