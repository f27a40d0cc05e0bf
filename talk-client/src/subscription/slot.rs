//! The slot that passes snapshots from the driver to a subscription.

use std::task::{Context, Poll};

use event_listener::Event;
use futures_util::task::AtomicWaker;
use talk_proto::cache::Freshness;
use talk_proto::{CommandError, Snapshot, changes::Changes, outbox::Settled};

use super::state::SubscriptionState;
use super::typed::TypedSnapshot;
use crate::error::Error;
use crate::sync::{Mutex, lock, notify_all, wait_for};

/// The driver's end of a subscription.
pub(crate) trait SnapshotSink: Send + Sync {
    /// Replaces the snapshot. `changes` leads to it from the previous one. `settled` are the outbox
    /// entries that became messages of it.
    fn update(&self, snapshot: Snapshot, changes: Changes, settled: Vec<Settled>);

    /// Ends the subscription; `None` if it was unsubscribed.
    fn end(&self, error: Option<Error>);
}

/// The latest snapshot and the changes since the one that the consumer took last. Its size does not
/// depend on the speed of the consumer.
pub(crate) struct SnapshotSlot<S> {
    inner: Mutex<Inner<S>>,
    /// The task that polls the stream.
    consumer: AtomicWaker,
    /// Notifies the callers of [`wait_until`](SnapshotSlot::wait_until).
    changed: Event,
}

struct Inner<S> {
    state: SubscriptionState<S>,
    /// The source of the snapshot in `state`.
    freshness: Freshness,
    /// The changes from the snapshot taken last to the one in `state`; `None` if there is no newer
    /// one.
    changes: Option<Changes>,
    /// The outbox entries that became messages since the snapshot taken last.
    settled: Vec<Settled>,
}

/// A snapshot with the changes since the one taken last.
pub(crate) type Taken<S> = (S, Freshness, Changes, Vec<Settled>);

impl<S> SnapshotSlot<S> {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                state: SubscriptionState::Pending,
                freshness: Freshness::Live,
                changes: None,
                settled: Vec::new(),
            }),
            consumer: AtomicWaker::new(),
            changed: Event::new(),
        }
    }

    /// Ends the subscription. Returns `true` unless it had already ended.
    pub(crate) fn finish(&self, state: SubscriptionState<S>) -> bool {
        let mut inner = lock(&self.inner);
        if inner.state.is_final() {
            return false;
        }
        let last = std::mem::replace(&mut inner.state, state);
        inner.changes = None;
        inner.settled = Vec::new();
        drop(inner);
        drop(last);
        self.wake();
        true
    }

    /// Returns the name of the state for debugging.
    pub(crate) fn state_name(&self) -> &'static str {
        match lock(&self.inner).state {
            SubscriptionState::Pending => "pending",
            SubscriptionState::Active(_) => "active",
            SubscriptionState::Unsubscribed => "unsubscribed",
            SubscriptionState::Error(_) => "error",
        }
    }

    /// Returns the error of a command to a subscription that has ended.
    pub(crate) fn end_error(&self) -> Option<Error> {
        match &lock(&self.inner).state {
            SubscriptionState::Pending | SubscriptionState::Active(_) => None,
            SubscriptionState::Unsubscribed => Some(CommandError::Unsubscribed.into()),
            SubscriptionState::Error(error) => Some(error.clone()),
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

    /// Waits until `found` returns a value for the state.
    pub(crate) async fn wait_until<T>(
        &self,
        found: impl Fn(&SubscriptionState<S>) -> Option<T>,
    ) -> T {
        wait_for(&self.changed, || found(&lock(&self.inner).state)).await
    }

    /// Waits until `found` returns a value for the state. A cached snapshot counts as none.
    pub(crate) async fn wait_until_live<T>(
        &self,
        found: impl Fn(&SubscriptionState<S>) -> Option<T>,
    ) -> T {
        let live = || {
            let inner = lock(&self.inner);
            let is_cached = inner.freshness.is_cached() && !inner.state.is_final();
            if is_cached { None } else { found(&inner.state) }
        };
        wait_for(&self.changed, live).await
    }

    /// Takes the latest snapshot and its changes, if it is newer than the one taken last; `None`
    /// after the end.
    pub(crate) fn poll_update(&self, cx: &mut Context<'_>) -> Poll<Option<Taken<S>>> {
        self.consumer.register(cx.waker());
        let mut inner = lock(&self.inner);
        let changes = inner.changes.take();
        match (&inner.state, changes) {
            (SubscriptionState::Active(snapshot), Some(changes)) => {
                let snapshot = snapshot.clone();
                let settled = std::mem::take(&mut inner.settled);
                Poll::Ready(Some((snapshot, inner.freshness, changes, settled)))
            }
            (SubscriptionState::Unsubscribed | SubscriptionState::Error(_), _) => Poll::Ready(None),
            (SubscriptionState::Pending | SubscriptionState::Active(_), _) => Poll::Pending,
        }
    }
}

impl<S: TypedSnapshot> SnapshotSink for SnapshotSlot<S> {
    fn update(&self, snapshot: Snapshot, changes: Changes, settled: Vec<Settled>) {
        let freshness = snapshot.freshness();
        let Some(snapshot) = S::from_core(snapshot) else {
            return;
        };
        let visible = snapshot.len().max(1);
        let mut inner = lock(&self.inner);
        let step = match inner.state {
            SubscriptionState::Pending => Changes::Reset,
            SubscriptionState::Active(_) => changes,
            SubscriptionState::Unsubscribed | SubscriptionState::Error(_) => return,
        };
        let changes = match inner.changes.take() {
            None => step,
            Some(before) => before.then(step, visible),
        };
        inner.changes = Some(changes);
        inner.freshness = freshness;
        inner.settled.extend(settled);
        // Older ones are no longer among the visible messages.
        let excess = inner.settled.len().saturating_sub(visible);
        inner.settled.drain(..excess);
        let last = std::mem::replace(&mut inner.state, SubscriptionState::Active(snapshot));
        drop(inner);
        // Dropped outside the lock, because dropping the last reference to a large snapshot takes
        // time.
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

    use talk_proto::model::User;

    use super::*;

    type UserSlot = SnapshotSlot<Option<Arc<User>>>;

    fn user(name: &str) -> Option<Arc<User>> {
        Some(Arc::new(User::new("u".try_into().unwrap(), name)))
    }

    fn show(slot: &UserSlot, user: Option<Arc<User>>) {
        slot.update(Snapshot::User(user), Changes::Reset, Vec::new());
    }

    fn take(slot: &UserSlot) -> Poll<Option<Option<Arc<User>>>> {
        let mut cx = Context::from_waker(Waker::noop());
        slot.poll_update(&mut cx)
            .map(|item| item.map(|(snapshot, ..)| snapshot))
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
    fn slot_joined_updates_add_up_settled_entries() {
        let slot = UserSlot::new();
        let settled = |number: u32| {
            let entry = format!("e{number}").try_into().unwrap();
            (entry, format!("m{number}").try_into().unwrap())
        };
        // A single entity has room for one.
        for number in 1..=3 {
            let update = Snapshot::User(user("a"));
            slot.update(update, Changes::Reset, vec![settled(number)]);
        }
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Some((.., taken))) = slot.poll_update(&mut cx) else {
            panic!("there is an update");
        };
        assert_eq!(taken, [settled(3)]);
        show(&slot, user("b"));
        let Poll::Ready(Some((.., taken))) = slot.poll_update(&mut cx) else {
            panic!("there is an update");
        };
        assert_eq!(taken, []);
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
        slot.update(Snapshot::Messages(None), Changes::Reset, Vec::new());
        assert_eq!(slot.state(), SubscriptionState::Pending);
    }
}
