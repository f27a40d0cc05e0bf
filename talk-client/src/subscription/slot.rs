//! Where the driver puts snapshots and a subscription takes them.

use std::task::{Context, Poll};

use event_listener::Event;
use futures_util::task::AtomicWaker;
use talk_proto::{Changes, Snapshot};

use super::state::SubscriptionState;
use super::typed::TypedSnapshot;
use crate::error::Error;
use crate::sync::{Mutex, lock, notify_all, wait_for};

/// What the driver knows of a subscription.
pub(crate) trait SnapshotSink: Send + Sync {
    /// A new snapshot, and how it comes from the one before.
    fn update(&self, snapshot: Snapshot, changes: Changes);

    /// Nothing more comes: `None` when it was unsubscribed.
    fn end(&self, error: Option<Error>);
}

/// The latest snapshot, and what changed since the consumer took one. Its size does not depend on
/// how slow the consumer is.
pub(crate) struct SnapshotSlot<S> {
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

impl<S> SnapshotSlot<S> {
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
    pub(crate) fn state_name(&self) -> &'static str {
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

impl<S: Clone> SnapshotSlot<S> {
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
    pub(crate) fn poll_update(&self, cx: &mut Context<'_>) -> Poll<Option<(S, Changes)>> {
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

impl<S: TypedSnapshot> SnapshotSink for SnapshotSlot<S> {
    fn update(&self, snapshot: Snapshot, changes: Changes) {
        let Some(snapshot) = S::from_core(snapshot) else {
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

    type UserSlot = SnapshotSlot<Option<Arc<User>>>;

    fn user(name: &str) -> Option<Arc<User>> {
        Some(Arc::new(User::new("u".try_into().unwrap(), name)))
    }

    fn show(slot: &UserSlot, user: Option<Arc<User>>) {
        slot.update(Snapshot::User(user), Changes::Reset);
    }

    fn take(slot: &UserSlot) -> Poll<Option<Option<Arc<User>>>> {
        let mut cx = Context::from_waker(Waker::noop());
        slot.poll_update(&mut cx)
            .map(|item| item.map(|(snapshot, _)| snapshot))
    }

    #[test]
    fn slot_yields_latest_snapshot_once() {
        let slot = UserSlot::new();
        assert_eq!(take(&slot), Poll::Pending);
        show(&slot, user("a"));
        show(&slot, user("b"));
        assert_eq!(take(&slot), Poll::Ready(Some(user("b"))));
        assert_eq!(take(&slot), Poll::Pending);
        assert_eq!(slot.state(), SubscriptionState::Active(user("b")));
    }

    #[test]
    fn slot_end_is_final() {
        let slot = UserSlot::new();
        show(&slot, None);
        slot.end(None);
        show(&slot, user("a"));
        slot.end(Some(Error::Usage(talk_proto::CommandError::Unknown)));
        assert_eq!(slot.state(), SubscriptionState::Unsubscribed);
        assert_eq!(take(&slot), Poll::Ready(None));
        assert_eq!(take(&slot), Poll::Ready(None));
    }

    #[test]
    fn slot_ignores_snapshot_of_another_kind() {
        let slot = UserSlot::new();
        slot.update(Snapshot::Messages(None), Changes::Reset);
        assert_eq!(slot.state(), SubscriptionState::Pending);
    }
}
