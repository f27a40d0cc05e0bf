//! Live snapshots: stores of what the server told, and the subscriptions that show them.
//!
//! The live half knows nothing of sockets. The session tells it when a connection is ready and
//! when it is gone, gives it events and answers, and takes requests and updates from it.
//!
//! There is one store per thing, shared by all who look at it: a user, a conversation, its
//! messages… What comes in changes stores and puts their names on the lists in [`StoreCx`]; the
//! next drain works the lists off: users first, then what shows them, so that each viewer gets at
//! most one update, and then the requests for what is missing. What a store shows it keeps
//! subscribed, and what nobody shows lingers for a while.

pub(crate) mod interface;
mod key;
mod kinds;
pub(crate) mod list;
mod one_shot;
mod store_cx;
mod stores;
mod subscriptions;
mod sync;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use serde_json::value::RawValue;

use self::interface::{FetchId, LiveOutput};
use self::key::{Dependent, StoreKey};
use self::one_shot::OneShotReads;
use self::store_cx::StoreCx;
use self::stores::store::ViewUpdate;
use self::stores::table::Stores;
use self::subscriptions::Subscriptions;
use self::sync::requests::FetchPurpose;
use self::sync::state::is_absence;
use crate::collections::GiveBack;
use crate::error::{RequestError, TransportError};
use crate::model::{User, UserId};
use crate::options::Limits;
use crate::timestamp::Timestamp;
use crate::wire::ServerEvent;

/// The stores and subscriptions of one session.
pub(crate) struct Live {
    cx: StoreCx,
    stores: Stores,
    subscriptions: Subscriptions,
    gets: OneShotReads,
    /// Empty but during a review; its room is used again.
    news: Vec<ViewUpdate>,
    outputs: VecDeque<LiveOutput>,
    /// Whether nothing has happened since everything was worked off.
    is_settled: bool,
}

impl Live {
    /// No store, no subscription, and no connection.
    pub(crate) fn new(me: UserId, limits: Limits) -> Self {
        Self {
            cx: StoreCx::new(me, limits),
            stores: Stores::default(),
            subscriptions: Subscriptions::default(),
            gets: OneShotReads::default(),
            news: Vec::new(),
            outputs: VecDeque::new(),
            is_settled: true,
        }
    }

    /// Something happens now.
    fn begin(&mut self, now: Timestamp) {
        self.cx.now = now;
        self.is_settled = false;
    }

    /// The connection is authenticated: everything that is shown is subscribed and fetched.
    pub(crate) fn handle_ready(&mut self, now: Timestamp) {
        self.begin(now);
        self.cx.ready = true;
        for key in self.stores.in_order() {
            if let Some(store) = self.stores.get_mut(&key) {
                store.open(&mut self.cx);
            }
        }
        for user in self.cx.users.in_order() {
            self.cx.requests.user(user);
        }
    }

    /// The connection is gone: no answer to what was sent comes any more.
    pub(crate) fn handle_lost(&mut self, now: Timestamp) {
        self.begin(now);
        self.cx.ready = false;
        self.cx.requests.clear();
        self.cx.to_fetch.clear();
        self.cx.deferred.clear();
        self.gets.lost();
        for key in self.stores.in_order() {
            if let Some(store) = self.stores.get_mut(&key) {
                store.lost();
            }
        }
        self.cx.users.lost();
        self.drop_lingering();
    }

    /// The events of one publish, which are one step.
    pub(crate) fn handle_events(
        &mut self,
        now: Timestamp,
        events: impl IntoIterator<Item = ServerEvent>,
    ) {
        self.begin(now);
        for event in events {
            self.stores.handle_event(&event, &mut self.cx);
        }
    }

    /// The answer to a request: its body, or why there is none.
    pub(crate) fn handle_answer(
        &mut self,
        now: Timestamp,
        fetch: FetchId,
        answer: Result<Option<&RawValue>, RequestError>,
    ) {
        self.begin(now);
        let cx = &mut self.cx;
        match cx.requests.answered(fetch) {
            None => {}
            Some(FetchPurpose::Subscribe(key)) => {
                if let Err(error) = answer
                    && !is_absence(&error)
                {
                    let keys = self.stores.sharing(key).into_iter();
                    cx.failed.extend(keys.map(|key| (key, error.clone())));
                }
            }
            Some(FetchPurpose::Unsubscribe(_)) => self.open_deferred(),
            Some(FetchPurpose::Load(key)) => {
                if let Some(store) = self.stores.get_mut(&key) {
                    store.answer(answer, cx);
                }
                self.stores.apply_list_actions(cx);
            }
            Some(FetchPurpose::Quote(conversation, message)) => {
                if let Some(messages) = self.stores.messages(&conversation) {
                    messages.answer_quote(&message, answer, cx);
                }
            }
            Some(FetchPurpose::SubscribeUsers(asked)) => {
                if let Err(error) = answer {
                    let keys = asked.into_iter().map(StoreKey::User);
                    cx.failed.extend(keys.map(|key| (key, error.clone())));
                }
            }
            Some(FetchPurpose::Users(asked)) => match read_users(answer) {
                Ok(users) => cx.take_users(fetch, &asked, Some(users)),
                Err(error) => {
                    cx.take_users(fetch, &asked, None);
                    let keys = asked.into_iter().map(StoreKey::User);
                    cx.failed.extend(keys.map(|key| (key, error.clone())));
                }
            },
            Some(FetchPurpose::UsersOnce(asked)) => {
                self.gets
                    .answer_users(&asked, read_users(answer).unwrap_or_default());
            }
            Some(FetchPurpose::MessageGet(request)) => {
                if let Some((request, result)) = self.gets.answer(request, fetch, answer) {
                    self.resolve(request, result);
                }
            }
        }
    }

    /// The time of [`Live::poll_timeout`] may have come.
    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        self.begin(now);
        while let Some(key) = self.cx.linger.take_due(now) {
            self.drop_store(&key);
        }
    }

    /// When to be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.cx.linger.next_deadline()
    }

    /// The next thing to do. The first call of a run closes the batches that are open.
    pub(crate) fn poll_output(&mut self) -> Option<LiveOutput> {
        if self.outputs.is_empty() && !self.is_settled {
            self.settle();
            self.is_settled = true;
        }
        self.outputs.pop_front()
    }

    /// Whether nothing is shown, lingers or is waited for, so that no connection is needed.
    pub(crate) fn is_idle(&self) -> bool {
        self.stores.is_empty() && self.cx.users.is_empty() && self.gets.len() == 0
    }

    /// Nothing lingers any more: what nobody shows is unsubscribed at once.
    pub(crate) fn end_linger(&mut self, now: Timestamp) {
        self.begin(now);
        self.drop_lingering();
    }

    /// Gives back the memory of what is empty.
    pub(crate) fn give_back(&mut self) {
        self.cx.give_back();
        self.subscriptions.give_back();
        self.gets.give_back();
        self.news.give_back();
        self.outputs.give_back();
    }

    /// Works off what has changed.
    fn settle(&mut self) {
        loop {
            self.stores.apply_list_actions(&mut self.cx);
            if let Some(dependent) = self.cx.dirty_users.pop_front() {
                self.user_changed(&dependent);
            } else if let Some((key, error)) = self.cx.failed.pop_front() {
                self.fail(&key, &error);
            } else if let Some(key) = self.cx.changed.pop_first() {
                self.review(&key);
            } else if let Some(key) = self.cx.unreferenced.pop_first() {
                self.linger(key);
            } else if let Some(key) = self.cx.to_fetch.take() {
                if let Some(store) = self.stores.get_mut(&key) {
                    store.fetch(&mut self.cx);
                }
            } else {
                break;
            }
        }
        for (request, result) in self.gets.advance(&mut self.cx) {
            self.resolve(request, result);
        }
        if self.cx.ready {
            self.subscriptions.note_sent();
        }
        for (fetch, user) in self.cx.requests.flush(&mut self.outputs) {
            self.cx.users.asked(fetch, &user);
        }
    }

    /// Subscribes what waited for the end of other subscriptions.
    fn open_deferred(&mut self) {
        for key in self.cx.deferred.take_all() {
            match &key {
                StoreKey::User(user) if self.cx.requests.is_closing(&key.scope()) => {
                    self.cx.deferred.add(&StoreKey::User(user.clone()));
                }
                StoreKey::User(user) if self.cx.users.is_unasked(user) => {
                    self.cx.requests.user(user.clone());
                }
                _ => {
                    if let Some(store) = self.stores.get_mut(&key) {
                        store.open(&mut self.cx);
                    }
                }
            }
        }
    }

    fn user_changed(&mut self, dependent: &Dependent) {
        let key = match dependent {
            Dependent::Viewer(_) => return,
            Dependent::Store(key) | Dependent::Item(key, _) => key.clone(),
        };
        if let Some(store) = self.stores.get_mut(&key) {
            store.user_changed(dependent, &mut self.cx);
        }
    }

    /// Starts the time after which a store is dropped that nobody shows.
    fn linger(&mut self, key: StoreKey) {
        if self.needs_subscription(&key) || !self.exists(&key) {
            return;
        }
        let is_open = match &key {
            StoreKey::User(user) => {
                !self.cx.requests.is_user_waiting(user) && !self.cx.deferred.contains(&key)
            }
            _ => {
                let store = self.stores.get_mut(&key);
                store.is_some_and(|store| store.sync().is_open(&self.cx))
            }
        };
        if self.cx.ready && is_open {
            let until = self.cx.now + key.linger();
            self.cx.linger.start(key, until);
        } else {
            self.drop_store(&key);
        }
    }

    /// Drops every store that nobody shows, and what only they showed.
    fn drop_lingering(&mut self) {
        let mut keys = self.cx.linger.take_all();
        keys.extend(self.stores.in_order());
        self.cx.unreferenced.extend(keys);
        while let Some(key) = self.cx.unreferenced.pop_first() {
            self.cx.linger.stop(&key);
            self.drop_store(&key);
            self.stores.apply_list_actions(&mut self.cx);
        }
    }

    /// Drops a store that nobody shows, or the subscription that it does not need.
    fn drop_store(&mut self, key: &StoreKey) {
        if !self.exists(key) || self.needs_subscription(key) {
            return;
        }
        match self.stores.get_mut(key) {
            Some(store) if store.is_wanted() => store.sync().unsubscribe(&mut self.cx),
            _ => self.remove(key),
        }
    }

    fn remove(&mut self, key: &StoreKey) {
        let StoreKey::User(user) = key else {
            return self.stores.remove(key, &mut self.cx);
        };
        self.cx.users.remove(user);
        let was_deferred = self.cx.deferred.remove(key);
        if self.cx.ready && !was_deferred {
            self.cx.requests.unsubscribe_user(user);
        }
    }

    fn exists(&self, key: &StoreKey) -> bool {
        match key {
            StoreKey::User(user) => self.cx.users.contains(user),
            _ => self.stores.contains(key),
        }
    }

    fn needs_subscription(&mut self, key: &StoreKey) -> bool {
        match key {
            StoreKey::User(user) => self.cx.users.is_wanted(user),
            _ => {
                let store = self.stores.get_mut(key);
                store.is_some_and(|store| store.needs_subscription())
            }
        }
    }
}

fn read_users(
    answer: Result<Option<&RawValue>, RequestError>,
) -> Result<BTreeMap<UserId, User>, RequestError> {
    let users = answer?.and_then(|body| serde_json::from_str(body.get()).ok());
    users.ok_or_else(|| TransportError::Malformed.into())
}
