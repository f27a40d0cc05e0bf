//! Live snapshots: stores of server state, and the subscriptions to them.
//!
//! The live half is independent of sockets. The session passes connection changes, events and
//! responses to it, and polls it for requests and updates.
//!
//! Each entity (a user, a conversation, the messages of a conversation, …) has one store, shared by
//! all viewers. Inputs change stores and put their keys on the work lists in [`StoreCx`]. The next
//! drain processes the lists in order: users, the stores that show them, and requests for missing
//! data. With this order each viewer receives at most one update per drain. A referenced store
//! stays subscribed. An unreferenced store lingers for a while before it is dropped.

mod echoes;
mod emoji_key;
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
use std::sync::Arc;

use self::interface::{FetchId, InboxAnswer, InboxRead, LiveOutput, ReadToken};
use self::key::{Dependent, StoreKey};
use self::one_shot::OneShotReads;
use self::store_cx::StoreCx;
pub(crate) use self::stores::list_filter::ListFilter;
use self::stores::table::Stores;
use self::stores::view_update::ViewUpdate;
use self::subscriptions::Subscriptions;
use self::sync::requests::FetchPurpose;
pub(crate) use self::sync::response::is_absence;
use self::sync::response::{Response, decode};
use crate::cache::CachedItems;
use crate::collections::ReleaseMemory;
use crate::io::{Event, ProtocolWarning};
use crate::model::{ConversationId, MessageId, User, UserId};
use crate::options::Limits;
use crate::outbox::EchoChange;
use crate::timestamp::Timestamp;
use crate::wire::{EventError, Published};

/// Returns the key of the list whose subscription the inboxes use.
fn inbox_list() -> StoreKey {
    StoreKey::Conversations(ListFilter::new(None))
}

/// The stores and subscriptions of one session.
pub(crate) struct Live {
    cx: StoreCx,
    stores: Stores,
    subscriptions: Subscriptions,
    reads: OneShotReads,
    /// A buffer that is empty between calls. It is kept for its allocation.
    updates: Vec<ViewUpdate>,
    /// The subscription to the list of conversations for the inboxes.
    inbox_subscription: Option<FetchId>,
    /// Set if the inboxes wait until an UNSUBSCRIBE is acknowledged.
    is_inbox_deferred: bool,
    outputs: VecDeque<LiveOutput>,
    /// Set if no input has arrived since the last drain.
    is_drained: bool,
}

impl Live {
    /// Creates a live half without stores, subscriptions and connection.
    pub(crate) fn new(me: UserId, limits: Limits) -> Self {
        Self {
            cx: StoreCx::new(me, limits),
            stores: Stores::default(),
            subscriptions: Subscriptions::default(),
            reads: OneShotReads::default(),
            updates: Vec::new(),
            inbox_subscription: None,
            is_inbox_deferred: false,
            outputs: VecDeque::new(),
            is_drained: true,
        }
    }

    /// Prepares the handling of an input.
    fn begin(&mut self, now: Timestamp) {
        self.cx.now = now;
        self.is_drained = false;
    }

    /// Subscribes and fetches all stores on an authenticated connection.
    pub(crate) fn handle_ready(&mut self, now: Timestamp) {
        self.begin(now);
        self.cx.ready = true;
        self.cx.echoes.handle_ready(now);
        for key in self.stores.in_order() {
            if let Some(store) = self.stores.get_mut(&key) {
                store.open(&mut self.cx);
            }
        }
        for user in self.cx.users.in_order() {
            self.cx.requests.user(user);
        }
    }

    /// Handles a connection loss. Pending requests get no response.
    pub(crate) fn handle_lost(&mut self, now: Timestamp) {
        self.begin(now);
        self.cx.ready = false;
        self.cx.discard_requests();
        self.inbox_subscription = None;
        self.is_inbox_deferred = false;
        self.reads.handle_lost();
        for key in self.stores.in_order() {
            if let Some(store) = self.stores.get_mut(&key) {
                store.handle_lost(&mut self.cx);
            }
        }
        let dropped = self.cx.users.handle_lost();
        self.outputs
            .extend(dropped.into_iter().map(LiveOutput::ForgetUser));
        self.drop_unreferenced();
    }

    /// Handles the events of one publish frame, which form one step. The entities that an
    /// unreadable event concerned are fetched again.
    pub(crate) fn handle_events(
        &mut self,
        now: Timestamp,
        events: impl IntoIterator<Item = Published>,
    ) {
        self.begin(now);
        for event in events {
            match event {
                Ok(event) => self.stores.handle_event(event, &mut self.cx),
                Err(EventError::Unreadable(event)) => {
                    self.stores.handle_unreadable(&event, &mut self.cx);
                }
                Err(EventError::Malformed | EventError::UnknownType(_)) => {}
            }
        }
    }

    /// Returns `true` if the answer to a request is wanted.
    pub(crate) fn expects(&self, fetch: FetchId) -> bool {
        self.cx.requests.is_open(fetch)
    }

    /// Handles the response to a request: its body, or the reason for its failure.
    pub(crate) fn handle_answer(&mut self, now: Timestamp, fetch: FetchId, response: Response<'_>) {
        self.begin(now);
        let cx = &mut self.cx;
        match cx.requests.take_answered(fetch) {
            None => {}
            Some(FetchPurpose::Subscribe(key)) => {
                let failure = response.err().filter(|error| !is_absence(error));
                if self.inbox_subscription == Some(fetch) {
                    if failure.is_some() {
                        // The next inbox must not join a subscription that does not exist.
                        self.inbox_subscription = None;
                        cx.requests.unsubscribe(&inbox_list(), fetch);
                    }
                    let result = failure.clone().map_or(Ok(()), Err);
                    let answer = Box::new(InboxAnswer::Subscribed(result));
                    let token = ReadToken::SUBSCRIPTION;
                    self.outputs.push_back(LiveOutput::Inbox { token, answer });
                }
                if let Some(error) = failure {
                    cx.fail_all(self.stores.sharing(key), &error);
                }
            }
            Some(FetchPurpose::Unsubscribe(_)) => self.open_deferred(),
            Some(FetchPurpose::Load(key)) => {
                if let Some(store) = self.stores.get_mut(&key) {
                    store.handle_response(response, cx);
                }
                self.stores.apply_list_actions(cx);
            }
            Some(FetchPurpose::Quote(conversation, message)) => {
                if let Some(messages) = self.stores.messages(&conversation) {
                    messages.handle_quote(&message, response, cx);
                }
            }
            Some(FetchPurpose::SubscribeUsers(users)) => {
                if let Err(error) = response {
                    cx.fail_all(users.into_iter().map(StoreKey::User), &error);
                }
            }
            Some(FetchPurpose::Users(requested)) => {
                match decode::<BTreeMap<UserId, User>>(response, &mut cx.damaged_items) {
                    Ok(users) => cx.handle_users(fetch, &requested, Some(users)),
                    Err(error) => {
                        cx.handle_users(fetch, &requested, None);
                        cx.fail_all(requested.into_iter().map(StoreKey::User), &error);
                    }
                }
            }
            Some(FetchPurpose::Page(seq)) => {
                let page = decode(response, &mut cx.damaged_items);
                let page = Box::new(page);
                self.outputs.push_back(LiveOutput::Page { seq, page });
            }
            Some(FetchPurpose::InboxConversations(token)) => {
                let page = decode(response, &mut cx.damaged_items);
                self.push_inbox(token, InboxAnswer::Conversations(page));
            }
            Some(FetchPurpose::InboxConversation(token)) => {
                let side = decode(response, &mut cx.damaged_items);
                self.push_inbox(token, InboxAnswer::Conversation(side));
            }
            Some(FetchPurpose::InboxMessages(token)) => {
                let page = decode(response, &mut cx.damaged_items);
                self.push_inbox(token, InboxAnswer::Messages(page));
            }
            Some(FetchPurpose::InboxSubscription(token, conversation)) => {
                let is_subscribed = response.is_ok();
                if !is_subscribed {
                    cx.requests.forget_messages(token, &conversation);
                }
                self.push_inbox(token, InboxAnswer::MessagesSubscribed(is_subscribed));
            }
            Some(FetchPurpose::UsersOnce(requested)) => {
                self.reads.handle_users(&requested, response, cx);
            }
            Some(FetchPurpose::MessageOnce(request)) => {
                let result =
                    self.reads
                        .handle_message(request, fetch, response, &mut cx.damaged_items);
                if let Some((request, result)) = result {
                    self.resolve(request, result);
                }
            }
        }
    }

    /// Requests a page of messages for the search of an outbox entry, from the newest one or from a
    /// cursor.
    pub(crate) fn fetch_page(
        &mut self,
        now: Timestamp,
        seq: u64,
        conversation: ConversationId,
        cursor: Option<&str>,
    ) {
        self.begin(now);
        self.cx.requests.page(seq, conversation, cursor);
    }

    fn push_inbox(&mut self, token: ReadToken, answer: InboxAnswer) {
        let answer = Box::new(answer);
        self.outputs.push_back(LiveOutput::Inbox { token, answer });
    }

    /// Subscribes to the list of conversations for the inboxes.
    pub(crate) fn subscribe_inboxes(&mut self, now: Timestamp) {
        self.begin(now);
        if self.inbox_subscription.is_none() {
            // An UNSUBSCRIBE that is sent again would end the new subscription.
            self.is_inbox_deferred = self.cx.requests.is_closing_lists();
            if self.is_inbox_deferred {
                return;
            }
            let fetch = self.cx.requests.subscribe(&inbox_list());
            self.inbox_subscription = Some(fetch);
            if !self.cx.requests.is_open(fetch) {
                // Another list has subscribed before.
                self.push_inbox(ReadToken::SUBSCRIPTION, InboxAnswer::Subscribed(Ok(())));
            }
        }
    }

    /// Ends the subscription to the list of conversations for the inboxes.
    pub(crate) fn unsubscribe_inboxes(&mut self, now: Timestamp) {
        self.begin(now);
        self.is_inbox_deferred = false;
        if let Some(fetch) = self.inbox_subscription.take() {
            self.cx.requests.unsubscribe(&inbox_list(), fetch);
        }
    }

    /// Performs a read of an inbox.
    pub(crate) fn read_for_inbox(&mut self, now: Timestamp, token: ReadToken, read: InboxRead) {
        self.begin(now);
        let requests = &mut self.cx.requests;
        if let InboxRead::Subscribe(id) = &read
            && requests.is_closing(&StoreKey::Messages(id.clone()).scope())
        {
            // An UNSUBSCRIBE that is sent again would end the new subscription.
            self.push_inbox(token, InboxAnswer::MessagesSubscribed(false));
        } else {
            requests.inbox(token, read);
        }
    }

    /// Returns the sender of a message if it is known from the last minute. `Some(None)` is a user
    /// that does not exist, and the sender of a message without one.
    pub(crate) fn recent_sender(
        &self,
        now: Timestamp,
        sender: Option<&UserId>,
    ) -> Option<Option<Arc<User>>> {
        if !self.cx.ready {
            return None;
        }
        let Some(sender) = sender else {
            return Some(None);
        };
        let fresh = self.cx.users.fresh(sender).map(|user| user.cloned());
        fresh.or_else(|| self.reads.recent_user(now, sender))
    }

    /// Ends the subscription of an inbox to the messages of a conversation.
    pub(crate) fn unsubscribe_messages(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        token: ReadToken,
    ) {
        self.begin(now);
        let key = StoreKey::Messages(conversation.clone());
        let store = self.stores.get_mut(&key);
        let is_shared = store.is_some_and(|store| store.sync().is_subscribed());
        let requests = &mut self.cx.requests;
        if requests.forget_messages(token, &conversation) && !is_shared {
            requests.send_unsubscribe(&key);
        }
    }

    /// Ignores the responses to all pages for the outbox.
    pub(crate) fn forget_pages(&mut self) {
        self.cx.requests.forget_pages();
    }

    /// Sets the cached items whose allocations equal items adopt.
    pub(crate) fn set_cached(&mut self, items: Option<Box<CachedItems>>) {
        self.cx.cached = items;
    }

    /// Changes the entries in the windows of a conversation.
    pub(crate) fn set_echoes(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        changes: Vec<EchoChange>,
    ) {
        self.begin(now);
        for message in self.cx.echoes.set(conversation, changes) {
            self.reveal(conversation, &message);
        }
        if let Some(messages) = self.stores.messages(conversation) {
            self.cx.changed.insert(messages.key().clone());
        }
    }

    /// Shows a message that was held back, unless it may still be the message of an entry.
    fn reveal(&mut self, conversation: &ConversationId, message: &MessageId) {
        if let Some(messages) = self.stores.messages(conversation) {
            messages.reveal(message, &mut self.cx);
        }
    }

    /// Returns `true` if a window of the conversation will show this own message.
    pub(crate) fn awaits_message(
        &mut self,
        conversation: &ConversationId,
        message: &MessageId,
    ) -> bool {
        let messages = self.stores.messages(conversation);
        messages.is_some_and(|messages| messages.is_awaited(message))
            && !self.cx.echoes.is_deleted(conversation, message)
    }

    /// Returns the time at which the server received the newest loaded message of a conversation.
    pub(crate) fn newest_server_time(&self, conversation: &ConversationId) -> Option<Timestamp> {
        self.stores.newest_server_time(conversation)
    }

    /// Drops the stores whose linger time is over.
    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        self.begin(now);
        while let Some(key) = self.cx.linger.pop_due(now) {
            self.drop_store(&key);
        }
        if self.cx.ready && self.cx.echoes.is_on() {
            for (conversation, message) in self.cx.echoes.release_due(now) {
                self.reveal(&conversation, &message);
            }
        }
    }

    /// Returns the time at which [`handle_timeout`](Self::handle_timeout) should be called.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let echoes = &self.cx.echoes;
        let echoes = Some(echoes).filter(|echoes| self.cx.ready && echoes.is_on());
        let echoes = echoes.and_then(|echoes| echoes.next_deadline());
        Timestamp::earliest(&[self.cx.linger.next_deadline(), echoes])
    }

    /// Returns the next output. The first call after an input drains the pending work.
    pub(crate) fn poll_output(&mut self) -> Option<LiveOutput> {
        if self.outputs.is_empty() && !self.is_drained {
            self.drain();
            self.is_drained = true;
        }
        self.outputs.pop_front()
    }

    /// Returns `true` if no store and no read needs a connection.
    pub(crate) fn is_idle(&self) -> bool {
        self.stores.is_empty() && self.cx.users.is_empty() && self.reads.len() == 0
    }

    /// Drops all unreferenced stores without delay.
    pub(crate) fn end_linger(&mut self, now: Timestamp) {
        self.begin(now);
        self.drop_unreferenced();
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.cx.release_memory();
        self.stores.release_memory();
        self.subscriptions.release_memory();
        self.reads.release_memory();
        self.updates.release_memory();
        self.outputs.release_memory();
    }

    /// Processes the work lists and sends the resulting requests.
    fn drain(&mut self) {
        loop {
            self.stores.apply_list_actions(&mut self.cx);
            if let Some((user, dependent)) = self.cx.dirty_users.pop_front() {
                self.handle_user_change(&user, dependent);
            } else if let Some((key, error)) = self.cx.failed.pop_front() {
                self.fail(&key, &error);
            } else if let Some(key) = self.cx.changed.pop_first() {
                self.update_viewers(&key);
            } else if let Some(key) = self.cx.unreferenced.pop_first() {
                self.linger(key);
            } else if let Some(key) = self.cx.to_fetch.pop() {
                if let Some(store) = self.stores.get_mut(&key) {
                    store.fetch_missing(&mut self.cx);
                }
            } else if !self.stores.reload_outdated(&mut self.cx) {
                break;
            }
        }
        let count = std::mem::take(&mut self.cx.damaged_items);
        if count > 0 {
            let warning = Event::Warning(ProtocolWarning::Items { count });
            self.outputs.push_back(LiveOutput::Event(warning));
        }
        for (request, result) in self.reads.advance(&mut self.cx) {
            self.resolve(request, result);
        }
        if self.cx.ready {
            self.stores.fetch_rest(&mut self.cx);
            self.subscriptions.mark_sent();
        }
        for (fetch, user) in self.cx.requests.flush(&mut self.outputs) {
            self.cx.users.set_fetch(fetch, &user);
        }
        self.stores.pack();
    }

    /// Subscribes the stores that waited for the acknowledgement of an UNSUBSCRIBE.
    fn open_deferred(&mut self) {
        if self.is_inbox_deferred {
            self.subscribe_inboxes(self.cx.now);
        }
        for key in std::mem::take(&mut self.cx.deferred) {
            match &key {
                StoreKey::User(_) if self.cx.requests.is_closing(&key.scope()) => {
                    self.cx.deferred.insert(key);
                }
                StoreKey::User(user) if self.cx.users.needs_fetch(user) => {
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

    fn handle_user_change(&mut self, user: &UserId, dependent: Dependent) {
        if let Dependent::Store(key) = dependent
            && let Some(store) = self.stores.get_mut(&key)
        {
            store.handle_user_change(user, &mut self.cx);
        }
    }

    /// Schedules the removal of an unreferenced store.
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

    /// Drops all unreferenced stores, and the stores that only these referenced.
    fn drop_unreferenced(&mut self) {
        let mut keys = self.cx.linger.take_all();
        keys.extend(self.stores.in_order());
        self.cx.unreferenced.extend(keys);
        while let Some(key) = self.cx.unreferenced.pop_first() {
            self.cx.linger.stop(&key);
            self.drop_store(&key);
            self.stores.apply_list_actions(&mut self.cx);
        }
    }

    /// Drops an unreferenced store. Ends the subscription of a referenced one if it does not need
    /// it.
    fn drop_store(&mut self, key: &StoreKey) {
        if !self.exists(key) || self.needs_subscription(key) {
            return;
        }
        match self.stores.get_mut(key) {
            Some(store) if store.is_referenced() => store.sync().unsubscribe(&mut self.cx),
            _ => self.remove(key),
        }
    }

    fn remove(&mut self, key: &StoreKey) {
        let StoreKey::User(user) = key else {
            self.outputs.push_back(LiveOutput::ForgetEntity(key.path()));
            return self.stores.remove(key, &mut self.cx);
        };
        self.outputs.push_back(LiveOutput::ForgetUser(user.clone()));
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
            StoreKey::User(user) => self.cx.users.is_referenced(user),
            _ => {
                let store = self.stores.get_mut(key);
                store.is_some_and(|store| store.needs_subscription())
            }
        }
    }
}
