//! What every store needs beside itself.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::key::{Dependent, StoreKey};
use super::stores::list_filter::ListFilter;
use super::stores::users::Users;
use super::sync::linger::Linger;
use super::sync::requests::LiveRequests;
use crate::collections::{GiveBack, HashSet};
use crate::error::RequestError;
use crate::model::{ConversationId, Side, User, UserId};
use crate::options::Limits;
use crate::timestamp::Timestamp;

/// The surroundings of a store: where its requests go, the users it shows, and the lists of what
/// is to be looked at before the next drain ends.
pub(super) struct StoreCx {
    pub(super) me: UserId,
    pub(super) limits: Limits,
    pub(super) now: Timestamp,
    /// Whether the connection is authenticated.
    pub(super) ready: bool,
    pub(super) requests: LiveRequests,
    pub(super) users: Users,
    /// When stores that nobody shows are dropped.
    pub(super) linger: Linger,
    /// Stores that may have something to ask the server.
    pub(super) to_fetch: WorkQueue,
    /// Stores that are subscribed once the server has ended other subscriptions.
    pub(super) deferred: WorkQueue,
    /// Stores whose viewers may have something new to see.
    pub(super) changed: BTreeSet<StoreKey>,
    /// Stores that may have lost the last one who shows them.
    pub(super) unreferenced: BTreeSet<StoreKey>,
    /// What shows a user that changed.
    pub(super) dirty_users: VecDeque<Dependent>,
    /// What lists of conversations make of their conversations.
    pub(super) list_actions: VecDeque<ListAction>,
    /// Stores that cannot go on.
    pub(super) failed: VecDeque<(StoreKey, RequestError)>,
}

impl StoreCx {
    pub(super) fn new(me: UserId, limits: Limits) -> Self {
        Self {
            me,
            limits,
            now: Timestamp::default(),
            ready: false,
            requests: LiveRequests::new(),
            users: Users::new(),
            linger: Linger::default(),
            to_fetch: WorkQueue::default(),
            deferred: WorkQueue::default(),
            changed: BTreeSet::new(),
            unreferenced: BTreeSet::new(),
            dirty_users: VecDeque::new(),
            list_actions: VecDeque::new(),
            failed: VecDeque::new(),
        }
    }

    /// Keeps `user` up to date for `dependent` from now on.
    pub(super) fn hold_user(&mut self, user: &UserId, dependent: Dependent) {
        if self.users.hold(user, dependent) {
            let key = StoreKey::User(user.clone());
            if self.requests.is_closing(&key.scope()) {
                self.deferred.add(&key);
            } else if self.ready {
                self.requests.user(user.clone());
            }
        } else {
            self.linger.stop(&StoreKey::User(user.clone()));
        }
    }

    /// `dependent` does not show `user` any more.
    pub(super) fn release_user(&mut self, user: &UserId, dependent: &Dependent) {
        if self.users.release(user, dependent) {
            self.unreferenced.insert(StoreKey::User(user.clone()));
        }
    }

    /// The store may have something to fetch, and something to show.
    pub(super) fn attend_to(&mut self, key: &StoreKey) {
        self.to_fetch.add(key);
        self.changed.insert(key.clone());
    }

    /// The user as far as is known: nothing yet, that there is none, or the user.
    pub(super) fn user(&self, user: &UserId) -> Option<Option<&Arc<User>>> {
        self.users.get(user)
    }

    /// Gives back the memory of what is empty.
    pub(super) fn give_back(&mut self) {
        self.requests.give_back();
        self.linger.give_back();
        self.to_fetch.give_back();
        self.deferred.give_back();
        self.changed.give_back();
        self.unreferenced.give_back();
        self.dirty_users.give_back();
        self.list_actions.give_back();
        self.failed.give_back();
    }

    /// Forgets everything that is to be done.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
        self.to_fetch.clear();
        self.deferred.clear();
        self.changed.clear();
        self.unreferenced.clear();
        self.dirty_users.clear();
        self.list_actions.clear();
        self.failed.clear();
    }
}

/// What a list of conversations makes of one.
pub(super) enum ListAction {
    /// It shows the conversation, and knows it.
    Feed(ListFilter, Box<Side>),
    /// It would know the conversation.
    Watch(ListFilter, ConversationId),
    /// It does not show the conversation any more.
    Release(ListFilter, ConversationId),
}

/// Stores in the order in which they were put down, each once.
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

    pub(super) fn contains(&self, key: &StoreKey) -> bool {
        self.members.contains(key)
    }

    /// Crosses a store off. Whether it was there.
    pub(super) fn remove(&mut self, key: &StoreKey) -> bool {
        let was_there = self.members.remove(key);
        if was_there {
            self.queue.retain(|other| other != key);
        }
        was_there
    }

    pub(super) fn take(&mut self) -> Option<StoreKey> {
        let key = self.queue.pop_front()?;
        self.members.remove(&key);
        Some(key)
    }

    pub(super) fn take_all(&mut self) -> VecDeque<StoreKey> {
        self.members.clear();
        std::mem::take(&mut self.queue)
    }

    fn give_back(&mut self) {
        self.queue.give_back();
        self.members.give_back();
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.members.clear();
    }
}
