//! The shared sessions of this process, by addresses, app and user.

pub(crate) mod sessions;

use std::sync::Arc;

use self::sessions::Sessions;

use crate::handle::{Handle, Shared};
use crate::sync::{Mutex, lock};

/// The sessions that can be shared. A session is registered before its driver starts, and is
/// removed when it ends or its driver stops, whichever is first. Both remove it under the lock.
#[cfg(not(any(target_arch = "wasm32", talk_local_futures, all(test, shuttle))))]
static SESSIONS: Mutex<Sessions<Arc<Shared>>> = Mutex::new(Sessions::new());

#[cfg(all(test, shuttle))]
shuttle::lazy_static! {
    static ref SESSIONS: Mutex<Sessions<Arc<Shared>>> = Mutex::new(Sessions::new());
}

/// Calls `work` with the shared sessions, under their lock.
#[cfg(not(any(target_arch = "wasm32", talk_local_futures)))]
fn with_sessions<T>(work: impl FnOnce(&mut Sessions<Arc<Shared>>) -> T) -> T {
    work(&mut lock(&SESSIONS))
}

/// Calls `work` with the shared sessions of this thread, which no other thread can use.
#[cfg(any(target_arch = "wasm32", talk_local_futures))]
fn with_sessions<T>(work: impl FnOnce(&mut Sessions<Arc<Shared>>) -> T) -> T {
    thread_local! {
        static SESSIONS: Mutex<Sessions<Arc<Shared>>> = const { Mutex::new(Sessions::new()) };
    }
    SESSIONS.with(|sessions| work(&mut lock(sessions)))
}

/// Returns the session under the key of `new`, or registers `new`. The flag is set if `new` was
/// registered: the caller must then start its driver, outside of the lock.
pub(crate) fn get_or_insert(new: &Arc<Shared>) -> (Handle, bool) {
    with_sessions(|sessions| {
        let (session, is_new) = sessions.get_or_insert(&new.key, Arc::clone(new));
        (Handle::new(session), is_new)
    })
}

/// Removes a session that has ended.
pub(crate) fn remove(shared: &Arc<Shared>) {
    with_sessions(|sessions| remove_from(sessions, shared));
}

/// Returns `true` and removes the session if it has no handles, so that its driver may stop. No
/// handle can be created while the lock is held.
pub(crate) fn remove_unless_used(shared: &Arc<Shared>) -> bool {
    with_sessions(|sessions| {
        if shared.has_handles() {
            return false;
        }
        remove_from(sessions, shared);
        true
    })
}

fn remove_from(sessions: &mut Sessions<Arc<Shared>>, shared: &Arc<Shared>) {
    sessions.remove_if(&shared.key, |session| Arc::ptr_eq(session, shared));
}
