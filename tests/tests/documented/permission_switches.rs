//! Permission switches: the calls that still work while a switch is off, and the effect of roles.

use std::collections::BTreeMap;

use talk_emulator::server::{Role, Scope};
use talk_tokio::{
    Access, ContentBlock, ConversationParams, Notify, ParticipantParams, SendMessage, TextNode,
    UserParams,
};

use super::support::{Town, assert_refused, ok, say};

#[tokio::test]
async fn users_can_be_read_while_user_sync_is_off() {
    let (town, pair) = Town::with_pair().await;
    town.without_user_sync().await;
    let bob = pair.of_alice.user("bob").unwrap();
    assert!(ok(bob.get()).await.is_some());
    assert!(ok(bob.subscribe().connected()).await.is_some());
    assert!(ok(bob.subscribe_online().connected()).await.is_some());
}

#[tokio::test]
async fn user_sync_off_rejects_only_absent_users() {
    let (town, pair) = Town::with_pair().await;
    town.without_user_sync().await;
    let params = || UserParams::named("N");
    ok(pair
        .of_alice
        .user("bob")
        .unwrap()
        .create_if_not_exists(params()))
    .await;
    let absent = pair.of_alice.user("nobody").unwrap();
    let call = absent.create_if_not_exists(params());
    assert_refused(call, 403, "CLIENT_SIDE_SYNC_DISABLED").await;
}

#[tokio::test]
async fn conversation_sync_off_allows_reads_and_sends() {
    let (town, pair) = Town::with_pair().await;
    town.without_conversation_sync().await;
    assert!(ok(pair.alice.get()).await.is_some());
    assert!(ok(pair.alice.subscribe().connected()).await.is_some());
    let message = say(&pair.alice, "hi").await;
    ok(message.edit("hello")).await;
    ok(message.reactions("👍").unwrap().add()).await;
    ok(pair.bob.mark_as_read()).await;
    ok(message.delete()).await;
}

#[tokio::test]
async fn conversation_sync_off_allows_own_notify_only() {
    let (town, pair) = Town::with_pair().await;
    town.without_conversation_sync().await;
    let params = ConversationParams::default;
    ok(pair.alice.set(params().notify(Notify::Never))).await;
    assert_eq!(ok(pair.alice.get()).await.unwrap().notify, Notify::Never);
    let me = pair.alice.participant("alice").unwrap();
    ok(me.edit(ParticipantParams::default().notify(Notify::Always))).await;
    ok(me.set(ParticipantParams::default().notify(Notify::MentionsOnly))).await;

    let code = "UNAUTHORIZED_TO_EDIT_PARTICIPANT";
    let call = pair.alice.set(params().access(Access::Read));
    assert_refused(call, 403, code).await;
    let call = me.edit(ParticipantParams::default().access(Access::Read));
    assert_refused(call, 403, code).await;
    let call = pair.alice.set(params().subject("S").notify(Notify::Never));
    assert_refused(call, 403, "UNAUTHORIZED_TO_EDIT").await;
}

#[tokio::test]
async fn conversation_sync_off_rejects_new_participants() {
    let (town, _pair) = Town::with_pair().await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    town.without_conversation_sync().await;
    let call = carol.set(ConversationParams::default().notify(Notify::Never));
    assert_refused(call, 403, "UNAUTHORIZED_TO_EDIT_PARTICIPANT").await;
    let call = carol.create_if_not_exists(Default::default());
    assert_refused(call, 403, "UNAUTHORIZED_TO_EDIT_PARTICIPANT").await;
    assert_eq!(ok(carol.get()).await, None);
}

/// Turns each permission off separately. Its calls must be refused, and all others must work.
#[tokio::test]
async fn role_permissions_are_enforced() {
    let (town, pair) = Town::with_pair().await;
    let forbid = |forbid: fn(&mut Role)| {
        town.set(move |settings| {
            let mut role = Role::default();
            forbid(&mut role);
            settings.roles = BTreeMap::from([("default".to_owned(), role)]);
        })
    };
    let code = "FORBIDDEN_BY_ROLE";
    let message = say(&pair.alice, "hi").await;
    let content = |block: ContentBlock| SendMessage::content([block]);
    let mention = || content(ContentBlock::text([TextNode::mention("bob", "BOB")]));
    let place = || content(ContentBlock::location(1.0, 2.0));
    let reply = || SendMessage::text("re").reply_to(message.id().clone());
    let voice = ok(pair.of_alice.upload_voice(vec![1], "v.ogg")).await;
    let voice = || content(ContentBlock::file(voice.as_str()));

    forbid(|role| role.mentions = false).await;
    assert_refused(pair.alice.send(mention()), 403, code).await;
    forbid(|role| role.location_sharing = false).await;
    assert_refused(pair.alice.send(place()), 403, code).await;
    ok(pair.alice.send(mention())).await;
    forbid(|role| role.voice_messages = false).await;
    assert_refused(pair.alice.send(voice()), 403, code).await;
    ok(pair.alice.send(place())).await;
    forbid(|role| role.file_sharing = false).await;
    let upload = pair.of_alice.upload_file(vec![1], "f.txt");
    assert_refused(upload, 403, code).await;
    forbid(|role| role.reply = false).await;
    assert_refused(pair.alice.send(reply()), 403, code).await;
    ok(pair.alice.send(voice())).await;
    forbid(|role| role.typing_indicators = false).await;
    assert_refused(pair.alice.mark_as_typing(), 403, code).await;
    ok(pair.alice.send(reply())).await;
    forbid(|role| role.edit_messages = Scope::None).await;
    assert_refused(message.edit("x"), 403, code).await;
    ok(pair.alice.mark_as_typing()).await;
    forbid(|role| role.delete_messages = Scope::None).await;
    assert_refused(message.delete(), 403, code).await;
    ok(message.edit("x")).await;
    forbid(|role| role.mark_unread = false).await;
    assert_refused(pair.alice.mark_as_unread(), 403, code).await;
    ok(message.delete()).await;
    forbid(|role| role.leave = false).await;
    let me = pair.alice.participant("alice").unwrap();
    assert_refused(me.delete(), 403, code).await;
    ok(pair.alice.mark_as_unread()).await;

    forbid(|role| role.online_status = false).await;
    let online = pair.of_alice.user("bob").unwrap().subscribe_online();
    assert_refused(online.connected(), 403, code).await;
    ok(me.delete()).await;
}
