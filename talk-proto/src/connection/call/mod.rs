//! Calls: the requests that they make, and what the answers mean.

mod answer;
mod message;
mod prepare;

use serde::Serialize;

pub(crate) use answer::{Answer, Forgiven};
pub(crate) use prepare::{prepare, validation};

use crate::command::{Reply, RequestId};
use crate::error::RequestError;
use crate::live::interface::Get;
use crate::model::{ConversationId, MessageId, UserId};
use crate::wire::path::path;
use crate::wire::{Method, Request};

/// A call, ready to be queued.
pub(crate) enum Prepared {
    /// It reads what the live half may hold already.
    Get(Get),
    /// It is made of these requests; all of them must be answered.
    Requests(Vec<CallBody>),
}

/// One request of the queue, before it has a number. A batch serves several calls.
pub(crate) enum CallBody {
    /// One request of one call.
    Single {
        of: RequestId,
        request: Request,
        answer: Answer,
        lane: Option<ConversationId>,
    },
    /// Changes of participants of one conversation.
    Participants {
        conversation: ConversationId,
        actions: Vec<Action>,
    },
    /// Translations of messages of one conversation into one language.
    Translate {
        conversation: ConversationId,
        language: String,
        wanted: Vec<Wanted>,
    },
}

/// One change of a participant.
pub(crate) struct Action {
    of: RequestId,
    user: UserId,
    method: &'static str,
    params: serde_json::Value,
    forgiven: Forgiven,
    cancelled: bool,
}

/// One wanted translation.
pub(crate) struct Wanted {
    of: RequestId,
    message: MessageId,
    cancelled: bool,
}

/// What became of one request of one call.
pub(crate) type Outcome = (RequestId, Result<Reply, RequestError>);

/// The most actions that a frame may carry.
const MAX_ACTIONS: usize = 100;
/// The most messages that a frame may ask translations of.
const MAX_TRANSLATIONS: usize = 100;

impl CallBody {
    /// The bytes of what the caller gave, as far as a caller can make them many.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Single { request, .. } => request.path.len() + request.data.len(),
            Self::Participants {
                conversation,
                actions,
            } => {
                let users = actions.iter().map(|action| action.user.as_str().len());
                conversation.as_str().len() + users.sum::<usize>()
            }
            Self::Translate {
                conversation,
                language,
                wanted,
            } => {
                let messages = wanted.iter().map(|wanted| wanted.message.as_str().len());
                conversation.as_str().len() + language.len() + messages.sum::<usize>()
            }
        }
    }

    /// Takes in `other` if one frame can carry both; gives it back otherwise.
    pub(crate) fn join(&mut self, other: Self) -> Result<(), Self> {
        match (self, other) {
            (
                Self::Participants {
                    conversation,
                    actions,
                },
                Self::Participants {
                    conversation: same,
                    actions: mut more,
                },
            ) if *conversation == same && actions.len() + more.len() <= MAX_ACTIONS => {
                actions.append(&mut more);
                Ok(())
            }
            (
                Self::Translate {
                    conversation,
                    language,
                    wanted,
                },
                Self::Translate {
                    conversation: same,
                    language: too,
                    wanted: mut more,
                },
            ) if *conversation == same
                && *language == too
                && wanted.len() + more.len() <= MAX_TRANSLATIONS =>
            {
                wanted.append(&mut more);
                Ok(())
            }
            (_, other) => Err(other),
        }
    }

    /// The request to send now; what was cancelled is not in it.
    pub(crate) fn request(&mut self) -> Request {
        #[derive(Serialize)]
        struct WireAction<'a> {
            id: &'a UserId,
            method: &'static str,
            params: &'a serde_json::Value,
        }

        match self {
            Self::Single { request, .. } => request.clone(),
            Self::Participants {
                conversation,
                actions,
            } => {
                actions.retain(|action| !action.cancelled);
                let actions: Vec<_> = actions
                    .iter()
                    .map(|a| WireAction {
                        id: &a.user,
                        method: a.method,
                        params: &a.params,
                    })
                    .collect();
                let data = serde_json::json!({ "actions": actions });
                let pieces = ["/conversations/", conversation.as_str(), "/participants"];
                Request::new(Method::Post, path(&pieces), &data)
            }
            Self::Translate {
                conversation,
                language,
                wanted,
            } => {
                wanted.retain(|wanted| !wanted.cancelled);
                let mut ids: Vec<&MessageId> = Vec::new();
                for Wanted { message, .. } in wanted.iter() {
                    if !ids.contains(&message) {
                        ids.push(message);
                    }
                }
                let data = serde_json::json!({ "ids": ids, "lang": language });
                let pieces = ["/me/conversations/", conversation.as_str(), "/translate"];
                Request::new(Method::Get, path(&pieces), &data)
            }
        }
    }

    /// The conversation in which sends keep their order, if this is a send.
    pub(crate) fn lane(&self) -> Option<&ConversationId> {
        match self {
            Self::Single { lane, .. } => lane.as_ref(),
            Self::Participants { .. } | Self::Translate { .. } => None,
        }
    }

    /// Forgets the part of one call. Whether nothing is left.
    pub(crate) fn cancel(&mut self, request: RequestId) -> bool {
        match self {
            Self::Single { of, .. } => *of == request,
            Self::Participants { actions, .. } => {
                for action in actions.iter_mut().filter(|action| action.of == request) {
                    action.cancelled = true;
                }
                actions.iter().all(|action| action.cancelled)
            }
            Self::Translate { wanted, .. } => {
                for wanted in wanted.iter_mut().filter(|wanted| wanted.of == request) {
                    wanted.cancelled = true;
                }
                wanted.iter().all(|wanted| wanted.cancelled)
            }
        }
    }

    /// The same failure for every call that this serves.
    pub(crate) fn fail(self, error: &RequestError) -> Vec<Outcome> {
        self.callers()
            .into_iter()
            .map(|of| (of, Err(error.clone())))
            .collect()
    }

    fn callers(&self) -> Vec<RequestId> {
        match self {
            Self::Single { of, .. } => vec![*of],
            Self::Participants { actions, .. } => actions
                .iter()
                .filter(|a| !a.cancelled)
                .map(|a| a.of)
                .collect(),
            Self::Translate { wanted, .. } => wanted
                .iter()
                .filter(|w| !w.cancelled)
                .map(|w| w.of)
                .collect(),
        }
    }
}
