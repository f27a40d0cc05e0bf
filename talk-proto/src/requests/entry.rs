//! The entries of the request queue.

use super::backoff::RetryDelay;
use super::body::CallBody;
use super::failures::FailureKey;
use crate::command::RequestId;
use crate::live::interface::{FetchId, Get};
use crate::model::ConversationId;
use crate::timestamp::Timestamp;
use crate::wire::Request;

/// The position of a request in the queue. Earlier requests have lower slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueueSlot(pub(super) u64);

#[cfg(test)]
impl QueueSlot {
    pub(crate) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// A pending request.
pub(super) struct Entry {
    pub(super) work: Work,
    pub(super) state: EntryState,
    pub(super) delay: RetryDelay,
    pub(super) failures: u32,
    pub(super) was_sent: bool,
}

pub(super) enum Work {
    Call(CallBody),
    Live { fetch: FetchId, request: Request },
    Read { request: RequestId, get: Get },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryState {
    /// The request is sent as soon as the connection and pacing allow.
    Ready,
    /// The send waits for an earlier send to the same conversation.
    Held,
    /// The server failed to process the request. It is sent again at this time.
    Retrying(Timestamp),
    /// The request is in flight with this number.
    Sent(u64),
    /// The live half performs the read.
    Reading,
}

/// Ready requests of higher priority are sent first, in the order of their slots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Priority {
    Live,
    Call,
}

impl Work {
    pub(super) fn priority(&self) -> Priority {
        match self {
            Self::Live { .. } => Priority::Live,
            Self::Call(_) | Self::Read { .. } => Priority::Call,
        }
    }

    /// Returns `true` if the queue sends the request again after the server failed to process it.
    pub(super) fn retries_failures(&self) -> bool {
        match self {
            Self::Call(body) => body.retries_failures(),
            Self::Live { .. } | Self::Read { .. } => true,
        }
    }

    pub(super) fn lane(&self) -> Option<&ConversationId> {
        match self {
            Self::Call(body) => body.lane(),
            Self::Live { .. } | Self::Read { .. } => None,
        }
    }

    pub(super) fn failure_key(&self, slot: QueueSlot) -> FailureKey {
        match self {
            Self::Live { request, .. } => FailureKey::Live(request.clone()),
            Self::Call(_) | Self::Read { .. } => FailureKey::Call(slot),
        }
    }
}
