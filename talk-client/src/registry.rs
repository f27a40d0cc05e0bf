//! The sessions that live, so that equal options give the same one.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use talk_proto::{Addresses, AppId, UserId};

use crate::handle::{Handle, Shared};
use crate::sync::lock;

/// What makes two sessions the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) addresses: Addresses,
    pub(crate) app_id: AppId,
    pub(crate) user_id: UserId,
}

/// Sessions that somebody else may be given. One is in here from before its driver starts until it
/// ends or its driver stops, whichever is first, and both take it out under the lock.
static SESSIONS: LazyLock<Mutex<HashMap<Key, Arc<Shared>>>> = LazyLock::new(Mutex::default);

/// The session that lives for the key of `new`, or else `new` itself, which lives from now on.
/// Whether it is `new` comes with it: then its driver is to be started, outside of the lock.
pub(crate) fn get_or_insert(new: &Arc<Shared>) -> (Handle, bool) {
    let mut sessions = lock(&SESSIONS);
    if let Some(living) = sessions.get(&new.key) {
        return (Handle::new(living), false);
    }
    sessions.insert(new.key.clone(), Arc::clone(new));
    (Handle::new(new), true)
}

/// The session has ended: nobody is given it any more.
pub(crate) fn remove(shared: &Arc<Shared>) {
    remove_from(&mut lock(&SESSIONS), shared);
}

/// Takes the session out if nobody holds it, so that its driver may stop. While the lock is held
/// nobody can be given it.
pub(crate) fn remove_unless_held(shared: &Arc<Shared>) -> bool {
    let mut sessions = lock(&SESSIONS);
    if shared.is_held() {
        return false;
    }
    remove_from(&mut sessions, shared);
    true
}

fn remove_from(sessions: &mut HashMap<Key, Arc<Shared>>, shared: &Arc<Shared>) {
    // The session that bears the key may be another one: a later one, or that of everybody when
    // this one was made for one caller alone.
    if sessions
        .get(&shared.key)
        .is_some_and(|living| Arc::ptr_eq(living, shared))
    {
        sessions.remove(&shared.key);
    }
}
