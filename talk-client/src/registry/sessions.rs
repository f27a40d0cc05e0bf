//! The active sessions of a process, one per user.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use talk_proto::model::{AppId, UserId};
use talk_proto::{Addresses, SessionOptions};

#[cfg(test)]
mod tests;

/// The identity of a shared session: addresses, app and user. The fields are separate, because a
/// joined string would be ambiguous.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionKey {
    // Comparisons start with the first field, and the user differs between most sessions.
    pub(crate) user_id: UserId,
    pub(crate) app_id: AppId,
    addresses: Addresses,
}

impl SessionKey {
    /// Returns the key of sessions with these options.
    pub(crate) fn of(options: &SessionOptions) -> Self {
        Self {
            user_id: options.user_id.clone(),
            app_id: options.app_id.clone(),
            addresses: options.addresses.clone(),
        }
    }
}

/// The active sessions by key. Private sessions are not included.
#[derive(Debug)]
pub(crate) struct Sessions<S> {
    active: BTreeMap<Arc<SessionKey>, S>,
}

impl<S> Sessions<S> {
    pub(crate) const fn new() -> Self {
        Self {
            active: BTreeMap::new(),
        }
    }

    /// Returns the active session of the key, or inserts and returns `new`. The flag is `true` if
    /// `new` was inserted.
    pub(crate) fn get_or_insert(&mut self, key: &Arc<SessionKey>, new: S) -> (&S, bool) {
        match self.active.entry(Arc::clone(key)) {
            Entry::Occupied(active) => (active.into_mut(), false),
            Entry::Vacant(place) => (place.insert(new), true),
        }
    }

    /// Removes the session of the key if `is_it` returns `true` for it. The check protects another
    /// session of the key: one that was registered later, or the shared one when a private session
    /// ends.
    pub(crate) fn remove_if(&mut self, key: &SessionKey, is_it: impl FnOnce(&S) -> bool) {
        if self.active.get(key).is_some_and(is_it) {
            self.active.remove(key);
        }
    }
}
