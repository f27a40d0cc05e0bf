//! The state of a session that its handles and its driver share.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use async_lock::Semaphore;
use futures_channel::oneshot;
use talk_proto::{ConnectionState, Counters, Limits, SessionError, model::UserId};

use super::command::{Command, LocalId, Sleeper};
use super::command_queue::CommandQueue;
use super::termination::Termination;
use crate::error::Error;
use crate::registry::sessions::SessionKey;
use crate::store::StoreState;
use crate::sync::{Mutex, Watch, lock};
use crate::transport::{BoxFuture, MaybeSend, SharableFn};

/// The application's token handler.
pub(crate) type TokenHandler = Arc<dyn SharableFn<Handle, ()>>;

/// The state of a session that its handles and its driver share.
pub(crate) struct Shared {
    pub(crate) key: Arc<SessionKey>,
    pub(crate) commands: CommandQueue,
    /// A permit for each call that may be pending in the core.
    pub(super) permits: Semaphore,
    /// The maximum number of items in a list.
    pub(crate) max_window: usize,
    next_id: AtomicU64,
    pub(crate) connection: Watch<ConnectionState>,
    pub(crate) store: Watch<StoreState>,
    pub(crate) counters: Mutex<Counters>,
    pub(crate) termination: Termination,
    pub(crate) token_handler: Mutex<Option<TokenHandler>>,
    guard: Mutex<Weak<HandleGuard>>,
}

impl Shared {
    pub(crate) fn new(key: Arc<SessionKey>, limits: &Limits, store: StoreState) -> Arc<Self> {
        // A call needs a permit. With none, every call would wait forever.
        let pending_calls = limits.pending_calls.max(1);
        Arc::new(Self {
            key,
            commands: CommandQueue::default(),
            permits: Semaphore::new(pending_calls),
            max_window: limits.window,
            next_id: AtomicU64::new(0),
            connection: Watch::new(ConnectionState::Idle),
            store: Watch::new(store),
            counters: Mutex::default(),
            termination: Termination::default(),
            token_handler: Mutex::default(),
            guard: Mutex::default(),
        })
    }

    pub(crate) fn me(&self) -> &UserId {
        &self.key.user_id
    }

    /// Submits a command to the driver, or rejects it if the driver has stopped.
    pub(crate) fn push(&self, command: Command) {
        if let Err(command) = self.commands.push(command) {
            command.reject(&self.end_error());
        }
    }

    pub(crate) fn new_local_id(&self) -> LocalId {
        LocalId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the error of commands after the end.
    pub(crate) fn end_error(&self) -> Error {
        let cause = self
            .termination
            .cause()
            .unwrap_or(SessionError::DriverStopped);
        Error::from(cause)
    }

    /// Ends the streams of states.
    pub(crate) fn close_states(&self) {
        self.connection.close();
        self.store.close();
    }

    /// Returns `true` if a handle exists.
    pub(crate) fn has_handles(&self) -> bool {
        lock(&self.guard).strong_count() > 0
    }
}

/// A counted handle of a session. The driver runs as long as one exists.
#[derive(Clone)]
pub(crate) struct Handle(Arc<HandleGuard>);

struct HandleGuard {
    shared: Arc<Shared>,
}

impl Handle {
    /// Creates a handle of a session, also if the session has no other handle. Only the registry
    /// (under its lock) and the driver may call this function, because both know that the driver is
    /// running.
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let mut current = lock(&shared.guard);
        let guard = current.upgrade().unwrap_or_else(|| {
            let guard = Arc::new(HandleGuard {
                shared: Arc::clone(shared),
            });
            *current = Arc::downgrade(&guard);
            guard
        });
        Self(guard)
    }

    /// Runs a task on the runtime of the session.
    pub(crate) fn spawn<F>(&self, make: impl FnOnce(Sleeper) -> F + MaybeSend + 'static)
    where
        F: Future<Output = ()> + MaybeSend + 'static,
    {
        let make = move |sleeper| -> BoxFuture<'static, ()> { Box::pin(make(sleeper)) };
        self.push(Command::Spawn(Box::new(make)));
    }

    /// Returns the timers of the transport.
    pub(crate) async fn sleeper(&self) -> Result<Sleeper, Error> {
        let (sender, received) = oneshot::channel();
        self.spawn(|sleeper| async move {
            // Fails if the caller has stopped waiting.
            let _ = sender.send(sleeper);
        });
        received.await.map_err(|_| self.end_error())
    }

    /// Returns the shared state, which does not keep the session alive.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }
}

impl Drop for HandleGuard {
    fn drop(&mut self) {
        self.shared.push(Command::HandlesReleased);
    }
}

impl Deref for Handle {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0.shared
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.shared(), other.shared())
    }
}

impl Eq for Handle {}

impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(self.shared()).hash(state);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.key.app_id, self.key.user_id)
    }
}
