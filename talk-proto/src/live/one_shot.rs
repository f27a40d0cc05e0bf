//! EntityStore messages, read once beside all stores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::interface::FetchId;
use super::store_cx::StoreCx;
use super::stores::store::Response;
use super::sync::state::is_absence;
use crate::collections::GiveBack;
use crate::command::{Reply, RequestId};
use crate::error::{RequestError, TransportError};
use crate::model::{
    ConversationId, Message, MessageId, MessageSnapshot, ReferencedMessageSnapshot, User, UserId,
};

/// The messages that are being read.
#[derive(Default)]
pub(super) struct OneShotReads {
    gets: BTreeMap<RequestId, MessageRead>,
    /// Those that may go on.
    changed: BTreeSet<RequestId>,
    /// Who waits for a user that was asked for.
    users: BTreeMap<UserId, BTreeSet<RequestId>>,
}

/// What became of a `get`.
pub(super) type Outcome = (RequestId, Result<Reply, RequestError>);

struct MessageRead {
    conversation: ConversationId,
    id: MessageId,
    /// The message itself, when only what it shows is wanted.
    given: Option<Arc<Message>>,
    message: Part<Arc<Message>>,
    /// The message that it quotes, if there is one.
    quote: Part<Option<Arc<Message>>>,
    users: BTreeMap<UserId, Option<Arc<User>>>,
}

enum Part<T> {
    Unknown,
    Asked(FetchId),
    Known(T),
}

impl<T> Part<T> {
    /// The request that asks for it.
    fn asked(&self) -> Option<FetchId> {
        match self {
            Self::Asked(fetch) => Some(*fetch),
            Self::Unknown | Self::Known(_) => None,
        }
    }
}

impl OneShotReads {
    /// Gives back the memory of what is empty.
    pub(super) fn give_back(&mut self) {
        self.gets.give_back();
        self.changed.give_back();
        self.users.give_back();
    }

    pub(super) fn len(&self) -> usize {
        self.gets.len()
    }

    pub(super) fn start(
        &mut self,
        request: RequestId,
        conversation: ConversationId,
        id: MessageId,
    ) {
        self.gets
            .insert(request, MessageRead::new(conversation, id, None));
        self.changed.insert(request);
    }

    /// Looks up what a message shows that is known already.
    pub(super) fn start_known(
        &mut self,
        request: RequestId,
        conversation: ConversationId,
        message: Arc<Message>,
    ) {
        let get = MessageRead::new(conversation, message.id.clone(), Some(message));
        self.gets.insert(request, get);
        self.changed.insert(request);
    }

    /// Whether there was such a `get`.
    pub(super) fn cancel(&mut self, request: RequestId, cx: &mut StoreCx) -> bool {
        let Some(get) = self.gets.remove(&request) else {
            return false;
        };
        let fetches = get.message.asked().into_iter().chain(get.quote.asked());
        for fetch in fetches {
            cx.requests.forget(fetch);
        }
        self.changed.remove(&request);
        true
    }

    /// Everything is asked anew on the next connection.
    pub(super) fn lost(&mut self) {
        self.users.clear();
        for (request, get) in &mut self.gets {
            *get = MessageRead::new(get.conversation.clone(), get.id.clone(), get.given.take());
            self.changed.insert(*request);
        }
    }

    /// Takes the message, or the one that it quotes.
    pub(super) fn answer(
        &mut self,
        request: RequestId,
        fetch: FetchId,
        answer: Response<'_>,
    ) -> Option<Outcome> {
        let get = self.gets.get_mut(&request)?;
        let message = answer.and_then(|body| {
            let message = body.and_then(|body| serde_json::from_str::<Message>(body.get()).ok());
            message.ok_or_else(|| TransportError::Malformed.into())
        });
        if get.quote.asked() == Some(fetch) {
            get.quote = Part::Known(message.ok().map(Arc::new));
        } else {
            match message {
                Ok(message) => get.message = Part::Known(Arc::new(message)),
                Err(error) => {
                    self.gets.remove(&request);
                    self.changed.remove(&request);
                    let result = if is_absence(&error) {
                        Ok(Reply::Message(None))
                    } else {
                        Err(error)
                    };
                    return Some((request, result));
                }
            }
        }
        self.changed.insert(request);
        None
    }

    /// Takes users that were asked for; without an answer there are none.
    pub(super) fn answer_users(&mut self, asked: &[UserId], mut users: BTreeMap<UserId, User>) {
        for id in asked {
            let user = users.remove(id).map(Arc::new);
            for request in self.users.remove(id).unwrap_or_default() {
                if let Some(get) = self.gets.get_mut(&request) {
                    get.users.insert(id.clone(), user.clone());
                    self.changed.insert(request);
                }
            }
        }
    }

    /// Asks for what is missing, and says what is done.
    pub(super) fn advance(&mut self, cx: &mut StoreCx) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        if !cx.ready || self.changed.is_empty() {
            return outcomes;
        }
        for request in std::mem::take(&mut self.changed) {
            let get = self.gets.get_mut(&request);
            let message = get.and_then(|get| get.advance(request, &mut self.users, cx));
            if message.is_some() {
                self.gets.remove(&request);
                outcomes.push((request, Ok(Reply::Message(message))));
            }
        }
        outcomes
    }

    /// Gives up everything.
    pub(super) fn end(&mut self) -> Vec<RequestId> {
        self.changed.clear();
        self.users.clear();
        std::mem::take(&mut self.gets).into_keys().collect()
    }
}

impl MessageRead {
    fn new(conversation: ConversationId, id: MessageId, given: Option<Arc<Message>>) -> Self {
        let known = given.clone().map(Part::Known);
        Self {
            conversation,
            id,
            given,
            message: known.unwrap_or(Part::Unknown),
            quote: Part::Unknown,
            users: BTreeMap::new(),
        }
    }

    /// The message, once all that it shows is known.
    fn advance(
        &mut self,
        request: RequestId,
        asked: &mut BTreeMap<UserId, BTreeSet<RequestId>>,
        cx: &mut StoreCx,
    ) -> Option<Arc<MessageSnapshot>> {
        if let Part::Unknown = self.message {
            let requests = &mut cx.requests;
            let fetch = requests.message_once(&self.conversation, &self.id, request);
            self.message = Part::Asked(fetch);
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
                    Part::Asked(fetch)
                }
            };
        }
        let sender = self.sender(&message, request, asked, cx);
        let Part::Known(quote) = &self.quote else {
            return None;
        };
        let quote = match quote.clone() {
            None => None,
            Some(quote) => {
                let sender = self.sender(&quote, request, asked, cx)?;
                Some(Arc::new(ReferencedMessageSnapshot::new(quote, sender)))
            }
        };
        Some(Arc::new(MessageSnapshot::new(message, sender?, quote)))
    }

    /// The sender, if they are known; if not they are asked for.
    fn sender(
        &mut self,
        message: &Message,
        request: RequestId,
        asked: &mut BTreeMap<UserId, BTreeSet<RequestId>>,
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
        let waiting = asked.entry(sender.clone()).or_default();
        if waiting.is_empty() {
            cx.requests.user_once(sender.clone());
        }
        waiting.insert(request);
        None
    }
}
