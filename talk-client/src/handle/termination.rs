//! The end of a session and its error handlers.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use event_listener::Event;
use talk_proto::SessionError;

use crate::sync::{Mutex, lock, notify_all, wait_for};
use crate::transport::{BoxableFnOnce, MaybeSend};

type Handler = Box<dyn for<'a> BoxableFnOnce<&'a SessionError, ()>>;

/// The end of one session. It is set once.
#[derive(Default)]
pub(crate) struct Termination {
    state: Mutex<State>,
    changed: Event,
}

#[derive(Default)]
struct State {
    cause: Option<SessionError>,
    driver_stopped: bool,
    handlers: BTreeMap<u64, Handler>,
    next_handler: u64,
}

impl Termination {
    /// Returns the cause of the end, if the session has ended.
    pub(crate) fn cause(&self) -> Option<SessionError> {
        lock(&self.state).cause.clone()
    }

    /// Ends the session and runs the error handlers, unless it has already ended. A requested
    /// shutdown is no error and runs no handler.
    pub(crate) fn set(&self, cause: SessionError) {
        let mut state = lock(&self.state);
        if state.cause.is_some() {
            return;
        }
        state.cause = Some(cause.clone());
        let handlers = std::mem::take(&mut state.handlers);
        drop(state);
        notify_all(&self.changed);
        if cause == SessionError::Shutdown {
            return;
        }
        for handler in handlers.into_values() {
            // A handler that panics must not prevent the others from running.
            let _ = catch_unwind(AssertUnwindSafe(|| handler.call(&cause)));
        }
    }

    /// Runs `handler` when the session ends with an error, at once if it already has. Returns the
    /// key for [`detach`](Self::detach) if the handler is pending.
    pub(crate) fn attach(
        &self,
        handler: impl FnOnce(&SessionError) + MaybeSend + 'static,
    ) -> Option<u64> {
        let mut state = lock(&self.state);
        let Some(cause) = state.cause.clone() else {
            let key = state.next_handler;
            state.next_handler += 1;
            state.handlers.insert(key, Box::new(handler));
            return Some(key);
        };
        drop(state);
        if cause != SessionError::Shutdown {
            handler(&cause);
        }
        None
    }

    pub(crate) fn detach(&self, key: u64) {
        let handler = lock(&self.state).handlers.remove(&key);
        // Dropped outside the lock, because the values that the handler owns may run code on drop.
        drop(handler);
    }

    /// Reports that the driver has stopped and all connections are closed.
    pub(crate) fn set_driver_stopped(&self) {
        lock(&self.state).driver_stopped = true;
        notify_all(&self.changed);
    }

    pub(crate) async fn driver_stopped(&self) {
        wait_for(&self.changed, || {
            lock(&self.state).driver_stopped.then_some(())
        })
        .await;
    }
}
