//! The sessions of this process that live, so that equal options give the same one.

use std::sync::Arc;

use talk_proto::Registry;

use crate::handle::{Handle, Shared};
use crate::sync::{Mutex, lock};

/// Sessions that somebody else may be given. One is in here from before its driver starts until it
/// ends or its driver stops, whichever is first, and both take it out under the lock.
#[cfg(not(all(test, shuttle)))]
static SESSIONS: Mutex<Registry<Arc<Shared>>> = Mutex::new(Registry::new());

#[cfg(all(test, shuttle))]
shuttle::lazy_static! {
    static ref SESSIONS: Mutex<Registry<Arc<Shared>>> = Mutex::new(Registry::new());
}

/// The session that lives for the key of `new`, or else `new` itself, which lives from now on.
/// Whether it is `new` comes with it: then its driver is to be started, outside of the lock.
pub(crate) fn get_or_insert(new: &Arc<Shared>) -> (Handle, bool) {
    let mut sessions = lock(&SESSIONS);
    let (living, is_new) = sessions.get_or_insert(&new.key, Arc::clone(new));
    (Handle::new(living), is_new)
}

/// The session has ended: nobody is given it any more.
pub(crate) fn remove(shared: &Arc<Shared>) {
    remove_from(&mut lock(&SESSIONS), shared);
}

/// Takes the session out if nobody holds it, so that its driver may stop. While the lock is held
/// nobody can be given it.
pub(crate) fn remove_unless_used(shared: &Arc<Shared>) -> bool {
    let mut sessions = lock(&SESSIONS);
    if shared.has_handles() {
        return false;
    }
    remove_from(&mut sessions, shared);
    true
}

fn remove_from(sessions: &mut Registry<Arc<Shared>>, shared: &Arc<Shared>) {
    sessions.remove_if(&shared.key, |living| Arc::ptr_eq(living, shared));
}
