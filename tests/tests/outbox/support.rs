//! An emulator with Alice in the conversation `c`.

use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use talk_client::store::{Change, Lease, MemoryStore, Record, Store, StoreError, StoreKey};
use talk_client::transport::BoxFuture;
use talk_emulator::Emulator;
use talk_tokio::{ConversationRef, Session, TalkOptions, UserParams, get_talk_session};
use tokio::sync::Notify;

/// Waits for a future, and panics after 60 s.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(Duration::from_secs(60), future).await;
    result.unwrap_or_else(|_| panic!("the time limit has passed"))
}

pub(crate) struct Town {
    pub(crate) emulator: Emulator,
}

impl Town {
    /// Starts an emulator and creates the user and the conversation.
    pub(crate) async fn new() -> Self {
        let town = Self {
            emulator: Emulator::start().await.unwrap(),
        };
        let session = get_talk_session(town.options()).unwrap();
        let params = UserParams::named("Alice");
        within(session.current_user().set(params)).await.unwrap();
        let conversation = session.conversation("c").unwrap();
        within(conversation.create_if_not_exists(Default::default()))
            .await
            .unwrap();
        session.shutdown().await;
        town
    }

    pub(crate) fn options(&self) -> TalkOptions {
        let options = TalkOptions::new("app", "alice").unwrap();
        options.host(self.emulator.host()).force_new()
    }

    pub(crate) fn session(&self, store: impl Store) -> (Session, ConversationRef) {
        open(self.options().store(store))
    }

    /// Opens a session that has the lock of the store, with the entry `one`.
    pub(crate) async fn holder(&self, store: impl Store) -> (Session, ConversationRef) {
        let (session, conversation) = self.session(store);
        within(conversation.enqueue("one").stored()).await.unwrap();
        (session, conversation)
    }

    /// Refuses new connections, and drops the existing ones.
    pub(crate) async fn go_offline(&self) {
        self.emulator.refuse_connections(true);
        self.emulator.drop_connections().await.unwrap();
    }

    pub(crate) fn go_online(&self) {
        self.emulator.refuse_connections(false);
    }

    /// Returns the texts on the server, oldest first.
    pub(crate) async fn texts(&self) -> Vec<String> {
        let (session, conversation) = open(self.options());
        let messages = conversation.subscribe_messages();
        let window = within(messages.connected()).await.unwrap().unwrap();
        let mut texts: Vec<_> = window.iter().map(|message| message.plaintext()).collect();
        texts.reverse();
        session.shutdown().await;
        texts
    }
}

pub(crate) fn open(options: TalkOptions) -> (Session, ConversationRef) {
    let session = get_talk_session(options).unwrap();
    let conversation = session.conversation("c").unwrap();
    (session, conversation)
}

/// Waits until no session uses the records of Alice.
pub(crate) async fn until_unlocked(store: &MemoryStore, options: &TalkOptions) {
    let key = options.store_key();
    within(async {
        while store.lock(&key).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Waits until the outbox is empty.
pub(crate) async fn until_sent(session: &Session) {
    let mut entries = session.subscribe_outbox();
    within(async {
        while let Some(update) = entries.next().await {
            if update.snapshot.is_empty() {
                return;
            }
        }
        panic!("the session has ended");
    })
    .await;
}

/// A store that can fail, hang, and revoke the lock of a session.
#[derive(Clone, Default)]
pub(crate) struct Faulty {
    pub(crate) inner: MemoryStore,
    fails: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    is_away: Arc<AtomicBool>,
    is_taken: Arc<AtomicBool>,
    revoked: Arc<Notify>,
}

impl Faulty {
    /// Makes every write fail, or succeed again.
    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    /// Keeps every lock pending.
    pub(crate) fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }

    /// Makes every lock fail, or succeed again.
    pub(crate) fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    /// Revokes the lock of the session that has it, so that a session that uses `inner` can get the
    /// lock.
    pub(crate) fn take(&self) {
        self.is_taken.store(true, Ordering::Relaxed);
        self.revoked.notify_one();
    }

    pub(crate) fn give_back(&self) {
        self.is_taken.store(false, Ordering::Relaxed);
    }
}

impl Store for Faulty {
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>> {
        self.inner.load(key)
    }

    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        if self.fails.load(Ordering::Relaxed) {
            let full = StoreError::Io("the disk is full".to_owned());
            return Box::pin(ready(Err(full)));
        }
        self.inner.apply(key, changes)
    }

    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>> {
        if self.hangs.load(Ordering::Relaxed) {
            return Box::pin(pending());
        }
        if self.is_away.load(Ordering::Relaxed) {
            let error = StoreError::Io("the server is away".to_owned());
            return Box::pin(ready(Err(error)));
        }
        if self.is_taken.load(Ordering::Relaxed) {
            return Box::pin(ready(Err(StoreError::InUse)));
        }
        let (locked, revoked) = (self.inner.lock(key), Arc::clone(&self.revoked));
        Box::pin(async move {
            Ok(Lease::with_loss(locked.await?, async move {
                revoked.notified().await;
            }))
        })
    }

    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>> {
        self.inner.clear(key)
    }
}
