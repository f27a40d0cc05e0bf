//! A registry of the active sessions, one per user.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addresses::Addresses;
use crate::model::{AppId, UserId};
use crate::options::SessionOptions;

/// The identity of a shared session: addresses, app and user. The fields are separate, because a
/// joined string would be ambiguous.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SessionKey {
    // Comparisons start with the first field, and the user differs between most sessions.
    /// The user.
    pub user_id: UserId,
    /// The application.
    pub app_id: AppId,
    /// The three base addresses of the service.
    pub addresses: Addresses,
}

impl SessionKey {
    /// Returns the key of sessions with these options.
    ///
    /// ```
    /// use talk_proto::{SessionOptions, registry::SessionKey};
    ///
    /// let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// assert_eq!(SessionKey::of(&options).user_id, "alice");
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn of(options: &SessionOptions) -> Self {
        Self {
            user_id: options.user_id.clone(),
            app_id: options.app_id.clone(),
            addresses: options.addresses.clone(),
        }
    }
}

/// The active sessions by [`SessionKey`]. A driver keeps one registry per process, behind a lock.
///
/// `S` is the driver's handle of a session. [`get_or_insert`](Self::get_or_insert) returns the
/// active session of a key. Remove a session that has ended with [`remove_if`](Self::remove_if), so
/// that the next caller registers a new one. Private sessions are not registered.
///
/// ```
/// use talk_proto::{SessionOptions, registry::{Registry, SessionKey}};
///
/// let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
/// let key = SessionKey::of(&options);
/// let mut registry = Registry::new();
/// assert_eq!(registry.get_or_insert(&key.clone().into(), 1), (&1, true));
/// assert_eq!(registry.get_or_insert(&key.clone().into(), 2), (&1, false));
///
/// // Session 2 was never registered, so its end changes nothing.
/// assert_eq!(registry.remove_if(&key, |session| *session == 2), None);
/// assert_eq!(registry.remove_if(&key, |session| *session == 1), Some(1));
/// assert_eq!(registry.get(&key), None);
/// # Ok::<(), talk_proto::model::EmptyId>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registry<S> {
    living: BTreeMap<Arc<SessionKey>, S>,
}

impl<S> Registry<S> {
    /// Creates an empty registry.
    pub const fn new() -> Self {
        Self {
            living: BTreeMap::new(),
        }
    }

    /// Returns the active session of the key.
    pub fn get(&self, key: &SessionKey) -> Option<&S> {
        self.living.get(key)
    }

    /// Returns the active session of the key, or inserts and returns `new`. The flag is `true` if
    /// `new` was inserted.
    pub fn get_or_insert(&mut self, key: &Arc<SessionKey>, new: S) -> (&S, bool) {
        use std::collections::btree_map::Entry;

        match self.living.entry(Arc::clone(key)) {
            Entry::Occupied(living) => (living.into_mut(), false),
            Entry::Vacant(place) => (place.insert(new), true),
        }
    }

    /// Removes the session of the key if `is_it` returns `true` for it. The check protects another
    /// session of the key: one that was registered later, or the shared one when a private session
    /// ends.
    pub fn remove_if(&mut self, key: &SessionKey, is_it: impl FnOnce(&S) -> bool) -> Option<S> {
        if is_it(self.living.get(key)?) {
            self.living.remove(key)
        } else {
            None
        }
    }

    /// Returns the number of active sessions.
    pub fn len(&self) -> usize {
        self.living.len()
    }

    /// Returns `true` if no session is active.
    pub fn is_empty(&self) -> bool {
        self.living.is_empty()
    }
}

impl<S> Default for Registry<S> {
    fn default() -> Self {
        Self::new()
    }
}
