//! The viewers of stores: subscriptions, and `get` calls, which need a single snapshot.

use std::collections::{BTreeMap, BTreeSet};

use super::Live;
use super::interface::{Get, LiveOutput};
use super::key::{Dependent, StoreKey, ViewerId};
use super::list::view::CachedRange;
use super::stores::list_filter::ListFilter;
use super::stores::view_update::ViewUpdate;
use crate::collections::ReleaseMemory;
use crate::command::{Reply, RequestId, SubscriptionId};
use crate::error::{CommandError, RequestError, TransportError};
use crate::io::Event;
use crate::snapshot::{Snapshot, Topic};
use crate::timestamp::Timestamp;

/// The number of reactions that a `get` of the first reactions returns.
const FIRST_REACTIONS: usize = 10;

/// The viewers and their pending requests.
#[derive(Default)]
pub(super) struct Subscriptions {
    viewers: BTreeMap<ViewerId, StoreKey>,
    /// The number of viewers that are subscriptions.
    count: usize,
    /// The pending requests for more items, each with its viewer.
    more: BTreeMap<RequestId, ViewerId>,
    /// Requests for which no request was sent to the server.
    unsent: BTreeSet<RequestId>,
}

impl Subscriptions {
    /// Releases the memory of empty collections.
    pub(super) fn release_memory(&mut self) {
        self.more.release_memory();
        self.unsent.release_memory();
    }

    /// Marks all requests as sent.
    pub(super) fn mark_sent(&mut self) {
        // Clearing an empty set takes longer than the check, and every drain comes here.
        if !self.unsent.is_empty() {
            self.unsent.clear();
        }
    }
}

impl Live {
    /// Starts a subscription under a new ID. The first snapshot arrives as an event.
    pub(crate) fn subscribe(&mut self, now: Timestamp, id: SubscriptionId, topic: Topic) {
        self.begin(now);
        if let Some(key) = store_of(topic) {
            self.subscriptions.count += 1;
            self.attach_viewer(ViewerId::Subscription(id), key);
        }
    }

    /// Makes the first window of a subscription cover the range of the cached window.
    pub(crate) fn set_cached_range(&mut self, id: SubscriptionId, range: CachedRange) {
        let viewer = ViewerId::Subscription(id);
        if let Some(key) = self.subscriptions.viewers.get(&viewer)
            && let Some(store) = self.stores.get_mut(key)
        {
            store.set_cached(viewer, range);
        }
    }

    /// Ends a subscription. The end is reported at once, and the store lingers.
    ///
    /// # Errors
    /// [`CommandError::Unknown`] if the subscription does not exist.
    pub(crate) fn unsubscribe(
        &mut self,
        now: Timestamp,
        id: SubscriptionId,
    ) -> Result<(), CommandError> {
        self.begin(now);
        let viewer = ViewerId::Subscription(id);
        for request in self.detach_viewer(viewer).ok_or(CommandError::Unknown)? {
            let maybe_happened = !self.subscriptions.unsent.contains(&request);
            let cancelled = TransportError::Cancelled {
                maybe_happened,
                idempotent: true,
            };
            self.resolve(request, Err(cancelled.into()));
        }
        self.end_subscription(id, None);
        Ok(())
    }

    /// Loads `count` more items than are currently loaded, or the default number of the topic.
    /// Resolves `request` with `Reply::Done` once they are loaded. Before the first snapshot,
    /// `count` is added to the size of the first window.
    ///
    /// # Errors
    /// [`CommandError::Unknown`] if the subscription does not exist, [`CommandError::NotAList`] and
    /// [`CommandError::CountOutOfRange`].
    pub(crate) fn load_more(
        &mut self,
        now: Timestamp,
        request: RequestId,
        id: SubscriptionId,
        count: Option<usize>,
    ) -> Result<(), CommandError> {
        self.begin(now);
        let viewer = ViewerId::Subscription(id);
        let key = self.subscriptions.viewers.get(&viewer);
        let key = key.ok_or(CommandError::Unknown)?;
        let store = self.stores.get_mut(key).ok_or(CommandError::NotAList)?;
        store.load_more(viewer, request, count)?;
        self.cx.mark_dirty(key);
        self.subscriptions.more.insert(request, viewer);
        self.subscriptions.unsent.insert(request);
        Ok(())
    }

    /// Reads an entity once and resolves `request` with it.
    pub(crate) fn get(&mut self, now: Timestamp, request: RequestId, get: Get) {
        self.begin(now);
        self.subscriptions.unsent.insert(request);
        let key = match get {
            Get::User(u) => StoreKey::User(u),
            Get::Conversation(c) => StoreKey::Conversation(c),
            Get::Participant(c, u) => StoreKey::participant(c, u),
            Get::FirstReactions(c, m, e) => StoreKey::reactions(c, m, e),
            Get::Message(c, m) => return self.reads.start(request, c, m, None),
            Get::Known(c, m) => {
                let id = m.id.clone();
                return self.reads.start(request, c, id, Some(m));
            }
        };
        self.attach_viewer(ViewerId::Get(request), key);
    }

    /// Discards a `get` or `load_more` without resolving it. Returns `None` if it does not exist,
    /// otherwise `Some(true)` if a request was sent for it.
    pub(crate) fn cancel(&mut self, now: Timestamp, request: RequestId) -> Option<bool> {
        self.begin(now);
        if let Some(viewer) = self.subscriptions.more.remove(&request) {
            let key = self.subscriptions.viewers.get(&viewer)?;
            self.stores.get_mut(key)?.cancel_more(viewer, request);
        } else if self.detach_viewer(ViewerId::Get(request)).is_none()
            && !self.reads.cancel(request, &mut self.cx)
        {
            return None;
        }
        Some(!self.subscriptions.unsent.remove(&request))
    }

    /// Returns the number of active subscriptions.
    pub(crate) fn subscriptions(&self) -> usize {
        self.subscriptions.count
    }

    /// Returns the number of pending `get` and `load_more` calls.
    #[cfg(test)]
    pub(crate) fn pending_requests(&self) -> usize {
        let subscriptions = &self.subscriptions;
        let gets = subscriptions.viewers.len() - subscriptions.count;
        gets + subscriptions.more.len() + self.reads.len()
    }

    /// Ends all subscriptions and resolves all requests with `error`.
    pub(crate) fn end(&mut self, error: &RequestError) {
        self.begin(self.cx.now);
        for request in self.reads.take_all() {
            self.resolve(request, Err(error.clone()));
        }
        let viewers: Vec<ViewerId> = self.subscriptions.viewers.keys().copied().collect();
        for viewer in viewers {
            self.fail_viewer(viewer, error);
        }
        self.cx.ready = false;
        self.cx.requests.clear();
        self.drop_unreferenced();
        self.cx.clear();
    }

    /// Sends the pending updates of a store to its viewers.
    pub(super) fn update_viewers(&mut self, key: &StoreKey) {
        let mut updates = std::mem::take(&mut self.updates);
        match key {
            StoreKey::User(user) => self.cx.users.collect_updates(user, &mut updates),
            StoreKey::Conversation(conversation) => {
                self.stores.refresh_conversation(conversation, &mut self.cx);
            }
            _ => {}
        }
        if let Some(store) = self.stores.get_mut(key) {
            store.collect_updates(&self.cx, &mut updates);
            if let Some(key) = store.shown_by() {
                self.cx.changed.insert(key);
            }
            // The list may now contain fewer items than its viewers wait for.
            if store.may_miss_data(&self.cx) {
                self.cx.to_fetch.add(key);
            }
        }
        if let StoreKey::Messages(conversation) | StoreKey::Conversation(conversation) = key
            && updates.is_empty()
        {
            self.stores.pack_later(conversation);
        }
        for update in updates.drain(..) {
            self.deliver(update);
        }
        self.updates = updates;
    }

    /// Fails the viewers of a store, and of the stores that show its data.
    pub(super) fn fail(&mut self, key: &StoreKey, error: &RequestError) {
        if let StoreKey::User(user) = key {
            for viewer in self.cx.users.viewers(user) {
                self.fail_viewer(viewer, error);
            }
            return;
        }
        if let StoreKey::Messages(conversation) = key {
            self.fail(&StoreKey::Conversation(conversation.clone()), error);
        }
        if let StoreKey::Conversation(conversation) = key {
            for list in self.stores.lists_that_show(conversation, &mut self.cx) {
                self.fail(&list, error);
            }
        }
        let Some(store) = self.stores.get_mut(key) else {
            return;
        };
        for viewer in store.viewers() {
            self.fail_viewer(viewer, error);
        }
        self.stores.remove(key, &mut self.cx);
    }

    /// Reports the result of a request.
    pub(super) fn resolve(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        self.subscriptions.more.remove(&request);
        self.subscriptions.unsent.remove(&request);
        self.emit(Event::Resolved { request, result });
    }

    fn attach_viewer(&mut self, viewer: ViewerId, key: StoreKey) {
        if let StoreKey::User(user) = &key {
            self.cx.retain_user(user, Dependent::Viewer(viewer));
            self.cx.changed.insert(key.clone());
        } else {
            self.stores.add_viewer(&key, viewer, &mut self.cx);
        }
        self.subscriptions.viewers.insert(viewer, key);
    }

    /// Removes a viewer. Returns its pending requests for more items, or `None` if it does not
    /// exist.
    fn detach_viewer(&mut self, viewer: ViewerId) -> Option<Vec<RequestId>> {
        let key = self.subscriptions.viewers.remove(&viewer)?;
        if let ViewerId::Subscription(_) = viewer {
            self.subscriptions.count -= 1;
        }
        if let StoreKey::User(user) = &key {
            self.cx.release_user(user, &Dependent::Viewer(viewer));
            return Some(Vec::new());
        }
        let store = self.stores.get_mut(&key);
        let requests = store.map_or_else(Vec::new, |store| store.remove_viewer(viewer));
        self.cx.unreferenced.insert(key);
        Some(requests)
    }

    fn deliver(&mut self, update: ViewUpdate) {
        match update.viewer {
            ViewerId::Subscription(subscription) => {
                if let Some(update) = update.update {
                    self.emit(Event::Updated {
                        subscription,
                        update,
                    });
                }
                for request in update.resolved {
                    self.resolve(request, Ok(Reply::Done));
                }
            }
            ViewerId::Get(request) => {
                if let Some(latest) = update.update {
                    self.detach_viewer(update.viewer);
                    let result = update.refusal.map_or_else(|| reply(latest.snapshot), Err);
                    self.resolve(request, result);
                }
            }
        }
    }

    fn fail_viewer(&mut self, viewer: ViewerId, error: &RequestError) {
        for request in self.detach_viewer(viewer).unwrap_or_default() {
            self.resolve(request, Err(error.clone()));
        }
        match viewer {
            ViewerId::Subscription(id) => self.end_subscription(id, Some(error.clone())),
            ViewerId::Get(request) => self.resolve(request, Err(error.clone())),
        }
    }

    fn end_subscription(&mut self, subscription: SubscriptionId, error: Option<RequestError>) {
        self.emit(Event::SubscriptionEnded {
            subscription,
            error,
        });
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(LiveOutput::Event(event));
    }
}

/// Returns the store of a topic, or `None` if the topic does not belong to the live half.
fn store_of(topic: Topic) -> Option<StoreKey> {
    Some(match topic {
        Topic::User { user } => StoreKey::User(user),
        Topic::Conversation { conversation } => StoreKey::Conversation(conversation),
        Topic::Messages { conversation } => StoreKey::Messages(conversation),
        Topic::Participants { conversation } => StoreKey::Participants(conversation),
        Topic::Participant { conversation, user } => StoreKey::participant(conversation, user),
        Topic::Typing { conversation } => StoreKey::Typing(conversation),
        Topic::Reactions {
            conversation,
            message,
            emoji,
        } => StoreKey::reactions(conversation, message, emoji),
        Topic::Online { user } => StoreKey::Online(user),
        Topic::Conversations { filter } => StoreKey::Conversations(ListFilter::new(filter)),
        Topic::Outbox => return None,
    })
}

/// Returns the reply to a `get` that received `snapshot`.
fn reply(snapshot: Snapshot) -> Result<Reply, RequestError> {
    Ok(match snapshot {
        Snapshot::User(user) => Reply::User(user),
        Snapshot::Conversation(conversation) => Reply::Conversation(conversation),
        Snapshot::Participant(participant) => Reply::Participant(participant),
        Snapshot::Reactions(window) => {
            let first = window.map(|w| w.iter().take(FIRST_REACTIONS).cloned().collect());
            Reply::Reactions(first)
        }
        // No `get` receives these snapshots.
        Snapshot::Messages(_)
        | Snapshot::Participants(_)
        | Snapshot::Typing(_)
        | Snapshot::Conversations(_)
        | Snapshot::Outbox(_)
        | Snapshot::Online(_) => return Err(TransportError::Malformed.into()),
    })
}
