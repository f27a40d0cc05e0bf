//! Things of which there is one: a participant, whether a user is online, who is typing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::store::{Response, Store, ViewUpdate};
use crate::command::RequestId;
use crate::error::{RequestError, TransportError};
use crate::live::key::{Dependent, StoreKey, ViewerId};
use crate::live::store_cx::StoreCx;
use crate::live::sync::state::{Stage, SyncState, is_absence};
use crate::model::{User, UserId};
use crate::snapshot::Snapshot;
use crate::wire::ServerEvent;

/// One kind of thing: how events change it, and how it is shown.
pub(crate) trait Entity {
    type Value: Clone + PartialEq + DeserializeOwned;

    /// Changes the value, where `None` = it does not exist. Whether it may have come to be, and
    /// must be loaded.
    fn apply(&self, value: &mut Option<Self::Value>, event: &ServerEvent) -> bool;

    /// The users that it shows; they are held even before it is known, if they are known.
    fn users(&self, value: Option<&Self::Value>) -> BTreeSet<UserId>;

    /// The snapshot; `None` while a user is not yet known.
    fn snapshot(&self, value: Option<&Self::Value>, users: Lookup<'_>) -> Option<Snapshot>;

    /// Whether a `get` fails where a subscription shows that there is nothing.
    fn fails_get(&self, refusal: &RequestError, me: &UserId) -> bool {
        let _ = (refusal, me);
        false
    }
}

/// Users as far as they are known.
#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a>(&'a StoreCx);

impl Lookup<'_> {
    /// Nothing yet, that there is no such user, or the user.
    pub(crate) fn get(&self, user: &UserId) -> Option<Option<Arc<User>>> {
        self.0.user(user).map(|user| user.cloned())
    }

    /// The user whose session this is.
    pub(crate) fn me(&self) -> &UserId {
        &self.0.me
    }
}

/// The store of one thing.
pub(crate) struct EntityStore<T: Entity> {
    sync: SyncState,
    thing: T,
    value: Option<T::Value>,
    users: BTreeSet<UserId>,
    /// The snapshot that was shown last.
    current: Option<Snapshot>,
    views: BTreeMap<ViewerId, Option<Snapshot>>,
    refusal: Option<RequestError>,
}

/// The data of a GET without parameters.
#[derive(Serialize)]
pub(crate) struct NoParameters {}

impl<T: Entity> EntityStore<T> {
    pub(crate) fn new(key: StoreKey, thing: T) -> Self {
        Self {
            sync: SyncState::new(key),
            thing,
            value: None,
            users: BTreeSet::new(),
            current: None,
            views: BTreeMap::new(),
            refusal: None,
        }
    }

    fn hold_users(&mut self, cx: &mut StoreCx) {
        let users = self.thing.users(self.value.as_ref());
        let dependent = Dependent::Store(self.sync.key().clone());
        for user in users.difference(&self.users) {
            cx.hold_user(user, dependent.clone());
        }
        for user in self.users.difference(&users) {
            cx.release_user(user, &dependent);
        }
        self.users = users;
    }

    /// Takes `value` as what the server holds, and what came since.
    fn take(&mut self, value: Option<T::Value>, cx: &mut StoreCx) {
        self.value = value;
        let mut may_exist = false;
        for event in self.sync.log() {
            may_exist |= self.thing.apply(&mut self.value, event);
        }
        if may_exist && self.value.is_none() {
            self.sync.reload(cx);
        } else {
            self.set(cx);
        }
    }

    fn set(&mut self, cx: &mut StoreCx) {
        self.sync.drop_load(cx);
        self.sync.stage = match self.value {
            Some(_) => Stage::Loaded,
            None => Stage::Absent,
        };
        self.sync.clear_log();
        self.hold_users(cx);
        cx.changed.insert(self.sync.key().clone());
    }
}

impl<T: Entity> Store for EntityStore<T> {
    fn open(&mut self, cx: &mut StoreCx) {
        self.sync.open(cx);
        self.hold_users(cx);
    }

    fn lost(&mut self) {
        self.sync.lost();
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.sync.close(cx);
        let dependent = Dependent::Store(self.sync.key().clone());
        for user in std::mem::take(&mut self.users) {
            cx.release_user(&user, &dependent);
        }
    }

    fn sync(&mut self) -> &mut SyncState {
        &mut self.sync
    }

    fn is_wanted(&self) -> bool {
        !self.views.is_empty()
    }

    fn fetch(&mut self, cx: &mut StoreCx) {
        if self.sync.should_load(cx) {
            let fetch = cx.requests.load(self.sync.key(), &NoParameters {});
            self.sync.fetch = Some(fetch);
        }
    }

    fn answer(&mut self, answer: Response<'_>, cx: &mut StoreCx) {
        self.sync.fetch = None;
        self.refusal = None;
        match answer {
            Ok(body) => {
                let value = body.and_then(|body| serde_json::from_str(body.get()).ok());
                if value.is_some() {
                    self.take(value, cx);
                } else {
                    let malformed = TransportError::Malformed.into();
                    cx.failed.push_back((self.sync.key().clone(), malformed));
                }
            }
            Err(error) if is_absence(&error) => {
                if self.thing.fails_get(&error, &cx.me) {
                    self.refusal = Some(error);
                }
                self.take(None, cx);
            }
            Err(error) => cx.failed.push_back((self.sync.key().clone(), error)),
        }
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        if self.sync.stage == Stage::Unloaded {
            let mut whole = None;
            self.thing.apply(&mut whole, event);
            if whole.is_some() && self.sync.is_open(cx) {
                // The event tells everything: no answer can tell more.
                self.value = whole;
                self.set(cx);
            } else {
                self.sync.admit(event, false, cx);
            }
            return;
        }
        let mut value = self.value.clone();
        let may_exist = self.thing.apply(&mut value, event);
        if value != self.value {
            self.value = value;
            self.set(cx);
        } else if may_exist && self.value.is_none() {
            self.sync.reload(cx);
        }
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.views.keys().copied().collect()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx) {
        self.views.insert(viewer, None);
        cx.changed.insert(self.sync.key().clone());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.views.remove(&viewer);
        Vec::new()
    }

    fn review(&mut self, cx: &StoreCx, news: &mut Vec<ViewUpdate>) {
        if self.sync.stage == Stage::Unloaded {
            return;
        }
        let Some(snapshot) = self.thing.snapshot(self.value.as_ref(), Lookup(cx)) else {
            return;
        };
        let shown = self.current.take().filter(|shown| *shown == snapshot);
        let current = self.current.insert(shown.unwrap_or(snapshot));
        for (viewer, seen) in &mut self.views {
            if seen.as_ref() != Some(&*current) {
                *seen = Some(current.clone());
                let mut one = ViewUpdate::of(*viewer, current.clone());
                one.refusal.clone_from(&self.refusal);
                news.push(one);
            }
        }
    }
}
