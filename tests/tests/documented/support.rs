//! An emulator and its users.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use talk_emulator::server::Settings;
use talk_emulator::{Emulator, Seed};
use talk_tokio::{
    ConversationRef, Error, MessageId, MessageRef, Session, Subscription, TalkOptions, UserParams,
    get_talk_session,
};

/// An emulator with the documented defaults.
pub(crate) struct Town {
    emulator: Emulator,
}

/// Alice's and Bob's views of the conversation `c`. Alice has created it, and both are
/// participants.
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

    /// Starts an emulator with initial data.
    pub(crate) async fn with_data(data: Seed) -> Self {
        let emulator = Emulator::builder()
            .initial_data(data)
            .start()
            .await
            .unwrap();
        Self { emulator }
    }

    /// Waits until the emulator has received `count` requests with this path.
    pub(crate) async fn received(&self, path: &'static str, count: usize) {
        let received = self.emulator.wait_for(move |server| {
            let requests = server.received_requests();
            requests.filter(|request| request.path == path).count() >= count
        });
        within(received).await.unwrap();
    }

    pub(crate) fn options(&self, user: &str) -> TalkOptions {
        let options = TalkOptions::new("app", user).unwrap();
        options.host(self.emulator.host())
    }

    /// Starts an emulator with two users in a conversation.
    pub(crate) async fn with_pair() -> (Self, Pair) {
        let town = Self::new().await;
        let pair = town.pair().await;
        (town, pair)
    }

    /// Returns the session of a user that has not been created.
    pub(crate) fn stranger(&self, id: &str) -> Session {
        get_talk_session(self.options(id)).unwrap()
    }

    /// Creates a user whose name is the ID in capital letters.
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

    /// Posts a system message in the conversation `c`.
    pub(crate) async fn say_as_app(&self, text: &str) -> MessageId {
        let posted = self.emulator.post_system_message("app", "c", text).await;
        let id = posted.unwrap().expect("the conversation exists");
        id.try_into().unwrap()
    }

    /// Changes the settings.
    pub(crate) async fn set(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.emulator.settings().await.unwrap();
        change(&mut settings);
        self.emulator.set_settings(settings).await.unwrap();
    }

    /// Disables client-side user syncing.
    pub(crate) async fn without_user_sync(&self) {
        self.set(|settings| settings.sync.users = false).await;
    }

    /// Disables client-side conversation syncing.
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

/// Sends a message.
pub(crate) async fn say(conversation: &ConversationRef, text: &str) -> MessageRef {
    ok(conversation.send(text)).await
}

/// Awaits a future with a time limit, so that a hang fails the test.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("the time limit has passed")
}

/// Returns the result of a call that must succeed.
pub(crate) async fn ok<T>(call: impl Future<Output = Result<T, Error>>) -> T {
    within(call).await.unwrap()
}

/// Returns the status and code of a server error.
pub(crate) async fn refused<T: Debug>(
    call: impl Future<Output = Result<T, Error>>,
) -> (u16, String) {
    match within(call).await {
        Err(Error::Server(refused)) => (refused.status, refused.error_code),
        other => panic!("no refusal but {other:?}"),
    }
}

/// Asserts that the server refuses a call with this status and code.
pub(crate) async fn assert_refused<T: Debug>(
    call: impl Future<Output = Result<T, Error>>,
    status: u16,
    code: &str,
) {
    assert_eq!(refused(call).await, (status, code.to_owned()));
}

/// Returns the next snapshot that satisfies `wanted`.
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
