//! ParticipantRef.

use std::sync::Arc;

use talk_tokio::{Access, Notify, ParticipantParams, ParticipantSnapshot, UserParams};

use super::support::{Town, add, assert_refused, ok, shown};

fn params() -> ParticipantParams {
    ParticipantParams::default()
}

#[tokio::test]
async fn get_non_participant_is_null() {
    let (town, pair) = Town::with_pair().await;
    town.person("carol").await;
    let carol = pair.alice.participant("carol").unwrap();
    assert_eq!(ok(carol.get()).await, None);
}

/// This only applies to the caller's own participation. `rejections` covers other participants.
#[tokio::test]
async fn get_self_as_outsider_is_null() {
    let (town, _pair) = Town::with_pair().await;
    let carol = town.person("carol").await;
    let me = carol.conversation("c").unwrap().participant("carol");
    assert_eq!(ok(me.unwrap().get()).await, None);
}

#[tokio::test]
async fn set_adds_with_defaults_then_changes_given_fields() {
    let (town, pair) = Town::with_pair().await;
    town.person("carol").await;
    let carol = pair.alice.participant("carol").unwrap();
    ok(carol.set(params().notify(Notify::MentionsOnly))).await;
    let seen = ok(carol.get()).await.unwrap();
    assert_eq!(
        (&seen.access, &seen.notify),
        (&Access::ReadWrite, &Notify::MentionsOnly)
    );
    ok(carol.set(params().access(Access::Read))).await;
    let seen = ok(carol.get()).await.unwrap();
    assert_eq!(
        (&seen.access, &seen.notify),
        (&Access::Read, &Notify::MentionsOnly)
    );
    assert_eq!(seen.user.name, "CAROL");
}

#[tokio::test]
async fn edit_changes_given_fields() {
    let (_town, pair) = Town::with_pair().await;
    let bob = pair.alice.participant("bob").unwrap();
    ok(bob.edit(params().access(Access::Read))).await;
    let seen = ok(bob.get()).await.unwrap();
    assert_eq!(
        (&seen.access, &seen.notify),
        (&Access::Read, &Notify::Always)
    );
}

#[tokio::test]
async fn create_if_not_exists_keeps_existing_participant() {
    let (town, pair) = Town::with_pair().await;
    town.person("carol").await;
    let carol = pair.alice.participant("carol").unwrap();
    ok(carol.create_if_not_exists(params())).await;
    let seen = ok(carol.get()).await.unwrap();
    assert_eq!(
        (&seen.access, &seen.notify),
        (&Access::ReadWrite, &Notify::Always)
    );
    ok(carol.create_if_not_exists(params().access(Access::Read))).await;
    assert_eq!(ok(carol.get()).await.unwrap().access, Access::ReadWrite);
}

#[tokio::test]
async fn set_absent_user_is_rejected() {
    let (_town, pair) = Town::with_pair().await;
    let nobody = pair.alice.participant("nobody").unwrap();
    assert_refused(nobody.create_if_not_exists(params()), 404, "USER_NOT_FOUND").await;
    assert_refused(nobody.set(params()), 404, "USER_NOT_FOUND").await;
}

#[tokio::test]
async fn delete_accepts_absent_and_keeps_user() {
    let (_town, pair) = Town::with_pair().await;
    let bob = pair.alice.participant("bob").unwrap();
    ok(bob.delete()).await;
    assert_eq!(ok(bob.get()).await, None);
    ok(bob.delete()).await;
    assert!(ok(pair.of_alice.user("bob").unwrap().get()).await.is_some());
}

#[tokio::test]
async fn subscribe_emits_join_changes_and_leave() {
    let (town, pair) = Town::with_pair().await;
    let of_carol = town.person("carol").await;
    let carol = pair.alice.participant("carol").unwrap();
    let mut seen = carol.subscribe();
    shown(&mut seen, Option::is_none).await;
    add(&pair.alice, "carol").await;
    shown(&mut seen, Option::is_some).await;
    ok(carol.edit(params().access(Access::Read))).await;
    let has = |access: Access, name: &'static str| {
        move |seen: &Option<Arc<ParticipantSnapshot>>| {
            seen.as_ref()
                .is_some_and(|carol| carol.access == access && carol.user.name == name)
        }
    };
    shown(&mut seen, has(Access::Read, "CAROL")).await;
    ok(of_carol.current_user().set(UserParams::named("Carola"))).await;
    shown(&mut seen, has(Access::Read, "Carola")).await;
    ok(carol.delete()).await;
    shown(&mut seen, Option::is_none).await;
}
