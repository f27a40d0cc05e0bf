//! The stores of users.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::view_update::ViewUpdate;
use super::viewers::Viewers;
use crate::collections::{HashMap, HashSet};
use crate::live::interface::FetchId;
use crate::live::key::{Dependent, StoreKey, ViewerId};
use crate::live::store_cx::StoreCx;
use crate::model::{User, UserId};
use crate::snapshot::Snapshot;
use crate::wire::ServerEvent;

/// The maximum number of logged events per user while a response is pending.
const LOG_LIMIT: usize = 1000;

/// All users that are referenced or were referenced until recently.
#[derive(Default)]
pub(crate) struct Users {
    /// The stores are boxed because a map allocates space for several values, and most sessions
    /// have few.
    stores: HashMap<UserId, Box<UserStore>>,
    next_serial: u64,
}

struct UserStore {
    /// The order of creation.
    serial: u64,
    /// The user, `Some(None)` if it does not exist, or `None` if it is not known yet.
    value: Option<Option<Arc<User>>>,
    /// Set if the value was loaded on the current connection.
    is_fresh: bool,
    /// The pending GET.
    fetch: Option<FetchId>,
    log: Vec<ServerEvent>,
    dependents: HashSet<Dependent>,
    viewers: Viewers<Option<Arc<User>>>,
}

impl UserStore {
    /// Returns the dependents of the user in a deterministic order, each with the user.
    fn dependents(&self, user: &UserId) -> impl Iterator<Item = (UserId, Dependent)> {
        let mut dependents: Vec<_> = self.dependents.iter().cloned().collect();
        dependents.sort_unstable();
        let dependents = dependents.into_iter();
        dependents.map(|dependent| (user.clone(), dependent))
    }
}

impl Users {
    pub(crate) fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// Returns the user, `Some(None)` if it does not exist, or `None` if it is not known yet.
    pub(crate) fn get(&self, user: &UserId) -> Option<Option<&Arc<User>>> {
        let value = self.stores.get(user)?.value.as_ref()?;
        Some(value.as_ref())
    }

    /// Returns the equal ID in the table, so that messages share its allocation.
    pub(crate) fn interned(&self, user: &UserId) -> Option<UserId> {
        let known = self.stores.get_key_value(user);
        known.map(|(known, _)| known.clone())
    }

    /// Returns the user if it was loaded on the current connection.
    pub(crate) fn fresh(&self, user: &UserId) -> Option<Option<&Arc<User>>> {
        let store = self.stores.get(user).filter(|store| store.is_fresh)?;
        Some(store.value.as_ref()?.as_ref())
    }

    /// Adds a dependent. Returns `true` if the user is new and must be fetched.
    pub(crate) fn retain(&mut self, user: &UserId, dependent: Dependent) -> bool {
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
                viewers: Viewers::new(),
            })
        });
        if let Dependent::Viewer(viewer) = dependent {
            store.viewers.add(viewer);
        }
        store.dependents.insert(dependent);
        is_new
    }

    /// Removes a dependent. Returns `true` if it was the last one.
    pub(crate) fn release(&mut self, user: &UserId, dependent: &Dependent) -> bool {
        let store = self.stores.get_mut(user);
        store.is_some_and(|store| {
            if let Dependent::Viewer(viewer) = dependent {
                store.viewers.remove(*viewer);
            }
            store.dependents.remove(dependent) && store.dependents.is_empty()
        })
    }

    pub(crate) fn contains(&self, user: &UserId) -> bool {
        self.stores.contains_key(user)
    }

    pub(crate) fn is_referenced(&self, user: &UserId) -> bool {
        let store = self.stores.get(user);
        store.is_some_and(|store| !store.dependents.is_empty())
    }

    /// Returns `true` while the response with the user is pending.
    pub(crate) fn is_loading(&self, user: &UserId) -> bool {
        let store = self.stores.get(user);
        store.is_some_and(|store| store.fetch.is_some())
    }

    /// Returns `true` if the user must be fetched and no request is pending.
    pub(crate) fn needs_fetch(&self, user: &UserId) -> bool {
        let store = self.stores.get(user);
        store.is_some_and(|store| !store.is_fresh && store.fetch.is_none())
    }

    pub(crate) fn remove(&mut self, user: &UserId) {
        self.stores.remove(user);
    }

    pub(crate) fn viewers(&self, user: &UserId) -> Vec<ViewerId> {
        let store = self.stores.get(user);
        store.map_or_else(Vec::new, |store| store.viewers.ids())
    }

    /// Collects the updates that viewers of the user have not received.
    pub(crate) fn collect_updates(&mut self, user: &UserId, updates: &mut Vec<ViewUpdate>) {
        let store = self.stores.get_mut(user).filter(|store| store.is_fresh);
        if let Some(store) = store
            && let Some(value) = &store.value
        {
            let viewers = store.viewers.outdated(value);
            let snapshot = || Snapshot::User(value.clone());
            updates.extend(viewers.map(|viewer| ViewUpdate::new(viewer, snapshot())));
        }
    }

    /// Marks all users as outdated after a connection loss. Drops and returns unreferenced ones.
    pub(crate) fn handle_lost(&mut self) -> Vec<UserId> {
        let mut dropped = Vec::new();
        self.stores.retain(|user, store| {
            store.is_fresh = false;
            store.fetch = None;
            store.log.clear();
            if store.dependents.is_empty() {
                dropped.push(user.clone());
            }
            !store.dependents.is_empty()
        });
        dropped.sort_unstable();
        dropped
    }

    /// Returns all users in the order of creation.
    pub(crate) fn in_order(&self) -> Vec<UserId> {
        let mut users: Vec<_> = self.stores.iter().map(|(u, s)| (s.serial, u)).collect();
        users.sort_unstable();
        users.into_iter().map(|(_, user)| user.clone()).collect()
    }

    /// Records the GET of a user.
    pub(crate) fn set_fetch(&mut self, fetch: FetchId, user: &UserId) {
        if let Some(store) = self.stores.get_mut(user) {
            store.fetch = Some(fetch);
        }
    }
}

impl StoreCx {
    /// Handles the response to a GET of users; `None` is a failure. Users that are still unknown
    /// then count as absent.
    pub(crate) fn handle_users(
        &mut self,
        fetch: FetchId,
        requested: &[UserId],
        mut response: Option<BTreeMap<UserId, User>>,
    ) {
        for id in requested {
            let Some(store) = self.users.stores.get_mut(id) else {
                continue;
            };
            if store.fetch != Some(fetch) {
                continue;
            }
            store.fetch = None;
            store.is_fresh = true;
            let old = store.value.clone();
            let mut value = match &mut response {
                Some(users) => users.remove(id).filter(|user| user.id == *id),
                None => old.clone().flatten().map(Arc::unwrap_or_clone),
            };
            let exists = value.is_some();
            for event in store.log.drain(..) {
                // A response that contains the user is newer than its creation.
                if !exists || !matches!(event, ServerEvent::UserCreated { .. }) {
                    apply(&mut value, event);
                }
            }
            if old.is_none_or(|old| old.as_deref() != value.as_ref()) {
                let cached = match (&self.cached, &value) {
                    (Some(cached), Some(user)) => cached.user(user),
                    _ => None,
                };
                store.value = Some(cached.or_else(|| value.map(Arc::new)));
                self.dirty_users.extend(store.dependents(id));
            }
            self.changed.insert(StoreKey::User(id.clone()));
        }
    }

    /// Loads a user again. Returns `false` if the user is unknown or not loaded.
    pub(crate) fn reload_user(&mut self, id: &UserId) -> bool {
        match self.users.stores.get_mut(id) {
            Some(store) if store.is_fresh => {
                store.is_fresh = false;
                self.requests.user(id.clone());
                true
            }
            _ => false,
        }
    }

    /// Applies an event to a user.
    pub(crate) fn handle_user_event(&mut self, id: &UserId, event: &ServerEvent) {
        let Some(store) = self.users.stores.get_mut(id) else {
            return;
        };
        if !store.is_fresh {
            // An event that arrived before the request was sent is older than any response.
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
            self.dirty_users.extend(store.dependents(id));
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
