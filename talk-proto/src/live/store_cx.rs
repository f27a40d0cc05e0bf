//! The context shared by all stores.

use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::echoes::Echoes;
use super::key::{Dependent, StoreKey};
use super::stores::list_filter::ListFilter;
use super::stores::users::Users;
use super::sync::linger::Linger;
use super::sync::requests::LiveRequests;
use super::sync::rest_queue::RestQueue;
use crate::cache::CachedItems;
use crate::collections::{HashSet, ReleaseMemory};
use crate::error::RequestError;
use crate::model::{ConversationId, ConversationSnapshot, User, UserId};
use crate::options::Limits;
use crate::timestamp::Timestamp;

/// The requests and users that all stores share, and the work of the next drain.
pub(super) struct StoreCx {
    pub(super) me: UserId,
    pub(super) limits: Limits,
    pub(super) now: Timestamp,
    /// Set while the connection is authenticated.
    pub(super) ready: bool,
    pub(super) requests: LiveRequests,
    pub(super) users: Users,
    pub(super) linger: Linger,
    pub(super) echoes: Echoes,
    /// The items of the cache, until all of its windows are replaced.
    pub(super) cached: Option<Box<CachedItems>>,
    /// Stores that may have data to fetch.
    pub(super) to_fetch: WorkQueue,
    /// The lists with a rest to load. Boxed, because few sessions have one.
    pub(super) rest: Option<Box<RestQueue>>,
    /// Stores that an unreadable event concerned. Each is loaded again once it is not loading.
    #[expect(
        clippy::box_collection,
        reason = "every session has the field, and few need it"
    )]
    pub(super) outdated: Option<Box<BTreeSet<StoreKey>>>,
    /// Stores that wait for the acknowledgement of an UNSUBSCRIBE before they subscribe.
    pub(super) deferred: BTreeSet<StoreKey>,
    /// Stores whose viewers may need an update.
    pub(super) changed: StoreSet,
    /// Stores that may have lost their last reference.
    pub(super) unreferenced: BTreeSet<StoreKey>,
    /// Users that have changed, each with a dependent.
    pub(super) dirty_users: VecDeque<(UserId, Dependent)>,
    /// Actions of conversation lists on conversations.
    pub(super) list_actions: VecDeque<ListAction>,
    /// The number of unreadable items in responses, not yet reported.
    pub(super) damaged_items: usize,
    /// Stores that have failed.
    pub(super) failed: VecDeque<(StoreKey, RequestError)>,
}

impl StoreCx {
    pub(super) fn new(me: UserId, limits: Limits) -> Self {
        Self {
            me,
            limits,
            now: Timestamp::default(),
            ready: false,
            requests: LiveRequests::default(),
            users: Users::default(),
            linger: Linger::default(),
            echoes: Echoes::default(),
            cached: None,
            to_fetch: WorkQueue::default(),
            rest: None,
            outdated: None,
            deferred: BTreeSet::new(),
            changed: StoreSet::default(),
            unreferenced: BTreeSet::new(),
            dirty_users: VecDeque::new(),
            list_actions: VecDeque::new(),
            damaged_items: 0,
            failed: VecDeque::new(),
        }
    }

    /// Keeps `user` current until `dependent` releases it.
    pub(super) fn retain_user(&mut self, user: &UserId, dependent: Dependent) {
        if self.users.retain(user, dependent) {
            let key = StoreKey::User(user.clone());
            if self.requests.is_closing(&key.scope()) {
                self.deferred.insert(key);
            } else if self.ready {
                self.requests.user(user.clone());
            }
        } else {
            self.linger.stop(&StoreKey::User(user.clone()));
        }
    }

    /// Releases a user that [`retain_user`](Self::retain_user) retained.
    pub(super) fn release_user(&mut self, user: &UserId, dependent: &Dependent) {
        if self.users.release(user, dependent) {
            self.unreferenced.insert(StoreKey::User(user.clone()));
        }
    }

    /// Schedules a fetch of missing data and updates of the viewers.
    pub(super) fn mark_dirty(&mut self, key: &StoreKey) {
        self.to_fetch.add(key);
        self.changed.insert(key.clone());
    }

    /// Returns the user, `Some(None)` if it does not exist, or `None` if it is not known yet.
    pub(super) fn user(&self, user: &UserId) -> Option<Option<&Arc<User>>> {
        self.users.get(user)
    }

    /// Reports the failure of several stores.
    pub(super) fn fail_all(
        &mut self,
        keys: impl IntoIterator<Item = StoreKey>,
        error: &RequestError,
    ) {
        let keys = keys.into_iter();
        self.failed.extend(keys.map(|key| (key, error.clone())));
    }

    /// Releases the memory of empty collections.
    pub(super) fn release_memory(&mut self) {
        self.requests.release_memory();
        self.linger.release_memory();
        self.to_fetch.release_memory();
        self.deferred.release_memory();
        self.changed.release_memory();
        self.unreferenced.release_memory();
        self.dirty_users.release_memory();
        self.list_actions.release_memory();
        self.failed.release_memory();
    }

    /// Discards all requests, sent or planned.
    pub(super) fn discard_requests(&mut self) {
        self.requests.clear();
        self.to_fetch = WorkQueue::default();
        self.rest = None;
        self.outdated = None;
        self.deferred.clear();
    }

    /// Discards all pending work.
    pub(super) fn clear(&mut self) {
        self.discard_requests();
        self.changed.clear();
        self.unreferenced.clear();
        self.dirty_users.clear();
        self.list_actions.clear();
        self.failed.clear();
    }
}

/// An action of a conversation list on one conversation.
pub(super) enum ListAction {
    /// Passes the state of the conversation, which the list contains or may contain, to its store.
    Supply(ListFilter, Box<ConversationSnapshot>),
    /// Fetches the conversation, which the list may contain.
    Watch(ListFilter, ConversationId),
    /// Removes the conversation from the list.
    Release(ListFilter, ConversationId),
}

/// A sorted set of stores. It usually has one, which is therefore outside of the tree.
#[derive(Default)]
pub(super) struct StoreSet {
    first: Option<StoreKey>,
    rest: BTreeSet<StoreKey>,
}

impl StoreSet {
    pub(super) fn insert(&mut self, key: StoreKey) {
        let Some(first) = &mut self.first else {
            self.first = Some(key);
            return;
        };
        match key.cmp(first) {
            Ordering::Less => self.rest.insert(std::mem::replace(first, key)),
            Ordering::Equal => false,
            Ordering::Greater => self.rest.insert(key),
        };
    }

    /// Removes and returns the first store.
    pub(super) fn pop_first(&mut self) -> Option<StoreKey> {
        let first = self.first.take()?;
        self.first = self.rest.pop_first();
        Some(first)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn release_memory(&mut self) {
        self.rest.release_memory();
    }
}

/// A queue of distinct stores.
#[derive(Default)]
pub(super) struct WorkQueue {
    queue: VecDeque<StoreKey>,
    members: HashSet<StoreKey>,
}

impl WorkQueue {
    pub(super) fn add(&mut self, key: &StoreKey) {
        if self.members.insert(key.clone()) {
            self.queue.push_back(key.clone());
        }
    }

    pub(super) fn pop(&mut self) -> Option<StoreKey> {
        let key = self.queue.pop_front()?;
        self.members.remove(&key);
        Some(key)
    }

    fn release_memory(&mut self) {
        self.queue.release_memory();
        self.members.release_memory();
    }
}
