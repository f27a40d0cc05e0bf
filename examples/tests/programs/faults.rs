//! An example of a test suite for a program on Talk: the bot, while the service fails.

use talk_emulator::server::{Fault, FaultKind};
use talk_emulator::{Emulator, Seed};
use talk_tokio::store::MemoryStore;
use talk_tokio::{ConversationRef, Session, get_talk_session};
use tokio::task::JoinHandle;

use super::{options, support_bot, wait_for_messages, within};

/// Returns a fault that affects the bot's next message.
fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind)
        .user("support_bot")
        .path("/conversations/lobby/messages")
}

/// An emulator, the conversation as another user, and the store of the bot.
struct Town {
    emulator: Emulator,
    alice: ConversationRef,
    store: MemoryStore,
}

impl Town {
    async fn new() -> Self {
        let seed = Seed::new("my_app")
            .user("alice", "Alice")
            .user("support_bot", "Support")
            .conversation("lobby", ["alice", "support_bot"]);
        let emulator = Emulator::builder().initial_data(seed).start();
        let emulator = emulator.await.unwrap();
        let alice = get_talk_session(options(&emulator, "alice")).unwrap();
        Self {
            alice: alice.conversation("lobby").unwrap(),
            store: MemoryStore::default(),
            emulator,
        }
    }

    /// Starts the bot, and waits until it is connected.
    async fn bot(&self) -> (Session, JoinHandle<()>) {
        let options = options(&self.emulator, "support_bot").store(self.store.clone());
        let session = get_talk_session(options).unwrap();
        within(session.connected()).await.unwrap();
        let bot = session.clone();
        let running = tokio::spawn(async move { drop(support_bot::run(bot).await) });
        (session, running)
    }

    async fn ask(&self, texts: &[&str]) {
        for text in texts {
            within(self.alice.send(*text)).await.unwrap();
        }
    }

    /// Asserts that each question is answered once and in order.
    async fn is_answered(&self, questions: usize) {
        wait_for_messages(&self.emulator, 2 * questions).await;
        let messages = self.emulator.messages("my_app", "lobby").await.unwrap();
        let (answers, questions): (Vec<_>, Vec<_>) = messages
            .iter()
            .partition(|message| message.referenced_message_id.is_some());
        let questions: Vec<_> = questions.iter().map(|message| &message.id).collect();
        let answered = answers.iter().map(|it| it.referenced_message_id.as_ref());
        let answered: Vec<_> = answered.flatten().collect();
        assert_eq!(questions, answered);
    }
}

#[tokio::test]
async fn bot_answers_questions_from_before_its_start() {
    let town = Town::new().await;
    town.ask(&["Hello?", "Are you OPEN today?"]).await;
    let _bot = town.bot().await;
    town.is_answered(2).await;
    let messages = town.emulator.messages("my_app", "lobby").await.unwrap();
    let texts: Vec<_> = messages.iter().map(|it| it.plaintext()).collect();
    assert!(texts.contains(&"We are open from 9 to 17.".to_owned()));
}

#[tokio::test]
async fn bot_lost_answer_is_not_sent_twice() {
    let town = Town::new().await;
    let _bot = town.bot().await;
    town.emulator.inject(fault(FaultKind::Drop)).await.unwrap();
    town.ask(&["one", "two"]).await;
    town.is_answered(2).await;
}

#[tokio::test]
async fn bot_refused_for_now_answers_later() {
    let town = Town::new().await;
    let _bot = town.bot().await;
    for kind in [FaultKind::TooManyRequests, FaultKind::InternalError] {
        town.emulator.inject(fault(kind)).await.unwrap();
    }
    town.ask(&["one", "two"]).await;
    town.is_answered(2).await;
}

#[tokio::test]
async fn bot_survives_a_restart_of_the_service() {
    let town = Town::new().await;
    let _bot = town.bot().await;
    town.emulator.restart(false).await.unwrap();
    town.ask(&["one", "two"]).await;
    town.is_answered(2).await;
}

#[tokio::test]
async fn bot_survives_an_expired_token() {
    let town = Town::new().await;
    let _bot = town.bot().await;
    town.emulator.expire_tokens().await.unwrap();
    town.ask(&["one", "two"]).await;
    town.is_answered(2).await;
}

#[tokio::test]
async fn bot_continues_after_its_own_restarts() {
    let town = Town::new().await;
    // More than a page of messages, while the bot stops and starts.
    for round in 0..4 {
        let (session, running) = town.bot().await;
        for number in 0..10 {
            town.ask(&[&format!("{round}.{number}")]).await;
        }
        running.abort();
        within(session.shutdown()).await;
    }
    let _bot = town.bot().await;
    town.is_answered(40).await;
}
