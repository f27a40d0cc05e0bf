//! An example of a test suite for a program on Talk: the bot, while the service fails.

use talk_emulator::Emulator;
use talk_emulator::server::{Fault, FaultKind};
use talk_tokio::{ConversationRef, get_talk_session};

use crate::{echo_bot, emulator, options, texts, wait_for_messages, wait_until_started, within};

/// Returns a fault that affects the bot's next message.
pub(crate) fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind)
        .user("echo_bot")
        .path("/conversations/lobby/messages")
}

/// Starts the bot. Returns its emulator and the conversation as another user.
async fn bot() -> (Emulator, ConversationRef) {
    let emulator = emulator().await;
    let bot = get_talk_session(options(&emulator, "echo_bot")).unwrap();
    let lobby = bot.conversation("lobby").unwrap();
    tokio::spawn(async move { echo_bot::run(&bot, &lobby).await });
    wait_until_started(&emulator).await;
    let alice = get_talk_session(options(&emulator, "alice")).unwrap();
    (emulator, alice.conversation("lobby").unwrap())
}

/// Sends two messages to the bot and asserts that each is answered once.
async fn is_answered_once(emulator: &Emulator, alice: &ConversationRef) {
    for text in ["one", "two"] {
        within(alice.send(text)).await.unwrap();
    }
    wait_for_messages(emulator, 4).await;
    let mut texts = texts(emulator).await;
    texts.sort_unstable();
    assert_eq!(texts, ["one", "one", "two", "two"]);
}

#[tokio::test]
async fn bot_lost_answer_is_not_sent_twice() {
    let (emulator, alice) = bot().await;
    emulator.inject(fault(FaultKind::Drop)).await.unwrap();
    is_answered_once(&emulator, &alice).await;
}

#[tokio::test]
async fn bot_refused_for_now_answers_later() {
    let (emulator, alice) = bot().await;
    for kind in [FaultKind::TooManyRequests, FaultKind::InternalError] {
        emulator.inject(fault(kind)).await.unwrap();
    }
    is_answered_once(&emulator, &alice).await;
}

#[tokio::test]
async fn bot_survives_a_restart() {
    let (emulator, alice) = bot().await;
    emulator.restart(false).await.unwrap();
    is_answered_once(&emulator, &alice).await;
}

#[tokio::test]
async fn bot_survives_an_expired_token() {
    let (emulator, alice) = bot().await;
    emulator.expire_tokens().await.unwrap();
    is_answered_once(&emulator, &alice).await;
}
