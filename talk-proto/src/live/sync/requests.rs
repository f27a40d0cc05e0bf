//! LiveRequests of the live half, gathered until the next drain.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use crate::collections::{GiveBack, HashMap};
use crate::command::RequestId;
use crate::live::interface::{FetchId, LiveOutput};
use crate::live::key::{Scope, StoreKey};
use crate::model::{ConversationId, MessageId, UserId};
use crate::wire::path::path;
use crate::wire::{Method, Request};

/// The most users that one request may name.
const USERS_PER_REQUEST: usize = 1000;

/// What a request was sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FetchPurpose {
    /// To be told of a thing.
    Subscribe(StoreKey),
    /// To be told no more.
    Unsubscribe(StoreKey),
    /// To have the thing, or a page of it.
    Load(StoreKey),
    /// A message that others quote.
    Quote(ConversationId, MessageId),
    /// To be told of users.
    SubscribeUsers(Vec<UserId>),
    /// To have users.
    Users(Vec<UserId>),
    /// To have users once, for the `get`s of messages.
    UsersOnce(Vec<UserId>),
    /// A part of the `get` of a message.
    MessageGet(RequestId),
}

/// Every SUBSCRIBE of a drain goes before every GET, and users go last, in one request each.
pub(crate) struct LiveRequests {
    next: u64,
    open: BTreeMap<FetchId, FetchPurpose>,
    subscribes: Vec<(FetchId, Request)>,
    loads: Vec<(FetchId, Request)>,
    /// The subscription that all lists of conversations share, and how many do.
    lists: Option<(FetchId, usize)>,
    /// Where something was unsubscribed without an answer yet, and how many.
    closing: HashMap<Scope, usize>,
    users: Vec<UserId>,
    users_once: Vec<UserId>,
    /// Everything that waits in `subscribes` and `loads`.
    waiting: BTreeSet<FetchId>,
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
    pub(crate) fn new() -> Self {
        Self {
            next: 0,
            open: BTreeMap::new(),
            subscribes: Vec::new(),
            loads: Vec::new(),
            lists: None,
            closing: HashMap::default(),
            users: Vec::new(),
            users_once: Vec::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Subscribes to a thing. All lists of conversations share one subscription.
    pub(crate) fn subscribe(&mut self, key: &StoreKey) -> FetchId {
        if let StoreKey::Conversations(_) = key
            && let Some((fetch, count)) = &mut self.lists
        {
            *count += 1;
            return *fetch;
        }
        let request = Request::bare(Method::Subscribe, key.path());
        let fetch = self.register(FetchPurpose::Subscribe(key.clone()));
        self.subscribes.push((fetch, request));
        if let StoreKey::Conversations(_) = key {
            self.lists = Some((fetch, 1));
        }
        fetch
    }

    /// Ends a subscription; one that was not sent never is.
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
        if !self.forget(subscription) {
            self.send_unsubscribe(key);
        }
    }

    /// Ends the subscription to a user.
    pub(crate) fn unsubscribe_user(&mut self, user: &UserId) {
        if !self.withdraw_user(user) {
            self.send_unsubscribe(&StoreKey::User(user.clone()));
        }
    }

    fn send_unsubscribe(&mut self, key: &StoreKey) {
        let request = Request::bare(Method::Unsubscribe, key.path());
        let fetch = self.register_sent(FetchPurpose::Unsubscribe(key.clone()));
        self.subscribes.push((fetch, request));
        *self.closing.entry(key.scope()).or_default() += 1;
    }

    /// Whether something that is told of by the same events was unsubscribed, and the server has
    /// not answered.
    pub(crate) fn is_closing(&self, scope: &Scope) -> bool {
        let is_conversation = |scope: &Scope| matches!(scope, Scope::Conversation(_));
        match scope {
            Scope::User(_) => self.closing.contains_key(scope),
            Scope::Conversation(_) => {
                self.closing.contains_key(scope) || self.closing.contains_key(&Scope::Lists)
            }
            Scope::Lists => {
                self.closing.contains_key(scope) || self.closing.keys().any(is_conversation)
            }
        }
    }

    pub(crate) fn load(&mut self, key: &StoreKey, data: &impl Serialize) -> FetchId {
        let request = Request::new(Method::Get, key.path(), data);
        let fetch = self.register(FetchPurpose::Load(key.clone()));
        self.loads.push((fetch, request));
        fetch
    }

    /// OneShotReads a message that others quote.
    pub(crate) fn quote(&mut self, conversation: &ConversationId, id: &MessageId) -> FetchId {
        let purpose = FetchPurpose::Quote(conversation.clone(), id.clone());
        self.message(conversation, id, purpose)
    }

    /// OneShotReads a message for the `get` that asked for it.
    pub(crate) fn message_once(
        &mut self,
        conversation: &ConversationId,
        id: &MessageId,
        request: RequestId,
    ) -> FetchId {
        self.message(conversation, id, FetchPurpose::MessageGet(request))
    }

    fn message(
        &mut self,
        conversation: &ConversationId,
        id: &MessageId,
        purpose: FetchPurpose,
    ) -> FetchId {
        let path = path(&[
            "/me/conversations/",
            conversation.as_str(),
            "/messages/",
            id.as_str(),
        ]);
        let fetch = self.register(purpose);
        self.loads.push((fetch, Request::bare(Method::Get, path)));
        fetch
    }

    /// Subscribes to a user and gets them with the next batch.
    pub(crate) fn user(&mut self, user: UserId) {
        self.users.push(user);
    }

    /// Whether the user is in the next batch.
    pub(crate) fn is_user_waiting(&self, user: &UserId) -> bool {
        self.users.contains(user)
    }

    /// Takes a user back out of the next batch. Whether they were in it.
    fn withdraw_user(&mut self, user: &UserId) -> bool {
        let before = self.users.len();
        self.users.retain(|other| other != user);
        self.users.len() < before
    }

    /// OneShotReads a user with the next batch.
    pub(crate) fn user_once(&mut self, user: UserId) {
        self.users_once.push(user);
    }

    /// Ignores the answer; what still waits is not sent at all. Whether it was waiting.
    pub(crate) fn forget(&mut self, fetch: FetchId) -> bool {
        self.open.remove(&fetch);
        let waited = self.waiting.remove(&fetch);
        if waited {
            self.subscribes.retain(|(other, _)| *other != fetch);
            self.loads.retain(|(other, _)| *other != fetch);
        }
        waited
    }

    /// Whether the request has not been sent.
    pub(crate) fn is_waiting(&self, fetch: FetchId) -> bool {
        self.waiting.contains(&fetch)
    }

    /// What an answer is for, which is told once.
    pub(crate) fn answered(&mut self, fetch: FetchId) -> Option<FetchPurpose> {
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

    /// No request of this connection is answered any more.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.subscribes.clear();
        self.loads.clear();
        self.lists = None;
        self.closing.clear();
        self.users.clear();
        self.users_once.clear();
        self.waiting.clear();
    }

    /// Gives back the memory of what is empty.
    pub(crate) fn give_back(&mut self) {
        self.open.give_back();
        self.subscribes.give_back();
        self.loads.give_back();
        self.closing.give_back();
        self.waiting.give_back();
    }

    /// Whether nothing is to be sent.
    fn is_empty(&self) -> bool {
        self.subscribes.is_empty()
            && self.loads.is_empty()
            && self.users.is_empty()
            && self.users_once.is_empty()
    }

    /// Sends everything, and says which users were asked for by which request.
    pub(crate) fn flush(&mut self, outputs: &mut VecDeque<LiveOutput>) -> Vec<(FetchId, UserId)> {
        let mut asked = Vec::new();
        if self.is_empty() {
            return asked;
        }
        self.waiting.clear();
        let mut send = |fetch, request| outputs.push_back(LiveOutput::Send { fetch, request });
        for (fetch, request) in self.subscribes.drain(..) {
            send(fetch, request);
        }
        let users = std::mem::take(&mut self.users);
        for ids in users.chunks(USERS_PER_REQUEST) {
            let fetch = self.register_sent(FetchPurpose::SubscribeUsers(ids.to_vec()));
            let request = Request::new(Method::Subscribe, "/users".to_owned(), &Ids { ids });
            send(fetch, request);
        }
        for (fetch, request) in self.loads.drain(..) {
            send(fetch, request);
        }
        for ids in users.chunks(USERS_PER_REQUEST) {
            let fetch = self.register_sent(FetchPurpose::Users(ids.to_vec()));
            send(fetch, get_users(ids));
            asked.extend(ids.iter().map(|id| (fetch, id.clone())));
        }
        let once = std::mem::take(&mut self.users_once);
        for ids in once.chunks(USERS_PER_REQUEST) {
            send(
                self.register_sent(FetchPurpose::UsersOnce(ids.to_vec())),
                get_users(ids),
            );
        }
        asked
    }

    fn register(&mut self, purpose: FetchPurpose) -> FetchId {
        let fetch = self.register_sent(purpose);
        self.waiting.insert(fetch);
        fetch
    }

    fn register_sent(&mut self, purpose: FetchPurpose) -> FetchId {
        let fetch = self.id();
        self.open.insert(fetch, purpose);
        fetch
    }

    fn id(&mut self) -> FetchId {
        let id = FetchId(self.next);
        self.next += 1;
        id
    }
}

fn get_users(ids: &[UserId]) -> Request {
    let query = UsersQuery {
        ids,
        include_private_fields: false,
    };
    Request::new(Method::Get, "/users".to_owned(), &query)
}
