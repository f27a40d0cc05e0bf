//! One session per user: which ones live.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addresses::Addresses;
use crate::model::{AppId, UserId};
use crate::options::SessionOptions;

/// What makes two sessions the same: where the service is, the app, and the user. Never a text
/// joined of them, which could mean two things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SessionKey {
    // The first member is compared first: it tells most sessions of a process apart.
    /// The user.
    pub user_id: UserId,
    /// The application.
    pub app_id: AppId,
    /// The three base addresses of the service.
    pub addresses: Addresses,
}

impl SessionKey {
    /// What makes sessions with these options the same.
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

/// The sessions that live, each under its [`SessionKey`]: data alone, of which a driver keeps one
/// under a lock for its process.
///
/// A session is `S`, the driver's handle for it. Who asks for one is given the one that lives; a
/// session that has ended is taken out, and whoever asks next registers another. Sessions that are
/// nobody else's business are never put in.
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
/// // Session 2 was never in: that it has ended changes nothing.
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
    /// No session lives.
    ///
    /// ```
    /// let registry: talk_proto::registry::Registry<u32> = talk_proto::registry::Registry::new();
    /// assert!(registry.is_empty());
    /// ```
    pub const fn new() -> Self {
        Self {
            living: BTreeMap::new(),
        }
    }

    /// The session that lives under the key.
    ///
    /// ```
    /// # use talk_proto::{SessionOptions, registry::{Registry, SessionKey}};
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let key = SessionKey::of(&options);
    /// # let mut registry = Registry::new();
    /// assert_eq!(registry.get(&key), None);
    /// registry.get_or_insert(&key.clone().into(), "Alice's");
    /// assert_eq!(registry.get(&key), Some(&"Alice's"));
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn get(&self, key: &SessionKey) -> Option<&S> {
        self.living.get(key)
    }

    /// The session that lives under the key, or else `new`, which lives from now on. Whether it is
    /// `new` comes with it.
    ///
    /// ```
    /// # use talk_proto::{SessionOptions, registry::{Registry, SessionKey}};
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let key = SessionKey::of(&options);
    /// # let mut registry = Registry::new();
    /// assert_eq!(registry.get_or_insert(&key.clone().into(), 1), (&1, true));
    /// assert_eq!(registry.get_or_insert(&key.into(), 2), (&1, false));
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn get_or_insert(&mut self, key: &Arc<SessionKey>, new: S) -> (&S, bool) {
        use std::collections::btree_map::Entry;

        match self.living.entry(Arc::clone(key)) {
            Entry::Occupied(living) => (living.into_mut(), false),
            Entry::Vacant(place) => (place.insert(new), true),
        }
    }

    /// Takes out the session under the key if `is_it`. The one that lives there may be another: a
    /// later one, or that of everybody when this one was made for one caller alone.
    ///
    /// ```
    /// # use talk_proto::{SessionOptions, registry::{Registry, SessionKey}};
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let key = SessionKey::of(&options);
    /// # let mut registry = Registry::new();
    /// registry.get_or_insert(&key.clone().into(), 1);
    /// assert_eq!(registry.remove_if(&key, |session| *session == 2), None);
    /// assert_eq!(registry.remove_if(&key, |session| *session == 1), Some(1));
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn remove_if(&mut self, key: &SessionKey, is_it: impl FnOnce(&S) -> bool) -> Option<S> {
        if is_it(self.living.get(key)?) {
            self.living.remove(key)
        } else {
            None
        }
    }

    /// How many sessions live.
    ///
    /// ```
    /// # use talk_proto::{SessionOptions, registry::{Registry, SessionKey}};
    /// # let options = SessionOptions::new("my_app".try_into()?, "alice".try_into()?);
    /// # let key = SessionKey::of(&options);
    /// # let mut registry = Registry::new();
    /// registry.get_or_insert(&key.into(), 1);
    /// assert_eq!(registry.len(), 1);
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn len(&self) -> usize {
        self.living.len()
    }

    /// Whether no session lives.
    ///
    /// ```
    /// assert!(talk_proto::registry::Registry::<u32>::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.living.is_empty()
    }
}

impl<S> Default for Registry<S> {
    fn default() -> Self {
        Self::new()
    }
}
