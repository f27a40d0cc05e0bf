//! Reads of single messages, which do not need a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::interface::FetchId;
use super::store_cx::StoreCx;
use super::sync::response::{Response, decode, is_absence};
use crate::collections::ReleaseMemory;
use crate::command::{Reply, RequestId};
use crate::error::RequestError;
use crate::model::{ConversationId, MessageId, MessageSnapshot, User, UserId};
use crate::timestamp::Timestamp;

/// The pending reads.
#[derive(Default)]
pub(super) struct OneShotReads {
    reads: BTreeMap<RequestId, MessageRead>,
    /// Reads that may be complete or have parts to fetch.
    changed: BTreeSet<RequestId>,
    /// The reads that wait for each requested user.
    users: BTreeMap<UserId, BTreeSet<RequestId>>,
    /// Users that were requested on this connection, for the senders of supplied messages.
    /// `None` until the first one.
    recent: Option<Box<RecentUsers>>,
}

/// The time for which a requested user is kept.
const RECENT_FOR: Duration = Duration::from_secs(60);
/// The largest number of kept users.
const MAX_RECENT: usize = 1_000;

/// The users that were requested within the last minute, each with the time of its answer.
#[derive(Default)]
struct RecentUsers(BTreeMap<UserId, (Timestamp, Option<Arc<User>>)>);

impl RecentUsers {
    fn get(&self, now: Timestamp, id: &UserId) -> Option<Option<Arc<User>>> {
        let (at, user) = self.0.get(id)?;
        (now.saturating_since(*at) < RECENT_FOR).then(|| user.clone())
    }

    fn insert(&mut self, now: Timestamp, id: UserId, user: Option<Arc<User>>) {
        if self.0.len() >= MAX_RECENT {
            let is_recent = |at: Timestamp| now.saturating_since(at) < RECENT_FOR;
            self.0.retain(|_, (at, _)| is_recent(*at));
        }
        if self.0.len() < MAX_RECENT {
            self.0.insert(id, (now, user));
        }
    }
}

/// The result of a read.
pub(super) type ReadResult = (RequestId, Result<Reply, RequestError>);

struct MessageRead {
    conversation: ConversationId,
    id: MessageId,
    /// The message, if the caller has supplied it.
    supplied: Option<Arc<MessageSnapshot>>,
    message: Part<Arc<MessageSnapshot>>,
    /// The quoted message, if there is one.
    quote: Part<Option<Arc<MessageSnapshot>>>,
    users: BTreeMap<UserId, Option<Arc<User>>>,
}

/// A part of a read.
enum Part<T> {
    Unknown,
    Requested(FetchId),
    Known(T),
}

impl<T> Part<T> {
    /// Returns the pending request.
    fn fetch(&self) -> Option<FetchId> {
        match self {
            Self::Requested(fetch) => Some(*fetch),
            Self::Unknown | Self::Known(_) => None,
        }
    }
}

impl OneShotReads {
    /// Releases the memory of empty collections.
    pub(super) fn release_memory(&mut self) {
        self.reads.release_memory();
        self.changed.release_memory();
        self.users.release_memory();
    }

    pub(super) fn len(&self) -> usize {
        self.reads.len()
    }

    /// Starts a read. For a `supplied` message it fetches only the sender and the quote.
    pub(super) fn start(
        &mut self,
        request: RequestId,
        conversation: ConversationId,
        id: MessageId,
        supplied: Option<Arc<MessageSnapshot>>,
    ) {
        let read = MessageRead::new(conversation, id, supplied);
        self.reads.insert(request, read);
        self.changed.insert(request);
    }

    /// Returns a user that was requested within the last minute.
    pub(super) fn recent_user(&self, now: Timestamp, id: &UserId) -> Option<Option<Arc<User>>> {
        self.recent.as_ref()?.get(now, id)
    }

    /// Discards a read. Returns `true` if it existed.
    pub(super) fn cancel(&mut self, request: RequestId, cx: &mut StoreCx) -> bool {
        let Some(read) = self.reads.remove(&request) else {
            return false;
        };
        for fetch in read.message.fetch().into_iter().chain(read.quote.fetch()) {
            cx.requests.forget(fetch);
        }
        self.changed.remove(&request);
        true
    }

    /// Restarts all reads after a connection loss.
    pub(super) fn handle_lost(&mut self) {
        self.users.clear();
        self.recent = None;
        for (request, read) in &mut self.reads {
            let (conversation, id) = (read.conversation.clone(), read.id.clone());
            *read = MessageRead::new(conversation, id, read.supplied.take());
            self.changed.insert(*request);
        }
    }

    /// Handles the response to the request for a message or its quote.
    pub(super) fn handle_message(
        &mut self,
        request: RequestId,
        fetch: FetchId,
        response: Response<'_>,
        damaged: &mut usize,
    ) -> Option<ReadResult> {
        let read = self.reads.get_mut(&request)?;
        let message = decode::<MessageSnapshot>(response, damaged).map(Arc::new);
        if read.quote.fetch() == Some(fetch) {
            read.quote = Part::Known(message.ok());
        } else {
            match message {
                Ok(message) => read.message = Part::Known(message),
                Err(error) => {
                    self.reads.remove(&request);
                    self.changed.remove(&request);
                    let is_absent = is_absence(&error);
                    let result = is_absent.then_some(Reply::Message(None));
                    return Some((request, result.ok_or(error)));
                }
            }
        }
        self.changed.insert(request);
        None
    }

    /// Handles the response to the request for users. After a failure the users count as absent.
    pub(super) fn handle_users(
        &mut self,
        requested: &[UserId],
        response: Response<'_>,
        cx: &mut StoreCx,
    ) {
        let users = decode::<BTreeMap<UserId, User>>(response, &mut cx.damaged_items);
        let is_known = users.is_ok();
        let mut users = users.unwrap_or_default();
        for id in requested {
            let user = users.remove(id).map(Arc::new);
            if is_known {
                let recent = self.recent.get_or_insert_default();
                recent.insert(cx.now, id.clone(), user.clone());
            }
            for request in self.users.remove(id).unwrap_or_default() {
                if let Some(read) = self.reads.get_mut(&request) {
                    read.users.insert(id.clone(), user.clone());
                    self.changed.insert(request);
                }
            }
        }
    }

    /// Requests missing parts, and returns the results of complete reads.
    pub(super) fn advance(&mut self, cx: &mut StoreCx) -> Vec<ReadResult> {
        let mut results = Vec::new();
        if !cx.ready || self.changed.is_empty() {
            return results;
        }
        for request in std::mem::take(&mut self.changed) {
            let read = self.reads.get_mut(&request);
            let (users, recent) = (&mut self.users, self.recent.as_deref());
            let message = read.and_then(|read| read.advance(request, users, recent, cx));
            if message.is_some() {
                self.reads.remove(&request);
                results.push((request, Ok(Reply::Message(message))));
            }
        }
        results
    }

    /// Returns and discards all reads.
    pub(super) fn take_all(&mut self) -> Vec<RequestId> {
        std::mem::take(self).reads.into_keys().collect()
    }
}

impl MessageRead {
    fn new(
        conversation: ConversationId,
        id: MessageId,
        supplied: Option<Arc<MessageSnapshot>>,
    ) -> Self {
        let known = supplied.clone().map(Part::Known);
        Self {
            conversation,
            id,
            supplied,
            message: known.unwrap_or(Part::Unknown),
            quote: Part::Unknown,
            users: BTreeMap::new(),
        }
    }

    /// Requests missing parts. Returns the message once all parts are known.
    fn advance(
        &mut self,
        request: RequestId,
        requested: &mut BTreeMap<UserId, BTreeSet<RequestId>>,
        recent: Option<&RecentUsers>,
        cx: &mut StoreCx,
    ) -> Option<Arc<MessageSnapshot>> {
        if let Part::Unknown = self.message {
            let requests = &mut cx.requests;
            let fetch = requests.message_once(&self.conversation, &self.id, request);
            self.message = Part::Requested(fetch);
        }
        let Part::Known(message) = &self.message else {
            return None;
        };
        let message = Arc::clone(message);
        if let Part::Unknown = self.quote {
            self.quote = match &message.referenced_message_id {
                None => Part::Known(None),
                Some(quoted) => {
                    let requests = &mut cx.requests;
                    let fetch = requests.message_once(&self.conversation, quoted, request);
                    Part::Requested(fetch)
                }
            };
        }
        let sender = self.sender(&message, request, requested, recent, cx);
        let Part::Known(quote) = &self.quote else {
            return None;
        };
        let quote = match quote.clone() {
            None => None,
            Some(quote) => {
                let sender = self.sender(&quote, request, requested, recent, cx)?;
                Some(Arc::new(quote.resolved(sender, None)))
            }
        };
        Some(Arc::new(message.resolved(sender?, quote)))
    }

    /// Returns the sender of a message, or requests it.
    fn sender(
        &mut self,
        message: &MessageSnapshot,
        request: RequestId,
        requested: &mut BTreeMap<UserId, BTreeSet<RequestId>>,
        recent: Option<&RecentUsers>,
        cx: &mut StoreCx,
    ) -> Option<Option<Arc<User>>> {
        let Some(sender) = &message.sender_id else {
            return Some(None);
        };
        if let Some(user) = self.users.get(sender) {
            return Some(user.clone());
        }
        if let Some(user) = cx.users.fresh(sender) {
            return Some(user.cloned());
        }
        if self.supplied.is_some()
            && let Some(user) = recent.and_then(|recent| recent.get(cx.now, sender))
        {
            return Some(user);
        }
        let waiting = requested.entry(sender.clone()).or_default();
        if waiting.is_empty() {
            cx.requests.user_once(sender.clone());
        }
        waiting.insert(request);
        None
    }
}
