//! The requests of the live half, collected until the next drain.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU64;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::collections::{HashMap, ReleaseMemory};
use crate::command::RequestId;
use crate::live::interface::{FetchId, InboxRead, LiveOutput, ReadToken};
use crate::live::key::{Scope, StoreKey};
use crate::model::{ConversationId, MessageId, UserId};
use crate::wire::path::path;
use crate::wire::{Method, Request};

/// The maximum number of users in one request.
const USERS_PER_REQUEST: usize = 1000;
/// The number of messages in a page of a search by the outbox.
const MESSAGES_PER_PAGE: usize = 100;
/// The number of conversations in a page for an inbox.
const CONVERSATIONS_PER_PAGE: usize = 30;

/// The purpose of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FetchPurpose {
    /// Subscribes to an entity.
    Subscribe(StoreKey),
    /// Ends a subscription.
    Unsubscribe(StoreKey),
    /// Loads an entity, or a page of a list.
    Load(StoreKey),
    /// Loads a quoted message.
    Quote(ConversationId, MessageId),
    /// Subscribes to users.
    SubscribeUsers(Vec<UserId>),
    /// Loads users.
    Users(Vec<UserId>),
    /// Loads users for one-shot reads.
    UsersOnce(Vec<UserId>),
    /// Loads a message for a one-shot read.
    MessageOnce(RequestId),
    /// Loads a page of messages for the outbox entry with this sequence number.
    Page(u64),
    /// Loads a page of conversations for an inbox.
    InboxConversations(ReadToken),
    /// Loads a conversation for an inbox.
    InboxConversation(ReadToken),
    /// Loads a page of messages for an inbox.
    InboxMessages(ReadToken),
    /// Subscribes to the messages of a conversation for an inbox.
    InboxSubscription(ReadToken, ConversationId),
}

/// The pending requests: those to send and those in flight.
///
/// In a drain, all SUBSCRIBE requests precede all GET requests. Users come last in each group, in
/// one request.
#[derive(Default)]
pub(crate) struct LiveRequests {
    /// The number of requests so far.
    registered: u64,
    /// Unanswered requests.
    open: BTreeMap<FetchId, FetchPurpose>,
    subscribes: Vec<(FetchId, Request)>,
    loads: Vec<(FetchId, Request)>,
    /// The subscription that all conversation lists share, and the number of lists.
    lists: Option<(FetchId, usize)>,
    /// The subscriptions of inboxes to messages.
    inbox_messages: BTreeMap<ConversationId, Vec<(ReadToken, FetchId)>>,
    /// The number of unacknowledged UNSUBSCRIBE requests, by scope.
    closing: HashMap<Scope, usize>,
    users: Vec<UserId>,
    users_once: Vec<UserId>,
    /// The requests in `subscribes` and `loads`.
    waiting: BTreeSet<FetchId>,
}

/// The parameters of a request for a page.
#[derive(Serialize)]
pub(crate) struct PageQuery<'a> {
    pub(crate) limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Ids<'a> {
    ids: &'a [UserId],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsersQuery<'a> {
    ids: &'a [UserId],
    include_private_fields: bool,
}

impl LiveRequests {
    /// Subscribes to an entity. All conversation lists share one subscription.
    pub(crate) fn subscribe(&mut self, key: &StoreKey) -> FetchId {
        if let StoreKey::Conversations(_) = key
            && let Some((fetch, count)) = &mut self.lists
        {
            *count += 1;
            return *fetch;
        }
        let request = Request::bare(Method::Subscribe, key.path());
        let fetch = self.register_waiting(FetchPurpose::Subscribe(key.clone()));
        self.subscribes.push((fetch, request));
        if let StoreKey::Conversations(_) = key {
            self.lists = Some((fetch, 1));
        }
        fetch
    }

    /// Ends a subscription. An unsent SUBSCRIBE is removed instead.
    pub(crate) fn unsubscribe(&mut self, key: &StoreKey, subscription: FetchId) {
        if let StoreKey::Conversations(_) = key
            && let Some((_, count)) = &mut self.lists
        {
            *count -= 1;
            if *count > 0 {
                return;
            }
            self.lists = None;
        }
        let is_shared = match key {
            StoreKey::Messages(conversation) => self.inbox_messages.contains_key(conversation),
            _ => false,
        };
        if !self.forget(subscription) && !is_shared {
            self.send_unsubscribe(key);
        }
    }

    /// Subscribes to the messages of a conversation for an inbox, even if a store has subscribed
    /// before. The subscriptions of a connection are a set.
    fn subscribe_messages(&mut self, token: ReadToken, conversation: ConversationId) {
        let path = StoreKey::Messages(conversation.clone()).path();
        let purpose = FetchPurpose::InboxSubscription(token, conversation.clone());
        let fetch = self.register_waiting(purpose);
        let subscriptions = self.inbox_messages.entry(conversation).or_default();
        subscriptions.push((token, fetch));
        let request = Request::bare(Method::Subscribe, path);
        self.subscribes.push((fetch, request));
    }

    /// Forgets the subscription of an inbox. Returns `true` if it was the last one of the inboxes.
    pub(crate) fn forget_messages(&mut self, token: ReadToken, id: &ConversationId) -> bool {
        let Some(subscriptions) = self.inbox_messages.get_mut(id) else {
            return false;
        };
        let at = subscriptions.iter().position(|(other, _)| *other == token);
        let forgotten = at.map(|at| subscriptions.swap_remove(at));
        let is_last = subscriptions.is_empty();
        if is_last {
            self.inbox_messages.remove(id);
        }
        if let Some((_, fetch)) = forgotten {
            self.forget(fetch);
        }
        is_last
    }

    /// Ends the subscription to a user.
    pub(crate) fn unsubscribe_user(&mut self, user: &UserId) {
        let before = self.users.len();
        self.users.retain(|other| other != user);
        if self.users.len() == before {
            self.send_unsubscribe(&StoreKey::User(user.clone()));
        }
    }

    pub(crate) fn send_unsubscribe(&mut self, key: &StoreKey) {
        let request = Request::bare(Method::Unsubscribe, key.path());
        let fetch = self.register(FetchPurpose::Unsubscribe(key.clone()));
        self.subscribes.push((fetch, request));
        *self.closing.entry(key.scope()).or_default() += 1;
    }

    /// Returns `true` if an UNSUBSCRIBE that covers events of the scope is unacknowledged.
    pub(crate) fn is_closing(&self, scope: &Scope) -> bool {
        let is_conversation = |scope: &Scope| matches!(scope, Scope::Conversation(_));
        self.closing.contains_key(scope)
            || match scope {
                Scope::User(_) => false,
                Scope::Conversation(_) => self.closing.contains_key(&Scope::Lists),
                Scope::Lists => self.closing.keys().any(is_conversation),
            }
    }

    /// Returns `true` if an UNSUBSCRIBE of the list of conversations is unacknowledged.
    pub(crate) fn is_closing_lists(&self) -> bool {
        self.closing.contains_key(&Scope::Lists)
    }

    pub(crate) fn load(&mut self, key: &StoreKey, data: &impl Serialize) -> FetchId {
        let request = Request::new(Method::Get, key.path(), data);
        self.get(FetchPurpose::Load(key.clone()), request)
    }

    /// Loads a quoted message.
    pub(crate) fn quote(&mut self, conversation: &ConversationId, id: &MessageId) -> FetchId {
        let purpose = FetchPurpose::Quote(conversation.clone(), id.clone());
        self.get(purpose, get_message(conversation, id))
    }

    /// Loads a message for a one-shot read.
    pub(crate) fn message_once(
        &mut self,
        conversation: &ConversationId,
        id: &MessageId,
        request: RequestId,
    ) -> FetchId {
        let purpose = FetchPurpose::MessageOnce(request);
        self.get(purpose, get_message(conversation, id))
    }

    /// Loads a page of messages for an outbox entry.
    pub(crate) fn page(&mut self, seq: u64, conversation: ConversationId, cursor: Option<&str>) {
        let query = PageQuery {
            limit: MESSAGES_PER_PAGE,
            cursor,
            filter: None,
        };
        let path = StoreKey::Messages(conversation).path();
        let request = Request::new(Method::Get, path, &query);
        self.get(FetchPurpose::Page(seq), request);
    }

    /// Performs a read of an inbox.
    pub(crate) fn inbox(&mut self, token: ReadToken, read: InboxRead) {
        let mut query = PageQuery {
            limit: CONVERSATIONS_PER_PAGE,
            cursor: None,
            filter: None,
        };
        match read {
            InboxRead::Conversations { filter, cursor } => {
                let path = StoreKey::Conversations(filter.clone()).path();
                query.cursor = cursor.as_deref();
                // A cursor carries the filter of its first page.
                query.filter = cursor.is_none().then(|| filter.json());
                let request = Request::new(Method::Get, path, &query);
                self.get(FetchPurpose::InboxConversations(token), request);
            }
            InboxRead::Conversation(id) => {
                let request = Request::bare(Method::Get, StoreKey::Conversation(id).path());
                self.get(FetchPurpose::InboxConversation(token), request);
            }
            InboxRead::Messages {
                conversation,
                cursor,
                limit,
            } => {
                let path = StoreKey::Messages(conversation).path();
                query.limit = limit;
                query.cursor = cursor.as_deref();
                let request = Request::new(Method::Get, path, &query);
                self.get(FetchPurpose::InboxMessages(token), request);
            }
            InboxRead::Subscribe(conversation) => self.subscribe_messages(token, conversation),
        }
    }

    /// Ignores the responses to all pages for the outbox.
    pub(crate) fn forget_pages(&mut self) {
        let pages = self.open.iter();
        let pages = pages.filter(|(_, purpose)| matches!(purpose, FetchPurpose::Page(_)));
        for fetch in pages.map(|(fetch, _)| *fetch).collect::<Vec<_>>() {
            self.forget(fetch);
        }
    }

    fn get(&mut self, purpose: FetchPurpose, request: Request) -> FetchId {
        let fetch = self.register_waiting(purpose);
        self.loads.push((fetch, request));
        fetch
    }

    /// Subscribes to a user and loads it, with the next batch.
    pub(crate) fn user(&mut self, user: UserId) {
        self.users.push(user);
    }

    /// Returns `true` if the user is in the next batch.
    pub(crate) fn is_user_waiting(&self, user: &UserId) -> bool {
        self.users.contains(user)
    }

    /// Loads a user with the next batch of one-shot reads.
    pub(crate) fn user_once(&mut self, user: UserId) {
        self.users_once.push(user);
    }

    /// Ignores the response to a request. Returns `true` if the request was not sent yet, and
    /// removes it.
    pub(crate) fn forget(&mut self, fetch: FetchId) -> bool {
        self.open.remove(&fetch);
        let was_waiting = self.waiting.remove(&fetch);
        if was_waiting {
            self.subscribes.retain(|(other, _)| *other != fetch);
            self.loads.retain(|(other, _)| *other != fetch);
        }
        was_waiting
    }

    /// Returns `true` if the response to the request is wanted.
    pub(crate) fn is_open(&self, fetch: FetchId) -> bool {
        self.open.contains_key(&fetch)
    }

    /// Returns `true` if the request was not sent.
    pub(crate) fn is_waiting(&self, fetch: FetchId) -> bool {
        self.waiting.contains(&fetch)
    }

    /// Removes an answered request and returns its purpose.
    pub(crate) fn take_answered(&mut self, fetch: FetchId) -> Option<FetchPurpose> {
        let purpose = self.open.remove(&fetch)?;
        if let FetchPurpose::Unsubscribe(key) = &purpose
            && let Some(count) = self.closing.get_mut(&key.scope())
        {
            *count -= 1;
            if *count == 0 {
                self.closing.remove(&key.scope());
            }
        }
        Some(purpose)
    }

    /// Discards all requests after a connection loss.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            registered: self.registered,
            ..Self::default()
        };
    }

    /// Releases the memory of empty collections.
    pub(crate) fn release_memory(&mut self) {
        self.open.release_memory();
        self.subscribes.release_memory();
        self.loads.release_memory();
        self.closing.release_memory();
        self.waiting.release_memory();
    }

    /// Sends all requests. Returns the users to load, each with its request.
    pub(crate) fn flush(&mut self, outputs: &mut VecDeque<LiveOutput>) -> Vec<(FetchId, UserId)> {
        let mut loaded = Vec::new();
        if !self.has_unsent() {
            return loaded;
        }
        self.waiting.clear();
        let mut send = |fetch, request| outputs.push_back(LiveOutput::Send { fetch, request });
        for (fetch, request) in self.subscribes.drain(..) {
            send(fetch, request);
        }
        let users = std::mem::take(&mut self.users);
        for ids in users.chunks(USERS_PER_REQUEST) {
            let fetch = self.register(FetchPurpose::SubscribeUsers(ids.to_vec()));
            let request = Request::new(Method::Subscribe, "/users".to_owned(), &Ids { ids });
            send(fetch, request);
        }
        for (fetch, request) in self.loads.drain(..) {
            send(fetch, request);
        }
        for ids in users.chunks(USERS_PER_REQUEST) {
            let fetch = self.register(FetchPurpose::Users(ids.to_vec()));
            send(fetch, get_users(ids));
            loaded.extend(ids.iter().map(|id| (fetch, id.clone())));
        }
        let once = std::mem::take(&mut self.users_once);
        for ids in once.chunks(USERS_PER_REQUEST) {
            let fetch = self.register(FetchPurpose::UsersOnce(ids.to_vec()));
            send(fetch, get_users(ids));
        }
        loaded
    }

    fn has_unsent(&self) -> bool {
        !(self.waiting.is_empty()
            && self.subscribes.is_empty()
            && self.users.is_empty()
            && self.loads.is_empty()
            && self.users_once.is_empty())
    }

    fn register_waiting(&mut self, purpose: FetchPurpose) -> FetchId {
        let fetch = self.register(purpose);
        self.waiting.insert(fetch);
        fetch
    }

    fn register(&mut self, purpose: FetchPurpose) -> FetchId {
        let fetch = FetchId(NonZeroU64::MIN.saturating_add(self.registered));
        self.registered += 1;
        self.open.insert(fetch, purpose);
        fetch
    }
}

fn get_message(conversation: &ConversationId, id: &MessageId) -> Request {
    let (c, m) = (conversation.as_str(), id.as_str());
    let path = path(&["/me/conversations/", c, "/messages/", m]);
    Request::bare(Method::Get, path)
}

fn get_users(ids: &[UserId]) -> Request {
    let query = UsersQuery {
        ids,
        include_private_fields: false,
    };
    Request::new(Method::Get, "/users".to_owned(), &query)
}
