//! Locks and watched values for state that the driver and the handles share.

use std::sync::PoisonError;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard};

use event_listener::{Event, EventListener};
// `crate::shuttle_tests` switches threads at these locks.
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

/// Locks a mutex and ignores poisoning: the guarded data is plain, so that a panic cannot leave it
/// half updated.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `ready` returns a value, and calls `ready` again at every notification of `event`.
pub(crate) async fn wait_for<T>(event: &Event, mut ready: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(value) = ready() {
            return value;
        }
        let changed: EventListener = event.listen();
        // A change before the listener existed did not notify it.
        if let Some(value) = ready() {
            return value;
        }
        changed.await;
    }
}

/// Wakes all listeners of `event`.
pub(crate) fn notify_all(event: &Event) {
    event.notify(usize::MAX);
}

/// A value whose watchers see the latest version.
pub(crate) struct Watch<T> {
    state: Mutex<Watched<T>>,
    changed: Event,
}

struct Watched<T> {
    value: T,
    version: u64,
    closed: bool,
}

/// The result of [`Watch::newer`].
pub(crate) enum Newer<T> {
    Value(T, u64),
    Unchanged,
    Closed,
}

impl<T: Clone> Watch<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            state: Mutex::new(Watched {
                value,
                version: 1,
                closed: false,
            }),
            changed: Event::new(),
        }
    }

    pub(crate) fn get(&self) -> T {
        lock(&self.state).value.clone()
    }

    pub(crate) fn set(&self, value: T) {
        let mut state = lock(&self.state);
        state.value = value;
        state.version += 1;
        drop(state);
        notify_all(&self.changed);
    }

    /// Reports that no further value follows.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        notify_all(&self.changed);
    }

    /// Returns the latest value unless `seen` is its version. Versions start at 1.
    pub(crate) fn newer(&self, seen: u64) -> Newer<T> {
        let state = lock(&self.state);
        if state.version != seen {
            Newer::Value(state.value.clone(), state.version)
        } else if state.closed {
            Newer::Closed
        } else {
            Newer::Unchanged
        }
    }

    pub(crate) fn listen(&self) -> EventListener {
        self.changed.listen()
    }
}
