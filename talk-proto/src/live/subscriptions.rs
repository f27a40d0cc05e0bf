//! Those who look at stores: subscriptions, and `get`s that look once.

use std::collections::{BTreeMap, BTreeSet};

use super::Live;
use super::interface::{Get, LiveOutput};
use super::key::{Dependent, StoreKey, ViewerId};
use super::stores::list_filter::ListFilter;
use super::stores::store::{PageSizes, ViewUpdate};
use crate::collections::GiveBack;
use crate::command::{Reply, RequestId, SubscriptionId};
use crate::error::{CommandError, RequestError, TransportError};
use crate::io::Event;
use crate::snapshot::{Snapshot, Topic};
use crate::timestamp::Timestamp;

/// How many reactions a `get` of the first ones shows.
const FIRST_REACTIONS: usize = 10;

/// Who looks at which store, and which requests are open.
#[derive(Default)]
pub(super) struct Subscriptions {
    viewers: BTreeMap<ViewerId, StoreKey>,
    /// How many of the viewers are subscriptions.
    count: usize,
    /// LiveRequests for more, and who made them.
    more: BTreeMap<RequestId, ViewerId>,
    /// LiveRequests for which nothing has been sent.
    unsent: BTreeSet<RequestId>,
}

impl Subscriptions {
    /// Gives back the memory of what is empty.
    pub(super) fn give_back(&mut self) {
        self.more.give_back();
        self.unsent.give_back();
    }

    /// Everything that could be sent is sent.
    pub(super) fn note_sent(&mut self) {
        self.unsent.clear();
    }
}

impl Live {
    /// Starts a subscription under a fresh ID. The first snapshot comes as an event.
    pub(crate) fn subscribe(&mut self, now: Timestamp, id: SubscriptionId, topic: Topic) {
        self.begin(now);
        self.subscriptions.count += 1;
        self.attach_viewer(ViewerId::Subscription(id), store_of(topic));
    }

    /// Ends a subscription: its end is told at once; what it showed lingers.
    ///
    /// # Errors
    /// [`CommandError::Unknown`] when there is no such subscription.
    pub(crate) fn unsubscribe(
        &mut self,
        now: Timestamp,
        id: SubscriptionId,
    ) -> Result<(), CommandError> {
        self.begin(now);
        let viewer = ViewerId::Subscription(id);
        for request in self.detach_viewer(viewer).ok_or(CommandError::Unknown)? {
            let maybe_happened = !self.subscriptions.unsent.contains(&request);
            let cancelled = TransportError::Cancelled { maybe_happened };
            self.resolve(request, Err(cancelled.into()));
        }
        self.end_subscription(id, None);
        Ok(())
    }

    /// Loads `count` more items than are loaded now (`None` = the topic's default). `request` is
    /// resolved with `Reply::Done` when they are there. Before the first snapshot it counts from
    /// the first window.
    ///
    /// # Errors
    /// [`CommandError::Unknown`] when there is no such subscription, [`CommandError::NotAList`]
    /// and [`CommandError::CountOutOfRange`].
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
        let store = self.stores.get_mut(key);
        let list = store.and_then(|store| store.list());
        let (list, PageSizes { max, default }) = list.ok_or(CommandError::NotAList)?;
        let count = count.unwrap_or(default);
        if !(1..=max).contains(&count) {
            return Err(CommandError::CountOutOfRange { given: count, max });
        }
        list.load_more(viewer, request, count);
        self.cx.attend_to(key);
        self.subscriptions.more.insert(request, viewer);
        self.subscriptions.unsent.insert(request);
        Ok(())
    }

    /// Reads one thing once; `request` is resolved with it.
    pub(crate) fn get(&mut self, now: Timestamp, request: RequestId, get: Get) {
        self.begin(now);
        self.subscriptions.unsent.insert(request);
        let key = match get {
            Get::User(u) => StoreKey::User(u),
            Get::Conversation(c) => StoreKey::Conversation(c),
            Get::Participant(c, u) => StoreKey::Participant(c, u),
            Get::FirstReactions(c, m, e) => StoreKey::Reactions(c, m, e),
            Get::Message(c, m) => return self.gets.start(request, c, m),
            Get::Known(c, m) => return self.gets.start_known(request, c, m),
        };
        self.attach_viewer(ViewerId::Get(request), key);
    }

    /// Forgets a `get` or `load_more` without resolving it. Whether it was known, and then whether
    /// anything had been sent for it.
    pub(crate) fn cancel(&mut self, now: Timestamp, request: RequestId) -> Option<bool> {
        self.begin(now);
        let viewer = ViewerId::Get(request);
        if let Some(viewer) = self.subscriptions.more.remove(&request) {
            let key = self.subscriptions.viewers.get(&viewer)?;
            let (list, _) = self.stores.get_mut(key)?.list()?;
            list.cancel_more(viewer, request);
        } else if self.detach_viewer(viewer).is_none() && !self.gets.cancel(request, &mut self.cx) {
            return None;
        }
        Some(!self.subscriptions.unsent.remove(&request))
    }

    /// Subscriptions that have not ended.
    pub(crate) fn subscriptions(&self) -> usize {
        self.subscriptions.count
    }

    /// OneShotReads and loads that are not resolved.
    pub(crate) fn pending_requests(&self) -> usize {
        let subscriptions = &self.subscriptions;
        let gets = subscriptions.viewers.len() - subscriptions.count;
        gets + subscriptions.more.len() + self.gets.len()
    }

    /// Ends every subscription and resolves every request with `error`.
    pub(crate) fn end(&mut self, error: &RequestError) {
        self.begin(self.cx.now);
        for request in self.gets.end() {
            self.resolve(request, Err(error.clone()));
        }
        let viewers: Vec<ViewerId> = self.subscriptions.viewers.keys().copied().collect();
        for viewer in viewers {
            self.fail_viewer(viewer, error);
        }
        self.cx.ready = false;
        self.cx.requests.clear();
        self.drop_lingering();
        self.cx.clear();
    }

    /// Shows the viewers of a store what they have not seen.
    pub(super) fn review(&mut self, key: &StoreKey) {
        let mut news = std::mem::take(&mut self.news);
        match key {
            StoreKey::User(user) => {
                let seen = self.cx.users.review(user);
                news.extend(
                    seen.into_iter()
                        .map(|(v, user)| ViewUpdate::of(v, Snapshot::User(user))),
                );
            }
            StoreKey::Conversation(conversation) => {
                self.stores.refresh_side(conversation, &mut self.cx);
            }
            StoreKey::Messages(conversation) if self.stores.has_side(conversation) => {
                self.cx
                    .changed
                    .insert(StoreKey::Conversation(conversation.clone()));
            }
            _ => {}
        }
        if let Some(store) = self.stores.get_mut(key) {
            store.review(&self.cx, &mut news);
            // Too little may be left for those who wait for a number of items.
            if store.may_fetch(&self.cx) {
                self.cx.to_fetch.add(key);
            }
        }
        for news in news.drain(..) {
            self.tell(news);
        }
        self.news = news;
    }

    /// A store cannot go on: its viewers fail, and so do those of what shows it.
    pub(super) fn fail(&mut self, key: &StoreKey, error: &RequestError) {
        if let StoreKey::User(user) = key {
            for viewer in self.cx.users.viewers(user) {
                self.fail_viewer(viewer, error);
            }
            return;
        }
        if let StoreKey::Messages(conversation) = key
            && self.stores.has_side(conversation)
        {
            self.fail(&StoreKey::Conversation(conversation.clone()), error);
        }
        if let StoreKey::Conversation(conversation) = key {
            for list in self.stores.lists_that_need(conversation, &mut self.cx) {
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

    /// Tells the outcome of a request.
    pub(super) fn resolve(&mut self, request: RequestId, result: Result<Reply, RequestError>) {
        self.subscriptions.more.remove(&request);
        self.subscriptions.unsent.remove(&request);
        self.emit(Event::Resolved { request, result });
    }

    fn attach_viewer(&mut self, viewer: ViewerId, key: StoreKey) {
        if let StoreKey::User(user) = &key {
            self.cx.hold_user(user, Dependent::Viewer(viewer));
            self.cx.changed.insert(key.clone());
        } else {
            self.stores.add_viewer(&key, viewer, &mut self.cx);
        }
        self.subscriptions.viewers.insert(viewer, key);
    }

    /// Returns the requests for more that the viewer had open; `None` = there is no such viewer.
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

    fn tell(&mut self, news: ViewUpdate) {
        match news.viewer {
            ViewerId::Subscription(subscription) => {
                if let Some(update) = news.update {
                    self.emit(Event::Updated {
                        subscription,
                        update,
                    });
                }
                for request in news.resolved {
                    self.resolve(request, Ok(Reply::Done));
                }
            }
            ViewerId::Get(request) => {
                if let Some(update) = news.update {
                    self.detach_viewer(news.viewer);
                    let result = news.refusal.map_or_else(|| reply(update.snapshot), Err);
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

fn store_of(topic: Topic) -> StoreKey {
    match topic {
        Topic::User { user } => StoreKey::User(user),
        Topic::Conversation { conversation } => StoreKey::Conversation(conversation),
        Topic::Messages { conversation } => StoreKey::Messages(conversation),
        Topic::Participants { conversation } => StoreKey::Participants(conversation),
        Topic::Participant { conversation, user } => StoreKey::Participant(conversation, user),
        Topic::Typing { conversation } => StoreKey::Typing(conversation),
        Topic::Reactions {
            conversation,
            message,
            emoji,
        } => StoreKey::Reactions(conversation, message, emoji),
        Topic::Online { user } => StoreKey::Online(user),
        Topic::Conversations { filter } => StoreKey::Conversations(ListFilter::new(filter)),
    }
}

/// The answer to a `get` that saw `snapshot`.
fn reply(snapshot: Snapshot) -> Result<Reply, RequestError> {
    Ok(match snapshot {
        Snapshot::User(user) => Reply::User(user),
        Snapshot::Conversation(conversation) => Reply::Conversation(conversation),
        Snapshot::Participant(participant) => Reply::Participant(participant),
        Snapshot::Reactions(window) => {
            let first = window.map(|w| w.iter().take(FIRST_REACTIONS).cloned().collect());
            Reply::Reactions(first)
        }
        // No `get` looks at these.
        Snapshot::Messages(_)
        | Snapshot::Participants(_)
        | Snapshot::Typing(_)
        | Snapshot::Conversations(_)
        | Snapshot::Online(_) => return Err(TransportError::Malformed.into()),
    })
}
