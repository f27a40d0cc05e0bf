//! Users: one store for each that anything shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collections::{HashMap, HashSet};
use crate::live::interface::FetchId;
use crate::live::key::{Dependent, StoreKey, ViewerId};
use crate::live::store_cx::StoreCx;
use crate::model::{User, UserId};
use crate::wire::ServerEvent;

/// How many events of one user are kept while their answer is awaited.
const LOG_LIMIT: usize = 1000;

/// Every user that anything shows, or showed a moment ago.
pub(crate) struct Users {
    /// Boxed, as [`Stores`](super::table::Stores) are.
    stores: HashMap<UserId, Box<UserStore>>,
    next_serial: u64,
}

struct UserStore {
    /// The order in which users came to be needed.
    serial: u64,
    /// The user, or that there is none; `None` until that is known.
    value: Option<Option<Arc<User>>>,
    /// Whether the value is from this connection.
    is_fresh: bool,
    /// The GET that is awaited.
    fetch: Option<FetchId>,
    log: Vec<ServerEvent>,
    dependents: HashSet<Dependent>,
    /// Those who see the user alone, and what they saw last.
    views: BTreeMap<ViewerId, Option<Option<Arc<User>>>>,
}

impl UserStore {
    /// What shows the user, always in the same order.
    fn dependents(&self) -> Vec<Dependent> {
        let mut dependents: Vec<_> = self.dependents.iter().cloned().collect();
        dependents.sort_unstable();
        dependents
    }
}

impl Users {
    pub(crate) fn new() -> Self {
        Self {
            stores: HashMap::default(),
            next_serial: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    pub(crate) fn get(&self, user: &UserId) -> Option<Option<&Arc<User>>> {
        let value = self.stores.get(user)?.value.as_ref()?;
        Some(value.as_ref())
    }

    /// The user as they are for certain on this connection.
    pub(crate) fn fresh(&self, user: &UserId) -> Option<Option<&Arc<User>>> {
        let store = self.stores.get(user).filter(|store| store.is_fresh)?;
        Some(store.value.as_ref()?.as_ref())
    }

    /// Whether the user is new here and has to be fetched.
    pub(crate) fn hold(&mut self, user: &UserId, dependent: Dependent) -> bool {
        let is_new = !self.stores.contains_key(user);
        let store = self.stores.entry(user.clone()).or_insert_with(|| {
            self.next_serial += 1;
            Box::new(UserStore {
                serial: self.next_serial,
                value: None,
                is_fresh: false,
                fetch: None,
                log: Vec::new(),
                dependents: HashSet::default(),
                views: BTreeMap::new(),
            })
        });
        if let Dependent::Viewer(viewer) = &dependent {
            store.views.insert(*viewer, None);
        }
        store.dependents.insert(dependent);
        is_new
    }

    /// Whether nothing shows the user any more.
    pub(crate) fn release(&mut self, user: &UserId, dependent: &Dependent) -> bool {
        let store = self.stores.get_mut(user);
        store.is_some_and(|store| {
            if let Dependent::Viewer(viewer) = dependent {
                store.views.remove(viewer);
            }
            store.dependents.remove(dependent) && store.dependents.is_empty()
        })
    }

    pub(crate) fn contains(&self, user: &UserId) -> bool {
        self.stores.contains_key(user)
    }

    pub(crate) fn is_wanted(&self, user: &UserId) -> bool {
        let store = self.stores.get(user);
        store.is_some_and(|store| !store.dependents.is_empty())
    }

    /// Whether the user is to be asked for, and was not.
    pub(crate) fn is_unasked(&self, user: &UserId) -> bool {
        let store = self.stores.get(user);
        store.is_some_and(|store| !store.is_fresh && store.fetch.is_none())
    }

    pub(crate) fn remove(&mut self, user: &UserId) {
        self.stores.remove(user);
    }

    /// Those who see the user alone.
    pub(crate) fn viewers(&self, user: &UserId) -> Vec<ViewerId> {
        let store = self.stores.get(user);
        store.map_or_else(Vec::new, |store| store.views.keys().copied().collect())
    }

    /// What those who see the user alone have not seen yet.
    pub(crate) fn review(&mut self, user: &UserId) -> Vec<(ViewerId, Option<Arc<User>>)> {
        let store = self.stores.get_mut(user).filter(|store| store.is_fresh);
        let Some((value, views)) = store.and_then(|s| Some((s.value.as_ref()?, &mut s.views)))
        else {
            return Vec::new();
        };
        let mut news = Vec::new();
        for (viewer, seen) in views {
            if seen.as_ref() != Some(value) {
                *seen = Some(value.clone());
                news.push((*viewer, value.clone()));
            }
        }
        news
    }

    /// The connection is gone: what is known is not certain any more.
    pub(crate) fn lost(&mut self) {
        self.stores.retain(|_, store| {
            store.is_fresh = false;
            store.fetch = None;
            store.log.clear();
            !store.dependents.is_empty()
        });
    }

    /// Every user, in the order in which they came to be needed.
    pub(crate) fn in_order(&self) -> Vec<UserId> {
        let mut users: Vec<_> = self.stores.iter().map(|(u, s)| (s.serial, u)).collect();
        users.sort_unstable();
        users.into_iter().map(|(_, user)| user.clone()).collect()
    }

    /// Notes that `fetch` asks for the user.
    pub(crate) fn asked(&mut self, fetch: FetchId, user: &UserId) {
        if let Some(store) = self.stores.get_mut(user) {
            store.fetch = Some(fetch);
        }
    }
}

impl StoreCx {
    /// Takes the answer to a GET of users; `None` = refused, and who is not known counts as
    /// missing.
    pub(crate) fn take_users(
        &mut self,
        fetch: FetchId,
        asked: &[UserId],
        mut answer: Option<BTreeMap<UserId, User>>,
    ) {
        for id in asked {
            let Some(store) = self.users.stores.get_mut(id) else {
                continue;
            };
            if store.fetch != Some(fetch) {
                continue;
            }
            store.fetch = None;
            store.is_fresh = true;
            let mut value = match &mut answer {
                Some(users) => users.remove(id).filter(|user| user.id == *id),
                None => store
                    .value
                    .iter()
                    .flatten()
                    .next()
                    .map(|user| (**user).clone()),
            };
            let exists = value.is_some();
            for event in store.log.drain(..) {
                // An answer that knows the user is newer than their creation.
                if !exists || !matches!(event, ServerEvent::UserCreated { .. }) {
                    apply(&mut value, event);
                }
            }
            let same = store
                .value
                .as_ref()
                .is_some_and(|old| old.as_deref() == value.as_ref());
            if !same {
                store.value = Some(value.map(Arc::new));
                self.dirty_users.extend(store.dependents());
            }
            self.changed.insert(StoreKey::User(id.clone()));
        }
    }

    /// Applies an event about a user.
    pub(crate) fn handle_user_event(&mut self, id: &UserId, event: &ServerEvent) {
        let Some(store) = self.users.stores.get_mut(id) else {
            return;
        };
        if !store.is_fresh {
            // What comes before anything was sent is older than any answer.
            if store.fetch.is_some() {
                store.log.push(event.clone());
            }
            if store.log.len() > LOG_LIMIT {
                store.log.clear();
                store.fetch = None;
                self.requests.user(id.clone());
            }
            return;
        }
        let old = store.value.clone().flatten();
        let mut value = old.as_deref().cloned();
        apply(&mut value, event.clone());
        if old.as_deref() != value.as_ref() {
            store.value = Some(value.map(Arc::new));
            self.dirty_users.extend(store.dependents());
            self.changed.insert(StoreKey::User(id.clone()));
        }
    }
}

fn apply(user: &mut Option<User>, event: ServerEvent) {
    match (event, user) {
        (ServerEvent::UserCreated { state, .. }, user) => *user = Some(*state),
        (ServerEvent::UserEdited { diff, .. }, Some(user)) => user.apply(*diff),
        _ => {}
    }
}
