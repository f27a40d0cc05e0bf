//! Where the driver puts snapshots and a subscription takes them.

use std::task::{Context, Poll};

use event_listener::Event;
use futures_util::task::AtomicWaker;
use talk_proto::{Changes, Snapshot};

use super::shown::Shown;
use super::state::SubscriptionState;
use crate::error::Error;
use crate::sync::{Mutex, lock, notify_all, wait_for};

/// What the driver knows of a subscription.
pub(crate) trait Display: Send + Sync {
    /// A new snapshot, and how it comes from the one before.
    fn show(&self, snapshot: Snapshot, changes: Changes);

    /// Nothing more comes: `None` when it was unsubscribed.
    fn end(&self, error: Option<Error>);
}

/// The latest snapshot, and what changed since the consumer took one. Its size does not depend on
/// how slow the consumer is.
pub(crate) struct Cell<S> {
    inner: Mutex<Inner<S>>,
    /// Whoever polls the stream.
    consumer: AtomicWaker,
    /// Those who wait for a state.
    changed: Event,
}

struct Inner<S> {
    state: SubscriptionState<S>,
    /// From the snapshot that was taken last to the one in `state`; `None` when they are the same.
    changes: Option<Changes>,
}

impl<S> Cell<S> {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                state: SubscriptionState::Pending,
                changes: None,
            }),
            consumer: AtomicWaker::new(),
            changed: Event::new(),
        }
    }

    /// Ends it unless it has ended, and says whether it was this that ended it.
    pub(crate) fn finish(&self, state: SubscriptionState<S>) -> bool {
        let mut inner = lock(&self.inner);
        if inner.state.is_final() {
            return false;
        }
        let last = std::mem::replace(&mut inner.state, state);
        inner.changes = None;
        drop(inner);
        drop(last);
        self.wake();
        true
    }

    /// The state in one word, for debugging.
    pub(crate) fn phase(&self) -> &'static str {
        match lock(&self.inner).state {
            SubscriptionState::Pending => "pending",
            SubscriptionState::Active(_) => "active",
            SubscriptionState::Unsubscribed => "unsubscribed",
            SubscriptionState::Error(_) => "error",
        }
    }

    fn wake(&self) {
        self.consumer.wake();
        notify_all(&self.changed);
    }
}

impl<S: Clone> Cell<S> {
    pub(crate) fn state(&self) -> SubscriptionState<S> {
        lock(&self.inner).state.clone()
    }

    /// Waits until `found` finds what it looks for in the state.
    pub(crate) async fn wait_until<T>(
        &self,
        found: impl Fn(&SubscriptionState<S>) -> Option<T>,
    ) -> T {
        wait_for(&self.changed, || found(&lock(&self.inner).state)).await
    }

    /// The latest snapshot and its changes, once it is another one than was taken last; `None` at
    /// the end.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<(S, Changes)>> {
        self.consumer.register(cx.waker());
        let mut inner = lock(&self.inner);
        let changes = inner.changes.take();
        match (&inner.state, changes) {
            (SubscriptionState::Active(snapshot), Some(changes)) => {
                Poll::Ready(Some((snapshot.clone(), changes)))
            }
            (SubscriptionState::Unsubscribed | SubscriptionState::Error(_), _) => Poll::Ready(None),
            (SubscriptionState::Pending | SubscriptionState::Active(_), _) => Poll::Pending,
        }
    }
}

impl<S: Shown> Display for Cell<S> {
    fn show(&self, snapshot: Snapshot, changes: Changes) {
        let Some(snapshot) = S::of(snapshot) else {
            return;
        };
        let mut inner = lock(&self.inner);
        let step = match inner.state {
            SubscriptionState::Pending => Changes::Reset,
            SubscriptionState::Active(_) => changes,
            SubscriptionState::Unsubscribed | SubscriptionState::Error(_) => return,
        };
        let changes = match inner.changes.take() {
            None => step,
            Some(before) => before.then(step, snapshot.len().max(1)),
        };
        inner.changes = Some(changes);
        let last = std::mem::replace(&mut inner.state, SubscriptionState::Active(snapshot));
        drop(inner);
        // A large snapshot that nobody else keeps takes its time to go: not under the lock.
        drop(last);
        self.wake();
    }

    fn end(&self, error: Option<Error>) {
        self.finish(match error {
            None => SubscriptionState::Unsubscribed,
            Some(error) => SubscriptionState::Error(error),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Waker;

    use talk_proto::User;

    use super::*;

    type UserCell = Cell<Option<Arc<User>>>;

    fn user(name: &str) -> Option<Arc<User>> {
        Some(Arc::new(User::new("u".try_into().unwrap(), name)))
    }

    fn show(cell: &UserCell, user: Option<Arc<User>>) {
        cell.show(Snapshot::User(user), Changes::Reset);
    }

    fn take(cell: &UserCell) -> Poll<Option<Option<Arc<User>>>> {
        let mut cx = Context::from_waker(Waker::noop());
        cell.poll_take(&mut cx)
            .map(|item| item.map(|(snapshot, _)| snapshot))
    }

    #[test]
    fn only_the_latest_snapshot_is_taken_and_only_once() {
        let cell = UserCell::new();
        assert_eq!(take(&cell), Poll::Pending);
        show(&cell, user("a"));
        show(&cell, user("b"));
        assert_eq!(take(&cell), Poll::Ready(Some(user("b"))));
        assert_eq!(take(&cell), Poll::Pending);
        assert_eq!(cell.state(), SubscriptionState::Active(user("b")));
    }

    #[test]
    fn the_end_is_final() {
        let cell = UserCell::new();
        show(&cell, None);
        cell.end(None);
        show(&cell, user("a"));
        cell.end(Some(Error::Usage(talk_proto::CommandError::Unknown)));
        assert_eq!(cell.state(), SubscriptionState::Unsubscribed);
        assert_eq!(take(&cell), Poll::Ready(None));
        assert_eq!(take(&cell), Poll::Ready(None));
    }

    #[test]
    fn a_snapshot_of_another_kind_changes_nothing() {
        let cell = UserCell::new();
        cell.show(Snapshot::Messages(None), Changes::Reset);
        assert_eq!(cell.state(), SubscriptionState::Pending);
    }
}
