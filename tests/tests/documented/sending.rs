//! Sending.

use talk_tokio::{
    ContentBlock, MessageId, MessageType, Origin, SendMessage, TextNode, TypingSnapshot,
};

use super::support::{Town, assert_refused, ok, say, shown};

#[tokio::test]
async fn send_string_is_read_as_markup() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "Hello *world*").await;
    let seen = ok(message.get()).await.unwrap();
    let expected = ContentBlock::text([
        TextNode::text("Hello "),
        TextNode::bold([TextNode::text("world")]),
    ]);
    assert_eq!(*seen.content, [expected]);
}

#[tokio::test]
async fn send_text_keeps_custom_data_and_quote() {
    let (_town, pair) = Town::with_pair().await;
    let question = say(&pair.alice, "Tea?").await;
    let answer = SendMessage::text("Yes")
        .custom("mood", "good")
        .reply_to(question.id().clone());
    let answer = ok(pair.bob.send(answer)).await;
    let seen = ok(answer.get()).await.unwrap();
    assert_eq!(seen.custom.get("mood"), Some("good"));
    let quoted = seen.referenced_message.as_ref().unwrap();
    assert_eq!(
        (&quoted.id, quoted.plaintext()),
        (question.id(), "Tea?".to_owned())
    );
    assert_eq!(quoted.sender.as_ref().unwrap().name, "ALICE");
}

#[tokio::test]
async fn send_content_is_unchanged() {
    let (_town, pair) = Town::with_pair().await;
    let place = ContentBlock::location(52.37, 4.9);
    let sent = SendMessage::content([place.clone()]);
    let message = ok(pair.alice.send(sent)).await;
    assert_eq!(*ok(message.get()).await.unwrap().content, [place]);
    let literal = ContentBlock::text([TextNode::text("not *bold*")]);
    let sent = SendMessage::content([literal.clone()]);
    let message = ok(pair.alice.send(sent)).await;
    assert_eq!(*ok(message.get()).await.unwrap().content, [literal]);
}

#[tokio::test]
async fn send_content_needs_one_block() {
    let (_town, pair) = Town::with_pair().await;
    let none = SendMessage::content([]);
    assert_refused(pair.alice.send(none), 400, "INVALID_CONTENT").await;
    let place = ContentBlock::location(1.0, 2.0);
    let two = SendMessage::content([place.clone(), place]);
    assert_refused(pair.alice.send(two), 400, "INVALID_CONTENT").await;
}

#[tokio::test]
async fn send_received_file_is_accepted() {
    let (_town, pair) = Town::with_pair().await;
    let token = ok(pair.of_alice.upload_image(vec![1, 2, 3], "cat.png")).await;
    let sent = SendMessage::content([ContentBlock::file(token.as_str())]);
    let message = ok(pair.alice.send(sent)).await;
    let received = ok(pair.bob.message(message.id()).unwrap().get())
        .await
        .unwrap();
    let again = SendMessage::content(received.content.to_vec());
    let again = ok(pair.bob.send(again)).await;
    assert_eq!(ok(again.get()).await.unwrap().content, received.content);
}

#[tokio::test]
async fn send_quote_of_absent_message_is_refused() {
    let (_town, pair) = Town::with_pair().await;
    let reply = SendMessage::text("Yes").reply_to(MessageId::new("msg_nowhere").unwrap());
    assert_refused(pair.alice.send(reply), 400, "INVALID_REFERENCED_MESSAGE").await;
}

#[tokio::test]
async fn send_reply_to_system_message_is_refused() {
    let (town, pair) = Town::with_pair().await;
    let system = town.say_as_app("Your order has shipped").await;
    let seen = ok(pair.alice.message(system.clone()).unwrap().get())
        .await
        .unwrap();
    assert_eq!(seen.message_type, MessageType::SystemMessage);
    assert!(seen.sender.as_ref().is_none());
    let reply = SendMessage::text("Thanks").reply_to(system);
    assert_refused(pair.alice.send(reply), 400, "INVALID_REFERENCED_MESSAGE").await;
}

fn typing_is(count: usize) -> impl Fn(&Option<TypingSnapshot>) -> bool {
    move |seen| matches!(seen, Some(TypingSnapshot::Few(users)) if users.len() == count)
}

#[tokio::test]
async fn send_clears_own_typing() {
    let (_town, pair) = Town::with_pair().await;
    let mut typing = pair.bob.subscribe_typing();
    shown(&mut typing, typing_is(0)).await;
    ok(pair.alice.mark_as_typing()).await;
    shown(&mut typing, typing_is(1)).await;
    say(&pair.alice, "done").await;
    shown(&mut typing, typing_is(0)).await;
}

#[tokio::test]
async fn send_origin_is_rest() {
    let (_town, pair) = Town::with_pair().await;
    let message = say(&pair.alice, "hi").await;
    assert_eq!(ok(message.get()).await.unwrap().origin, Origin::Rest);
}
