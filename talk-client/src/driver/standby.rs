//! The wait of a standby session for its store. The session works without the store until it has
//! the lock.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use talk_proto::CommandError;
use talk_proto::outbox::OutboxOptions;
use talk_proto::storage::StoreError;

use super::store::{self, OpenStore};
use crate::error::Error;
use crate::handle::{Command, InboxCommand, OutboxCommand, Shared, Sleeper};
use crate::options::TalkOptions;
use crate::store::{Store, StoreKey, StoreState};
use crate::transport::BoxFuture;

/// The store of a session with [`TalkOptions::standby`].
pub(super) struct Standby {
    store: Arc<dyn Store>,
    key: StoreKey,
    sleeper: Sleeper,
    shared: Arc<Shared>,
    pub(super) pause_restored: bool,
    /// The limits of the outbox.
    limits: OutboxOptions,
    /// Resolves when the store is open. `None` while the session has the store, and after the end
    /// of the session.
    opened: Option<BoxFuture<'static, Result<OpenStore, StoreError>>>,
    /// The commands that wait for the store.
    waiting: Vec<Command>,
    /// The size of the waiting messages.
    bytes: usize,
}

impl Standby {
    pub(super) fn new(
        store: Arc<dyn Store>,
        options: &TalkOptions,
        shared: Arc<Shared>,
        sleeper: Sleeper,
    ) -> Self {
        let mut standby = Self {
            store,
            key: options.store_key(),
            sleeper,
            shared,
            pause_restored: options.pause_restored,
            limits: options.core.outbox.clone().unwrap_or_default(),
            opened: None,
            waiting: Vec::new(),
            bytes: 0,
        };
        standby.open();
        standby
    }

    /// Starts the wait for the lock.
    pub(super) fn open(&mut self) {
        let shared = Arc::clone(&self.shared);
        let on_wait = move |error: &StoreError| {
            let state = shared.store.get();
            let waiting = match error {
                // Another session has the lock that this session has lost.
                StoreError::InUse if state == StoreState::Lost => return,
                StoreError::InUse => StoreState::Standby,
                error => StoreState::Unavailable(error.clone()),
            };
            if state != waiting {
                shared.store.set(waiting);
            }
        };
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        let sleeper = Arc::clone(&self.sleeper);
        let opened = store::open_when_free(store, key, sleeper, on_wait);
        self.opened = Some(Box::pin(opened));
    }

    /// Returns `true` if the session does not have the store.
    pub(super) fn is_waiting(&self) -> bool {
        self.opened.is_some()
    }

    /// Keeps a command of the outbox until the session has the store.
    pub(super) fn push_outbox(&mut self, command: OutboxCommand) {
        self.push(Command::Outbox(Box::new(command)));
    }

    /// Keeps a command of an inbox until the session has the store. A command that closes a waiting
    /// inbox takes effect at once.
    pub(super) fn push_inbox(&mut self, command: InboxCommand) {
        if let InboxCommand::Close { slot } = &command {
            self.waiting.retain(|waiting| match waiting {
                Command::Inbox(waiting) => !waiting.opens(slot),
                _ => true,
            });
            slot.end(Ok(()));
        } else {
            self.push(Command::Inbox(Box::new(command)));
        }
    }

    fn push(&mut self, command: Command) {
        let OutboxOptions { entries, bytes, .. } = self.limits;
        let size = command.outbox_size();
        if self.waiting.len() < entries && self.bytes.saturating_add(size) <= bytes {
            self.bytes += size;
            self.waiting.push(command);
        } else {
            command.reject(&CommandError::OutboxFull { entries, bytes }.into());
        }
    }

    /// Removes and returns the waiting commands.
    pub(super) fn take_waiting(&mut self) -> Vec<Command> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }

    /// Fails the waiting commands.
    pub(super) fn reject(&mut self, error: &Error) {
        for command in self.take_waiting() {
            command.reject(error);
        }
    }

    /// Completes once, when the store is open or cannot be used.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<OpenStore, StoreError>> {
        let Some(opened) = &mut self.opened else {
            return Poll::Pending;
        };
        let opened = ready!(opened.as_mut().poll(cx));
        self.opened = None;
        Poll::Ready(opened)
    }
}
