//! Queued requests of calls: single requests, and batches of calls of the same kind.

use super::response::{ResponseDecoder, Tolerated};
use crate::command::RequestId;
use crate::error::{RequestError, ServerError};
use crate::model::{ConversationId, MessageId};
use crate::wire::path::path;
use crate::wire::{Method, Request, encode_request};

/// The largest number of calls in one frame.
const MAX_BATCH: usize = 100;

/// A queued request without its number. A batch serves several calls.
pub(crate) enum CallBody {
    /// A request of a single call.
    Single {
        call: RequestId,
        request: Request,
        decoder: ResponseDecoder,
        /// The conversation in which sends keep their order.
        lane: Option<ConversationId>,
    },
    /// Changes of one conversation's participants, or translations of its messages.
    Batch {
        conversation: ConversationId,
        kind: BatchKind,
        items: Vec<BatchItem>,
    },
}

/// The kind of a batch. Only calls of equal kinds share a frame.
#[derive(PartialEq)]
pub(crate) enum BatchKind {
    Participants,
    Translations { language: String },
}

/// The part of a batch that belongs to one call.
pub(crate) struct BatchItem {
    pub(super) call: RequestId,
    /// The JSON of this part.
    pub(super) json: String,
    pub(super) decoder: ItemDecoder,
    pub(super) is_cancelled: bool,
}

/// The way in which the response to a part of a batch is read.
pub(crate) enum ItemDecoder {
    Participant(Tolerated),
    Translation(MessageId),
}

impl CallBody {
    pub(super) fn single(call: RequestId, request: Request, decoder: ResponseDecoder) -> Self {
        Self::Single {
            call,
            request,
            decoder,
            lane: None,
        }
    }

    pub(super) fn batch_of_one(
        call: RequestId,
        conversation: ConversationId,
        kind: BatchKind,
        json: String,
        decoder: ItemDecoder,
    ) -> Self {
        let item = BatchItem {
            call,
            json,
            decoder,
            is_cancelled: false,
        };
        Self::Batch {
            conversation,
            kind,
            items: vec![item],
        }
    }

    /// Returns the size of the request in bytes, without its frame.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Single { request, .. } => request.path.len() + request.data.len(),
            Self::Batch {
                conversation,
                kind,
                items,
            } => {
                let language = match kind {
                    BatchKind::Participants => 0,
                    BatchKind::Translations { language } => language.len(),
                };
                let items = items.iter().map(|item| item.json.len());
                conversation.as_str().len() + language + items.sum::<usize>()
            }
        }
    }

    /// Merges `other` into this batch, or returns it if one frame cannot carry both.
    pub(super) fn join(&mut self, other: Self) -> Result<(), Self> {
        match (self, other) {
            (
                Self::Batch {
                    conversation,
                    kind,
                    items,
                },
                Self::Batch {
                    conversation: other_conversation,
                    kind: other_kind,
                    items: mut more,
                },
            ) if *conversation == other_conversation
                && *kind == other_kind
                && items.len() + more.len() <= MAX_BATCH =>
            {
                items.append(&mut more);
                Ok(())
            }
            (_, other) => Err(other),
        }
    }

    /// Returns the frame that sends the request with number `seq`, without cancelled parts.
    pub(super) fn encode(&mut self, seq: u64) -> String {
        match self {
            Self::Single { request, .. } => encode_request(seq, request),
            Self::Batch {
                conversation,
                kind,
                items,
            } => {
                items.retain(|item| !item.is_cancelled);
                encode_request(seq, &batch_request(conversation, kind, items))
            }
        }
    }

    /// Returns the conversation in which sends keep their order, or `None` if this is not a send.
    pub(super) fn lane(&self) -> Option<&ConversationId> {
        match self {
            Self::Single { lane, .. } => lane.as_ref(),
            Self::Batch { .. } => None,
        }
    }

    /// Returns `true` if the queue repeats the request after a failure of the server. An entry of
    /// the outbox has its own delays.
    pub(super) fn retries_failures(&self) -> bool {
        !matches!(
            self,
            Self::Single {
                decoder: ResponseDecoder::Sent,
                lane: None,
                ..
            }
        )
    }

    /// Returns `true` if repeating the call has the effect of one call. A repeated send has a new
    /// idempotency key, so that the message is sent twice.
    pub(super) fn is_idempotent(&self) -> bool {
        self.lane().is_none()
    }

    /// Adds the details of the request to a refusal: the strings to mask in `Debug`, and the effect
    /// of a repetition.
    pub(super) fn annotate(&self, refused: &mut ServerError) {
        match self {
            Self::Single { request, .. } => refused.mask_json(&request.data),
            Self::Batch { items, .. } => {
                for item in items {
                    refused.mask_json(&item.json);
                }
            }
        }
        if !self.is_idempotent() {
            refused.set_not_idempotent();
        }
    }

    /// Cancels the part of one call. Returns `true` if no other part remains.
    pub(super) fn cancel(&mut self, request: RequestId) -> bool {
        match self {
            Self::Single { call, .. } => *call == request,
            Self::Batch { items, .. } => {
                for item in items.iter_mut().filter(|item| item.call == request) {
                    item.is_cancelled = true;
                }
                items.iter().all(|item| item.is_cancelled)
            }
        }
    }

    /// Returns the calls that wait for the request.
    pub(super) fn callers(&self) -> Vec<RequestId> {
        match self {
            Self::Single { call, .. } => vec![*call],
            Self::Batch { items, .. } => {
                let active = items.iter().filter(|item| !item.is_cancelled);
                active.map(|item| item.call).collect()
            }
        }
    }

    /// Returns `true` if the refusal counts as success.
    pub(super) fn tolerates(&self, refusal: &RequestError) -> bool {
        match (self, refusal) {
            (
                Self::Single {
                    decoder: ResponseDecoder::Done(tolerated),
                    ..
                },
                RequestError::Server(refused),
            ) => tolerated.includes(refused),
            _ => false,
        }
    }
}

fn batch_request(conversation: &ConversationId, kind: &BatchKind, items: &[BatchItem]) -> Request {
    let mut parts: Vec<&str> = Vec::with_capacity(items.len());
    match kind {
        BatchKind::Participants => {
            parts.extend(items.iter().map(|item| item.json.as_str()));
            let data = format!("{{\"actions\":[{}]}}", parts.join(","));
            let pieces = ["/conversations/", conversation.as_str(), "/participants"];
            Request::with_json(Method::Post, path(&pieces), data)
        }
        BatchKind::Translations { language } => {
            for item in items {
                if !parts.contains(&item.json.as_str()) {
                    parts.push(&item.json);
                }
            }
            let language = serde_json::Value::from(language.as_str());
            let data = format!("{{\"ids\":[{}],\"lang\":{language}}}", parts.join(","));
            let pieces = ["/me/conversations/", conversation.as_str(), "/translate"];
            Request::with_json(Method::Get, path(&pieces), data)
        }
    }
}
