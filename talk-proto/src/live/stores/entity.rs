//! Stores of single entities: a participant, a user's presence, the typing users.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::store::Store;
use super::view_update::ViewUpdate;
use super::viewers::Viewers;
use crate::command::RequestId;
use crate::error::RequestError;
use crate::live::key::{Dependent, StoreKey, ViewerId};
use crate::live::store_cx::StoreCx;
use crate::live::sync::response::Response;
use crate::live::sync::state::{Stage, SyncState};
use crate::model::{User, UserId};
use crate::snapshot::Snapshot;
use crate::wire::{Salvage, ServerEvent};

/// A kind of entity: the effect of events on it, and its snapshot.
pub(crate) trait Entity: Send + Sync + 'static {
    type Value: Clone + PartialEq + Salvage + Send + Sync;

    /// Applies an event to the value; `None` is an absent entity. Returns `true` if an absent
    /// entity may exist now and must be fetched.
    fn apply(&self, value: &mut Option<Self::Value>, event: &ServerEvent) -> bool;

    /// Returns the users that the snapshot shows. The value is `None` for an absent entity and
    /// before the first load.
    fn users(&self, value: Option<&Self::Value>) -> BTreeSet<UserId>;

    /// Returns the snapshot, or `None` while a user is unknown.
    fn snapshot(&self, value: Option<&Self::Value>, users: Lookup<'_>) -> Option<Snapshot>;

    /// Returns `true` if the refusal is an error for a `get`. A subscription shows an absent entity
    /// instead.
    fn fails_get(&self, _refusal: &RequestError, _me: &UserId) -> bool {
        false
    }

    /// Returns the refusal that a `get` would receive after the event, if it makes the entity
    /// unreadable.
    fn refusal_after(&self, _event: &ServerEvent, _me: &UserId) -> Option<RequestError> {
        None
    }
}

/// Read access to the known users.
#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a>(&'a StoreCx);

impl Lookup<'_> {
    /// Returns the user, `Some(None)` if it does not exist, or `None` if it is not known yet.
    pub(crate) fn get(&self, user: &UserId) -> Option<Option<Arc<User>>> {
        self.0.user(user).map(|user| user.cloned())
    }

    /// Returns the current user.
    pub(crate) fn me(&self) -> &UserId {
        &self.0.me
    }
}

/// The store of one entity.
pub(crate) struct EntityStore<T: Entity> {
    sync: SyncState,
    kind: T,
    value: Option<T::Value>,
    /// The users that the store retains.
    users: BTreeSet<UserId>,
    /// The last snapshot, whose allocation the viewers share.
    current: Option<Snapshot>,
    viewers: Viewers<Snapshot>,
    refusal: Option<RequestError>,
}

impl<T: Entity> EntityStore<T> {
    pub(crate) fn new(key: StoreKey, kind: T) -> Self {
        Self {
            sync: SyncState::new(key),
            kind,
            value: None,
            users: BTreeSet::new(),
            current: None,
            viewers: Viewers::new(),
            refusal: None,
        }
    }

    fn retain_users(&mut self, cx: &mut StoreCx) {
        let users = self.kind.users(self.value.as_ref());
        let dependent = Dependent::Store(self.sync.key().clone());
        for user in users.difference(&self.users) {
            cx.retain_user(user, dependent.clone());
        }
        for user in self.users.difference(&users) {
            cx.release_user(user, &dependent);
        }
        self.users = users;
    }

    /// Stores a loaded value and applies the log to it.
    fn set_loaded(&mut self, value: Option<T::Value>, cx: &mut StoreCx) {
        self.value = value;
        let mut may_exist = false;
        for event in self.sync.log() {
            may_exist |= self.kind.apply(&mut self.value, event);
            let refusal = self.kind.refusal_after(event, &cx.me);
            self.refusal = refusal.or(self.refusal.take());
        }
        if may_exist && self.value.is_none() {
            self.sync.reload(cx);
        } else {
            self.publish(cx);
        }
    }

    /// Marks the value as current and schedules updates.
    fn publish(&mut self, cx: &mut StoreCx) {
        let stage = match self.value {
            Some(_) => Stage::Loaded,
            None => Stage::Absent,
        };
        self.refusal.take_if(|_| self.value.is_some());
        self.sync.set_stage(stage, cx);
        self.retain_users(cx);
        cx.changed.insert(self.sync.key().clone());
    }
}

impl<T: Entity> Store for EntityStore<T> {
    fn sync(&mut self) -> &mut SyncState {
        &mut self.sync
    }

    fn open(&mut self, cx: &mut StoreCx) {
        self.sync.open(cx);
        self.retain_users(cx);
    }

    fn close(&mut self, cx: &mut StoreCx) {
        self.sync.close(cx);
        let dependent = Dependent::Store(self.sync.key().clone());
        for user in std::mem::take(&mut self.users) {
            cx.release_user(&user, &dependent);
        }
    }

    fn is_referenced(&self) -> bool {
        !self.viewers.is_empty()
    }

    fn fetch_missing(&mut self, cx: &mut StoreCx) {
        if self.sync.should_load(cx) {
            self.sync.load(cx);
        }
    }

    fn handle_response(&mut self, response: Response<'_>, cx: &mut StoreCx) {
        self.refusal = None;
        match self.sync.decode(response, cx) {
            None => {}
            Some(Ok(value)) => self.set_loaded(Some(value), cx),
            Some(Err(error)) => {
                self.refusal = Some(error).filter(|error| self.kind.fails_get(error, &cx.me));
                self.set_loaded(None, cx);
            }
        }
    }

    fn handle_event(&mut self, event: &ServerEvent, cx: &mut StoreCx) {
        if self.sync.stage == Stage::Unloaded {
            let mut whole = None;
            self.kind.apply(&mut whole, event);
            if whole.is_some() && self.sync.is_open(cx) {
                // The event contains the whole value, so the pending response cannot be newer.
                self.value = whole;
                self.publish(cx);
            } else {
                self.sync.admit(event, false, cx);
            }
            return;
        }
        let refusal = self.kind.refusal_after(event, &cx.me);
        self.refusal = refusal.or(self.refusal.take());
        let mut value = self.value.clone();
        let may_exist = self.kind.apply(&mut value, event);
        if value != self.value {
            self.value = value;
            self.publish(cx);
        } else if may_exist && self.value.is_none() {
            self.sync.reload(cx);
        }
    }

    fn handle_user_change(&mut self, _: &UserId, cx: &mut StoreCx) {
        cx.changed.insert(self.sync.key().clone());
    }

    fn viewers(&self) -> Vec<ViewerId> {
        self.viewers.ids()
    }

    fn add_viewer(&mut self, viewer: ViewerId, cx: &mut StoreCx) {
        self.viewers.add(viewer);
        cx.changed.insert(self.sync.key().clone());
    }

    fn remove_viewer(&mut self, viewer: ViewerId) -> Vec<RequestId> {
        self.viewers.remove(viewer);
        Vec::new()
    }

    fn collect_updates(&mut self, cx: &StoreCx, updates: &mut Vec<ViewUpdate>) {
        if self.sync.stage == Stage::Unloaded {
            return;
        }
        let Some(snapshot) = self.kind.snapshot(self.value.as_ref(), Lookup(cx)) else {
            return;
        };
        let unchanged = self.current.take().filter(|current| *current == snapshot);
        let current = self.current.insert(unchanged.unwrap_or(snapshot));
        for viewer in self.viewers.outdated(current) {
            updates.push(ViewUpdate {
                refusal: self.refusal.clone(),
                ..ViewUpdate::new(viewer, current.clone())
            });
        }
    }
}
