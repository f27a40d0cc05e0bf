//! MessageRef.

use talk_tokio::{ContentBlock, EditMessage, Patch, SendMessage, TextNode};

use super::support::{Town, assert_refused, ok, say};

#[tokio::test]
async fn get_absent_message_or_conversation_is_none() {
    let (_town, pair) = Town::with_pair().await;
    let absent = pair.alice.message("msg_nowhere").unwrap();
    assert_eq!(ok(absent.get()).await, None);
    let nowhere = pair.of_alice.conversation("nowhere").unwrap();
    assert_eq!(ok(nowhere.message("msg_1").unwrap().get()).await, None);
}

#[tokio::test]
async fn get_includes_the_quoted_message() {
    let (_town, pair) = Town::with_pair().await;
    let first = say(&pair.alice, "first").await;
    let second = SendMessage::text("second").reply_to(first.id().clone());
    let second = ok(pair.bob.send(second)).await;
    let third = SendMessage::text("third").reply_to(second.id().clone());
    let third = ok(pair.alice.send(third)).await;

    let seen = ok(third.get()).await.unwrap();
    let quoted = seen.referenced_message.as_ref().unwrap();
    assert_eq!(&quoted.id, second.id());
    assert_eq!(quoted.sender.as_ref().unwrap().name, "BOB");
    assert_eq!(
        quoted.referenced_message_id.as_ref(),
        Some(first.id()),
        "one level only"
    );
}

#[tokio::test]
async fn edit_reads_text_as_markup_and_replaces_the_content() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    assert_eq!(ok(message.get()).await.unwrap().edited_at, None);
    ok(message.edit("Hello *you*")).await;
    let seen = ok(message.get()).await.unwrap();
    let expected = ContentBlock::text([
        TextNode::text("Hello "),
        TextNode::bold([TextNode::text("you")]),
    ]);
    assert_eq!(*seen.content, [expected]);
    assert!(seen.edited_at.is_some());
}

#[tokio::test]
async fn edit_patches_custom_data_key_by_key() {
    let (_town, pair) = Town::with_pair().await;
    let sent = SendMessage::text("hi").custom("a", "1").custom("b", "2");
    let message = ok(pair.alice.send(sent)).await;
    let mut edit = EditMessage::default().custom("a", "3");
    let Patch::Set(keys) = &mut edit.custom else {
        panic!("one key is set");
    };
    keys.insert("b".to_owned(), None);
    ok(message.edit(edit)).await;
    let seen = ok(message.get()).await.unwrap();
    assert_eq!(
        (seen.custom.get("a"), seen.custom.get("b")),
        (Some("3"), None)
    );
    assert_eq!((seen.plaintext().as_str(), seen.edited_at), ("hi", None));
}

#[tokio::test]
async fn edit_can_change_the_kind_of_content() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let place = ContentBlock::location(1.5, 2.5);
    ok(message.edit(EditMessage::content([place.clone()]))).await;
    assert_eq!(*ok(message.get()).await.unwrap().content, [place]);
}

#[tokio::test]
async fn edit_invalid_content_is_rejected() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let nowhere = EditMessage::content([ContentBlock::location(91.0, 0.0)]);
    assert_refused(message.edit(nowhere), 400, "INVALID_CONTENT").await;
    assert_eq!(ok(message.get()).await.unwrap().plaintext(), "hi");
}

#[tokio::test]
async fn edit_and_delete_without_permission_are_rejected() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let of_bob = pair.bob.message(message.id()).unwrap();
    assert_refused(of_bob.edit("mine"), 403, "FORBIDDEN_BY_ROLE").await;
    assert_refused(of_bob.delete(), 403, "FORBIDDEN_BY_ROLE").await;
}

#[tokio::test]
async fn delete_message_leaves_null_in_quotes() {
    let (_town, pair) = Town::with_pair().await;
    let question = say(&pair.alice, "Tea?").await;
    let answer = SendMessage::text("Yes").reply_to(question.id().clone());
    let answer = ok(pair.bob.send(answer)).await;
    ok(question.delete()).await;
    assert_eq!(ok(question.get()).await, None);
    assert_eq!(
        ok(answer.get()).await.unwrap().referenced_message.as_ref(),
        None
    );
}

#[tokio::test]
async fn translate_returns_content_and_plaintext() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi *there*").await;
    let translation = ok(message.translate("es")).await.unwrap();
    assert_eq!(translation.plaintext, "[es] hi there");
    assert_eq!(translation.content.len(), 1);
}

#[tokio::test]
async fn translate_absent_message_is_none() {
    let (_town, pair) = Town::with_pair().await;
    let absent = pair.alice.message("msg_nowhere").unwrap();
    assert_eq!(ok(absent.translate("es")).await, None);
}

#[tokio::test]
async fn translate_keeps_other_blocks() {
    let (_town, pair) = Town::with_pair().await;
    let place = ContentBlock::location(1.5, 2.5);
    let message = ok(pair.alice.send(SendMessage::content([place.clone()]))).await;
    let translation = ok(message.translate("es")).await.unwrap();
    assert_eq!(*translation.content, [place]);
}

#[tokio::test]
async fn translate_keeps_region_of_traditional_chinese_only() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    for (language, mark) in [("en-US", "[en]"), ("zh-TW", "[zh-TW]"), ("zh-CN", "[zh]")] {
        let translation = ok(message.translate(language)).await.unwrap();
        assert_eq!(translation.plaintext, format!("{mark} hi"));
    }
}

#[tokio::test]
async fn translate_by_non_participant_is_rejected() {
    let (town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    let carol = town.person("carol").await.conversation("c").unwrap();
    let message = carol.message(message.id()).unwrap();
    assert_refused(message.translate("es"), 403, "NOT_A_PARTICIPANT").await;
}

#[tokio::test]
async fn translate_without_plan_feature_is_rejected() {
    let (town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    town.set(|settings| settings.limits.translation = false)
        .await;
    assert_refused(message.translate("es"), 403, "TRANSLATION_NOT_AVAILABLE").await;
}
