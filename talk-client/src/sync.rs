//! Small tools to share state between the driver and the handles.

use std::sync::PoisonError;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard};

use event_listener::{Event, EventListener};
// Here `crate::shuttle_tests` lets the threads change places.
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

/// Locks a mutex that protects plain data: a panic elsewhere leaves nothing half done.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `ready` gives a value; it is asked again whenever `event` is notified.
pub(crate) async fn wait_for<T>(event: &Event, mut ready: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(value) = ready() {
            return value;
        }
        let changed: EventListener = event.listen();
        // What happened before the listener was there did not notify it.
        if let Some(value) = ready() {
            return value;
        }
        changed.await;
    }
}

/// Wakes everybody who waits for `event`.
pub(crate) fn notify_all(event: &Event) {
    event.notify(usize::MAX);
}

/// A value of which everybody sees the latest version.
pub(crate) struct Watch<T> {
    state: Mutex<Watched<T>>,
    changed: Event,
}

struct Watched<T> {
    value: T,
    version: u64,
    closed: bool,
}

/// What [`Watch::newer`] found.
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

    /// No further value comes.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        notify_all(&self.changed);
    }

    /// The latest value, unless `seen` is its version. No version is 0.
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
