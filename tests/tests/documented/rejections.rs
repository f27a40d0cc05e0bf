//! The table of rejections: each test covers a row, and its name states the trigger and the effect.

use talk_tokio::{
    ContentBlock, ConversationParams, Notify, ParticipantParams, SendMessage, TextNode, UserParams,
};

use super::support::{Town, assert_refused, ok, say};

#[tokio::test]
async fn set_new_user_without_name_is_rejected() {
    let town = Town::new().await;
    let alice = town.stranger("alice").current_user();
    assert_refused(
        alice.set(UserParams::default().locale("nl")),
        400,
        "INVALID_NAME",
    )
    .await;
    assert_eq!(ok(alice.get()).await, None);
}

#[tokio::test]
async fn sync_off_rejects_gated_writes() {
    let (town, pair) = Town::with_pair().await;
    town.person("carol").await;
    town.without_user_sync().await;
    town.without_conversation_sync().await;
    let code = "CLIENT_SIDE_SYNC_DISABLED";
    let alice = pair.of_alice.current_user();
    assert_refused(alice.set(UserParams::named("A")), 403, code).await;
    let nobody = pair.of_alice.user("nobody").unwrap();
    let call = nobody.create_if_not_exists(UserParams::named("N"));
    assert_refused(call, 403, code).await;

    let code = "UNAUTHORIZED_TO_EDIT";
    let subject = ConversationParams::default().subject("S");
    assert_refused(pair.alice.set(subject), 403, code).await;
    let new = pair.of_alice.conversation("new").unwrap();
    assert_refused(new.create_if_not_exists(Default::default()), 403, code).await;

    let code = "UNAUTHORIZED_TO_EDIT_PARTICIPANT";
    let params = ParticipantParams::default;
    let carol = pair.alice.participant("carol").unwrap();
    assert_refused(carol.set(params()), 403, code).await;
    assert_refused(carol.create_if_not_exists(params()), 403, code).await;
    let bob = pair.alice.participant("bob").unwrap();
    assert_refused(bob.edit(params().notify(Notify::Never)), 403, code).await;
    assert_refused(bob.delete(), 403, code).await;
}

#[tokio::test]
async fn sync_off_allows_creates_without_effect() {
    let (town, pair) = Town::with_pair().await;
    town.without_user_sync().await;
    town.without_conversation_sync().await;
    let bob = pair.of_alice.user("bob").unwrap();
    ok(bob.create_if_not_exists(UserParams::named("B"))).await;
    ok(pair.alice.create_if_not_exists(Default::default())).await;
    let bob = pair.alice.participant("bob").unwrap();
    ok(bob.create_if_not_exists(Default::default())).await;
}

#[tokio::test]
async fn get_participant_as_outsider_is_rejected() {
    let (town, _pair) = Town::with_pair().await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    let bob = carol.participant("bob").unwrap();
    assert_refused(bob.get(), 403, "NOT_A_PARTICIPANT").await;
    let seen = bob.subscribe();
    assert_eq!(
        ok(seen.connected()).await,
        None,
        "a subscription shows null"
    );
}

#[tokio::test]
async fn get_as_outsider_is_null() {
    let (town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    assert_eq!(ok(carol.get()).await, None);
    assert_eq!(ok(carol.message(message.id()).unwrap().get()).await, None);
}

#[tokio::test]
async fn mark_as_read_as_outsider_is_rejected() {
    let (town, _pair) = Town::with_pair().await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    assert_refused(carol.mark_as_read(), 403, "NOT_A_PARTICIPANT").await;
    assert_refused(carol.mark_as_unread(), 403, "NOT_A_PARTICIPANT").await;
}

#[tokio::test]
async fn edit_non_participant_is_rejected() {
    let (town, pair) = Town::with_pair().await;
    town.person("carol").await;
    let carol = pair.alice.participant("carol").unwrap();
    let call = carol.edit(ParticipantParams::default().notify(Notify::Never));
    assert_refused(call, 404, "PARTICIPANT_NOT_FOUND").await;
}

#[tokio::test]
async fn absent_message_edit_fails_and_delete_succeeds() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    ok(message.delete()).await;
    assert_refused(message.edit("there"), 404, "MESSAGE_NOT_FOUND").await;
    ok(message.delete()).await;
}

#[tokio::test]
async fn delete_message_as_outsider_is_rejected() {
    let (town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    let message = carol.message(message.id()).unwrap();
    assert_refused(message.delete(), 403, "NOT_A_PARTICIPANT").await;
}

#[tokio::test]
async fn reaction_51st_emoji_is_rejected() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    for n in 0..50 {
        ok(message.reactions(format!(":e{n}:")).unwrap().add()).await;
    }
    let another = message.reactions(":e50:").unwrap();
    assert_refused(another.add(), 400, "INVALID_REACTION_LIMIT").await;
    let of_bob = pair.bob.message(message.id()).unwrap();
    ok(of_bob.reactions(":e7:").unwrap().add()).await;
}

#[tokio::test]
async fn invalid_emoji_is_rejected_on_add() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    for emoji in ["no emoji", "👍👍", ":", "::"] {
        let reaction = message.reactions(emoji).unwrap();
        assert_refused(reaction.add(), 400, "INVALID_EMOJI").await;
    }
}

#[tokio::test]
async fn link_and_action_nodes_are_rejected_by_default() {
    let (_town, pair) = Town::with_pair().await;
    let label = || [TextNode::text("here")];
    let nodes = [
        TextNode::link("https://example.com", label()),
        TextNode::action_link("go", Default::default(), label()),
        TextNode::action_button("go", Default::default(), label()),
    ];
    for node in nodes {
        let content = SendMessage::content([ContentBlock::text([node])]);
        assert_refused(pair.alice.send(content), 403, "FORBIDDEN_BY_ROLE").await;
    }
}

#[tokio::test]
async fn action_markup_in_string_is_literal() {
    let (_town, pair) = Town::with_pair().await;
    for text in ["<actionlink:go?a=b|Go>", "<actionbutton:go|Go>"] {
        let message = say(&pair.alice, text).await;
        assert_eq!(ok(message.get()).await.unwrap().plaintext(), text);
    }
    let message = say(&pair.alice, "see <https://example.com|here>").await;
    let seen = ok(message.get()).await.unwrap();
    assert!(seen.plaintext().contains("|here>"), "{}", seen.plaintext());
}

#[tokio::test]
async fn auto_link_with_other_url_is_rejected() {
    let (_town, pair) = Town::with_pair().await;
    for (url, text) in [
        ("https://evil.example", "example.com"),
        ("mailto:a@example.com", "b@example.com"),
        ("tel:+31612345678", "+31687654321"),
    ] {
        let node = TextNode::auto_link(url, text);
        let content = SendMessage::content([ContentBlock::text([node])]);
        assert_refused(pair.alice.send(content), 400, "INVALID_CONTENT").await;
    }
}

#[tokio::test]
async fn search_on_basic_plan_is_an_error() {
    let (town, pair) = Town::with_pair().await;
    town.set(|settings| settings.limits.search = false).await;
    let search = pair.of_alice.search_messages();
    let call = search.set_query("hi", None);
    assert_refused(call, 403, "SEARCH_NOT_AVAILABLE").await;
}

#[tokio::test]
async fn search_load_more_while_busy_is_ignored() {
    let (_town, pair) = Town::with_pair().await;
    for n in 0..20 {
        say(&pair.alice, &format!("hi {n}")).await;
    }
    let search = pair.of_alice.search_messages();
    assert!(ok(search.load_more(None)).await.results.is_empty());
    let (query, more) = tokio::join!(search.set_query("hi", None), search.load_more(50));
    assert_eq!(query.unwrap().results.len(), 3);
    assert!(more.unwrap().results.len() <= 3);
    let (first, second) = tokio::join!(search.load_more(5), search.load_more(10));
    assert_eq!(first.unwrap().results.len(), 8);
    assert!(second.unwrap().results.len() <= 8);
}

#[tokio::test]
async fn empty_id_fails_at_once() {
    let (_town, pair) = Town::with_pair().await;
    assert!(pair.of_alice.user("").is_err());
    assert!(pair.of_alice.conversation("").is_err());
    assert!(pair.alice.participant("").is_err());
    let message = pair.alice.message("msg_1").unwrap();
    assert!(pair.alice.message("").is_err());
    assert!(message.reactions("").is_err());
}

#[tokio::test]
async fn translate_absent_message_is_null() {
    let (_town, pair) = Town::with_pair().await;
    let absent = pair.alice.message("msg_nowhere").unwrap();
    assert_eq!(ok(absent.translate("es")).await, None);
    let nowhere = pair.of_alice.conversation("nowhere").unwrap();
    let message = nowhere.message("msg_1").unwrap();
    assert_refused(message.translate("es"), 404, "CONVERSATION_NOT_FOUND").await;
}
