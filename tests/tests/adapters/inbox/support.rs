//! An emulator with the users `bot` and `bob`.

use futures_util::StreamExt;
use talk_client::inbox::{Delivery, Inbox, InboxStart};
use talk_client::outbox::OutboxOptions;
use talk_client::store::Store;
use talk_client::{Session, TalkOptions};
use talk_emulator::{Emulator, Seed};

use crate::adapters::adapter::Adapter;

pub(super) struct Town {
    pub(super) emulator: Emulator,
}

impl Town {
    /// Creates the conversations `a` and `b`.
    pub(super) fn new() -> Self {
        let seed = Seed::new("app")
            .user("bot", "Bot")
            .user("bob", "Bob")
            .conversation("a", ["bot", "bob"])
            .conversation("b", ["bot", "bob"]);
        let emulator = Emulator::builder().initial_data(seed).start_blocking();
        Self {
            emulator: emulator.unwrap(),
        }
    }

    pub(super) fn options(&self, user: &str) -> TalkOptions {
        let options = TalkOptions::new("app", user).unwrap();
        options.host(self.emulator.host()).force_new()
    }

    /// Opens a session whose outbox and inboxes live in memory.
    pub(super) fn bot<A: Adapter>(&self) -> Session {
        A::session(self.options("bot").outbox(OutboxOptions::default()))
    }

    /// Opens a session with a store.
    pub(super) fn stored<A: Adapter>(&self, store: impl Store) -> Session {
        A::session(self.options("bot").store(store))
    }

    /// Writes messages of Bob.
    pub(super) async fn ask<A: Adapter>(&self, conversation: &str, texts: &[&str]) {
        let bob = A::session(self.options("bob"));
        for text in texts {
            let conversation = bob.conversation(conversation).unwrap();
            conversation.send(*text).await.unwrap();
        }
        bob.shutdown().await;
    }

    /// Waits until the bot has written `count` messages, and returns their texts, oldest first.
    pub(super) async fn answers(&self, conversation: &str, count: usize) -> Vec<String> {
        let id = conversation.to_owned();
        let there = self.emulator.wait_for(move |server| {
            let messages = server.messages("app", &id);
            messages
                .iter()
                .filter(|it| is_of_bot(it.sender_id.as_ref()))
                .count()
                >= count
        });
        there.await.unwrap();
        let messages = self.emulator.messages("app", conversation).await.unwrap();
        let messages = messages
            .iter()
            .filter(|it| is_of_bot(it.sender_id.as_ref()));
        messages.map(|message| message.plaintext()).collect()
    }
}

fn is_of_bot(sender: Option<&talk_client::UserId>) -> bool {
    sender.is_some_and(|sender| sender.as_str() == "bot")
}

/// Opens an inbox that delivers all messages.
pub(super) async fn open(session: &Session) -> Inbox {
    let inbox = session.inbox("in").start(InboxStart::Beginning);
    inbox.open().await.unwrap()
}

pub(super) async fn next(inbox: &mut Inbox) -> Delivery {
    inbox.next().await.unwrap()
}

pub(super) fn text(delivery: &Delivery) -> String {
    delivery.message.plaintext()
}
