//! An emulator, and people who use it.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use talk_emulator::Emulator;
use talk_emulator::server::Settings;
use talk_tokio::{
    ConversationRef, Error, MessageId, MessageRef, Session, Subscription, TalkOptions, UserParams,
    get_talk_session,
};

/// An emulator with the documented defaults.
pub(crate) struct Town {
    emulator: Emulator,
}

/// Alice's and Bob's views of the conversation `c`, which Alice has created and both are in.
pub(crate) struct Pair {
    pub(crate) alice: ConversationRef,
    pub(crate) bob: ConversationRef,
    pub(crate) of_alice: Session,
    pub(crate) of_bob: Session,
}

impl Town {
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::start().await.unwrap();
        Self { emulator }
    }

    /// Two who are in a conversation, in a town of their own.
    pub(crate) async fn with_pair() -> (Self, Pair) {
        let town = Self::new().await;
        let pair = town.pair().await;
        (town, pair)
    }

    /// Somebody who has not been created.
    pub(crate) fn stranger(&self, id: &str) -> Session {
        let options = TalkOptions::new("app", id).unwrap();
        get_talk_session(options.host(self.emulator.host())).unwrap()
    }

    /// Somebody who exists, named like their ID in capitals.
    pub(crate) async fn person(&self, id: &str) -> Session {
        let session = self.stranger(id);
        let params = UserParams::named(id.to_uppercase());
        ok(session.current_user().set(params)).await;
        session
    }

    pub(crate) async fn pair(&self) -> Pair {
        let of_alice = self.person("alice").await;
        let of_bob = self.person("bob").await;
        let alice = of_alice.conversation("c").unwrap();
        ok(alice.create_if_not_exists(Default::default())).await;
        add(&alice, "bob").await;
        let bob = of_bob.conversation("c").unwrap();
        Pair {
            alice,
            bob,
            of_alice,
            of_bob,
        }
    }

    /// The app says something in the conversation `c`.
    pub(crate) async fn say_as_app(&self, text: &str) -> MessageId {
        let posted = self.emulator.post_system_message("app", "c", text).await;
        let id = posted.unwrap().expect("the conversation exists");
        id.try_into().unwrap()
    }

    /// Changes the settings from here on.
    pub(crate) async fn set(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.emulator.settings().await.unwrap();
        change(&mut settings);
        self.emulator.set_settings(settings).await.unwrap();
    }

    /// Turns client-side user syncing off.
    pub(crate) async fn without_user_sync(&self) {
        self.set(|settings| settings.sync.users = false).await;
    }

    /// Turns client-side conversation syncing off.
    pub(crate) async fn without_conversation_sync(&self) {
        self.set(|settings| settings.sync.conversations = false)
            .await;
    }
}

/// Adds a user to a conversation.
pub(crate) async fn add(conversation: &ConversationRef, user: &str) {
    let participant = conversation.participant(user).unwrap();
    ok(participant.create_if_not_exists(Default::default())).await;
}

/// Sends a text.
pub(crate) async fn say(conversation: &ConversationRef, text: &str) -> MessageRef {
    ok(conversation.send(text)).await
}

/// Nothing here takes long. What hangs is to fail instead.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("it takes for ever")
}

/// What a call that succeeds is answered with.
pub(crate) async fn ok<T>(call: impl Future<Output = Result<T, Error>>) -> T {
    within(call).await.unwrap()
}

/// The status and the code with which the server refuses.
pub(crate) async fn refused<T: Debug>(
    call: impl Future<Output = Result<T, Error>>,
) -> (u16, String) {
    match within(call).await {
        Err(Error::Server(refused)) => (refused.status, refused.error_code),
        other => panic!("no refusal but {other:?}"),
    }
}

/// Asserts that the server refuses with this status and code.
pub(crate) async fn assert_refused<T: Debug>(
    call: impl Future<Output = Result<T, Error>>,
    status: u16,
    code: &str,
) {
    assert_eq!(refused(call).await, (status, code.to_owned()));
}

/// The next snapshot that is wanted.
pub(crate) async fn shown<S: Clone + PartialEq + Debug>(
    subscription: &mut Subscription<S>,
    wanted: impl Fn(&S) -> bool,
) -> S {
    let search = async {
        while let Some(update) = subscription.next().await {
            if wanted(&update.snapshot) {
                return Some(update.snapshot);
            }
        }
        None
    };
    within(search).await.expect("the subscription has ended")
}
