//! The state machine of the cache. It owns no clock and no store.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroI64;
use std::sync::Arc;
use std::time::Duration;

use super::freshness::CachedAt;
use super::items::CachedItems;
use super::record::{self, CachedList, ListKey, is_cache_key};
use crate::changes::{Changes, ListChanges};
use crate::command::SubscriptionId;
use crate::error::{RequestError, ServerError};
use crate::fault_injection::FaultInjection;
use crate::io::Event;
use crate::live::ListFilter;
use crate::live::list::items::{Items, Position};
use crate::live::list::view::CachedRange;
use crate::model::{ConversationId, ConversationSnapshot, MessageSnapshot};
use crate::outbox::{Entry, Pending};
use crate::snapshot::{Snapshot, Topic, Update, Window};
use crate::storage::{Changes as StoreChanges, Journal, Record, StorageEvent};
use crate::timestamp::Timestamp;

/// The delay between a change and its write. Further changes join the write.
const WRITE_DELAY: Duration = Duration::from_secs(2);
/// The largest number of conversations with stored messages, and of stored lists.
const MAX_LISTS: usize = 30;
/// The largest number of stored messages of a conversation.
const MAX_MESSAGES: usize = 50;
/// The largest number of stored conversations of a list.
const MAX_CONVERSATIONS: usize = 30;

/// The windows that an earlier session has stored, and those to store.
#[derive(Default)]
pub(crate) struct Cache {
    journal: Journal,
    lists: BTreeMap<ListKey, List>,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// The subscriptions that have no window of the server.
    waiting: BTreeSet<SubscriptionId>,
    /// The lists whose record is older than their window.
    dirty: BTreeSet<ListKey>,
    write_at: Option<Timestamp>,
}

/// The subscription to a list.
struct Subscription {
    list: ListKey,
    /// The entries in the last cached window that the subscription received, if it received one.
    shown: Option<Pending>,
}

struct List {
    /// The time of the last change.
    at: Timestamp,
    window: Source,
    /// The entries that are shown with a cached window.
    pending: Pending,
}

enum Source {
    /// A window of an earlier session.
    Cached(CachedList),
    /// A window of this session, which no subscription shows.
    Ended(CachedList),
    Messages(Window<MessageSnapshot>),
    Conversations(Window<ConversationSnapshot>),
}

impl List {
    fn is_cached(&self) -> bool {
        matches!(self.window, Source::Cached(_))
    }

    /// Returns the items to store.
    fn items(&self) -> CachedList {
        match &self.window {
            Source::Cached(list) | Source::Ended(list) => list.clone(),
            Source::Messages(window) => CachedList::Messages(newest(window, MAX_MESSAGES)),
            Source::Conversations(window) => {
                CachedList::Conversations(newest(window, MAX_CONVERSATIONS))
            }
        }
    }

    /// Returns the cached window, or `None` for a live one.
    fn snapshot(&self) -> Option<Snapshot> {
        let at = if FaultInjection::CacheShownLive.is_on() {
            CachedAt::default()
        } else {
            CachedAt::new(self.at)
        };
        Some(match &self.window {
            Source::Cached(CachedList::Messages(messages)) => {
                let mut window = Window::cached(items(messages), at);
                window.set_pending(self.pending.clone());
                Snapshot::Messages(Some(window))
            }
            Source::Cached(CachedList::Conversations(conversations)) => {
                Snapshot::Conversations(Window::cached(items(conversations), at))
            }
            Source::Ended(_) | Source::Messages(_) | Source::Conversations(_) => return None,
        })
    }
}

/// Returns the range of a cached window, unless it is empty.
fn range(list: &CachedList) -> Option<CachedRange> {
    let (first, last, len) = match list {
        CachedList::Messages(messages) => (
            messages.first()?.created_at,
            messages.last()?.created_at,
            messages.len(),
        ),
        CachedList::Conversations(conversations) => (
            conversations.first()?.last_message_at,
            conversations.last()?.last_message_at,
            conversations.len(),
        ),
    };
    Some(CachedRange::newest_first(first, last, len))
}

fn newest<T>(window: &Window<T>, count: usize) -> Vec<Arc<T>> {
    window.iter().take(count).cloned().collect()
}

fn items<T>(list: &[Arc<T>]) -> Items<T> {
    let mut items = Items::new();
    for (time, item) in (0..).zip(list) {
        let tie = NonZeroI64::MIN;
        items.put(Position { time, tie }, Arc::clone(item));
    }
    items
}

impl Cache {
    /// Reads the windows of an earlier session. Returns their items, the subscriptions that wait
    /// for the server and can show them, and events about unreadable records.
    pub(crate) fn restore(
        &mut self,
        now: Timestamp,
        records: &[Record],
    ) -> (CachedItems, Vec<SubscriptionId>, Vec<StorageEvent>) {
        self.journal.take();
        self.write_at = (!self.dirty.is_empty()).then_some(now + WRITE_DELAY);
        let mut shared = CachedItems::default();
        let mut shown = Vec::new();
        let mut events = Vec::new();
        for record in records.iter().filter(|record| is_cache_key(&record.key)) {
            match record::decode(record, &mut shared) {
                Ok((key, at, list)) => {
                    let of_list = || self.subscriptions.iter().filter(|(_, of)| of.list == key);
                    let is_waiting = |id: &SubscriptionId| self.waiting.contains(id);
                    let is_answered = of_list().any(|(id, _)| !is_waiting(id));
                    if is_answered || self.lists.contains_key(&key) {
                        continue;
                    }
                    shown.extend(of_list().map(|(id, _)| *id));
                    let list = List {
                        at,
                        window: Source::Cached(list),
                        pending: Pending::default(),
                    };
                    self.lists.insert(key, list);
                }
                Err(event) => events.push(event),
            }
        }
        (shared, shown, events)
    }

    /// Stops writing until [`restore`](Self::restore), because another session uses the store.
    pub(crate) fn close(&mut self) {
        self.write_at = None;
    }

    /// Notes the subscription to a list.
    pub(crate) fn subscribe(&mut self, id: SubscriptionId, topic: &Topic) {
        let key = match topic {
            Topic::Messages { conversation } => ListKey::Messages(conversation.clone()),
            Topic::Conversations { filter } => {
                let filter = ListFilter::new(filter.clone());
                ListKey::Conversations(filter.json().get().to_owned())
            }
            _ => return,
        };
        let subscription = Subscription {
            list: key,
            shown: None,
        };
        self.subscriptions.insert(id, subscription);
        self.waiting.insert(id);
    }

    /// Returns the conversation whose messages a subscription shows.
    pub(crate) fn conversation(&self, id: SubscriptionId) -> Option<&ConversationId> {
        match &self.subscriptions.get(&id)?.list {
            ListKey::Messages(conversation) => Some(conversation),
            ListKey::Conversations(_) => None,
        }
    }

    /// Returns the range of the cached window that a subscription shows.
    pub(crate) fn range(&self, id: SubscriptionId) -> Option<CachedRange> {
        match &self.lists.get(&self.subscriptions.get(&id)?.list)?.window {
            Source::Cached(list) => range(list),
            Source::Ended(_) | Source::Messages(_) | Source::Conversations(_) => None,
        }
    }

    /// Shows the cached window of a list to a subscription, with the entries of the outbox.
    pub(crate) fn show(&mut self, id: SubscriptionId, entries: Vec<Arc<Entry>>) -> Vec<Event> {
        let subscription = self.subscriptions.get(&id);
        let list = subscription.map(|subscription| subscription.list.clone());
        list.map_or_else(Vec::new, |list| self.update(&list, entries))
    }

    /// Shows entries of the outbox in the cached window of a conversation.
    pub(crate) fn set_pending(
        &mut self,
        conversation: &ConversationId,
        entries: Vec<Arc<Entry>>,
    ) -> Vec<Event> {
        self.update(&ListKey::Messages(conversation.clone()), entries)
    }

    /// Reports the cached window of a list to the subscriptions that have not received it. A sent
    /// entry stays until the live window shows its message.
    fn update(&mut self, key: &ListKey, entries: Vec<Arc<Entry>>) -> Vec<Event> {
        let list = self.lists.get_mut(key);
        let Some(list) = list.filter(|list| list.is_cached()) else {
            return Vec::new();
        };
        let is_known = |entry: &Arc<Entry>| entries.iter().any(|it| it.id == entry.id);
        let mut pending = list.pending.entries().to_vec();
        pending.retain(|entry| entry.message().is_some() && !is_known(entry));
        pending.extend(entries);
        list.pending = Pending::new(pending);
        let mut events = Vec::new();
        for (id, subscription) in &mut self.subscriptions {
            if subscription.list != *key || subscription.shown.as_ref() == Some(&list.pending) {
                continue;
            }
            let Some(snapshot) = list.snapshot() else {
                continue;
            };
            let changes = match subscription.shown.replace(list.pending.clone()) {
                None => Changes::Reset,
                Some(_) => Changes::List(ListChanges::default()),
            };
            events.push(Event::Updated {
                subscription: *id,
                update: Update::new(snapshot, changes),
            });
        }
        events
    }

    /// Handles an event of the live half: a window replaces the cached one. `can_write` is `false`
    /// while another session uses the store.
    pub(crate) fn observe(&mut self, now: Timestamp, can_write: bool, event: &mut Event) {
        match event {
            Event::Updated {
                subscription,
                update,
            } => {
                self.waiting.remove(subscription);
                let Some(subscription) = self.subscriptions.get_mut(subscription) else {
                    return;
                };
                let shown = subscription.shown.take();
                let key = subscription.list.clone();
                let window = match &update.snapshot {
                    Snapshot::Messages(Some(window)) => Source::Messages(window.clone()),
                    Snapshot::Conversations(window) => Source::Conversations(window.clone()),
                    _ => return self.remove(&key),
                };
                let list = List {
                    at: now,
                    window,
                    pending: Pending::default(),
                };
                self.lists.insert(key.clone(), list);
                if let Some(shown) = shown {
                    settle(shown.entries(), update);
                }
                self.dirty.insert(key);
                let write_at = can_write.then_some(now + WRITE_DELAY);
                self.write_at = self.write_at.or(write_at);
            }
            Event::SubscriptionEnded {
                subscription,
                error,
            } => {
                self.waiting.remove(subscription);
                let Some(Subscription { list: key, .. }) = self.subscriptions.remove(subscription)
                else {
                    return;
                };
                if matches!(error, Some(RequestError::Server(refusal)) if is_hidden(refusal)) {
                    self.remove(&key);
                } else if !self.subscriptions.values().any(|other| other.list == key)
                    && let Some(list) = self.lists.get_mut(&key)
                    && !list.is_cached()
                {
                    list.window = Source::Ended(list.items());
                }
            }
            _ => {}
        }
    }

    /// Deletes the window of a list that is absent.
    fn remove(&mut self, key: &ListKey) {
        self.lists.remove(key);
        self.dirty.remove(key);
        self.journal.delete(key.record_key());
    }

    /// Returns `true` if no cached window is left, so that no allocation is adopted.
    pub(crate) fn is_live(&self) -> bool {
        !self.lists.values().any(List::is_cached)
    }

    /// Writes the changed windows if the write is due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if self.write_at.is_some_and(|at| at <= now) {
            self.flush();
        }
    }

    /// Writes the changed windows.
    pub(crate) fn flush(&mut self) {
        self.write_at = None;
        for key in std::mem::take(&mut self.dirty) {
            if let Some(list) = self.lists.get(&key) {
                let value = record::encode(key.clone(), list.at, &list.items());
                self.journal.put(key.record_key(), value);
            }
        }
        self.evict();
    }

    /// Deletes the windows that have not changed for the longest time.
    fn evict(&mut self) {
        let is_messages = |key: &&ListKey| matches!(key, ListKey::Messages(_));
        let (messages, conversations): (Vec<_>, Vec<_>) = self.lists.keys().partition(is_messages);
        let mut evicted = Vec::new();
        for mut keys in [messages, conversations] {
            keys.sort_by_key(|key| self.lists.get(*key).map(|list| list.at));
            let excess = keys.len().saturating_sub(MAX_LISTS);
            evicted.extend(keys.into_iter().take(excess).cloned());
        }
        for key in evicted {
            self.remove(&key);
        }
    }

    /// Returns the changes of records since the last call.
    pub(crate) fn take_changes(&mut self) -> StoreChanges {
        self.journal.take()
    }

    /// Returns the time of the next write.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.write_at
    }
}

/// Returns `true` if the user may no longer see the list. Other errors may be temporary.
fn is_hidden(refusal: &ServerError) -> bool {
    matches!(refusal.status, 403 | 404)
}

/// Adds the entries that a cached window showed, and that became messages of the live one.
fn settle(pending: &[Arc<Entry>], update: &mut Update) {
    let Snapshot::Messages(Some(window)) = &update.snapshot else {
        return;
    };
    for entry in pending {
        let Some(message) = entry.message() else {
            continue;
        };
        let settled = (entry.id.clone(), message.clone());
        let is_item = window.iter().any(|item| item.id == *message);
        if is_item && !update.settled.contains(&settled) {
            update.settled.push(settled);
        }
    }
}
