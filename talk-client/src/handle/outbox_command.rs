//! Commands of the outbox.

use std::sync::Arc;

use futures_channel::oneshot;
use talk_proto::model::{ConversationId, EntryId};
use talk_proto::outbox::{Enqueue, EntryAction};

use super::entry_slot::EntrySlot;
use crate::error::Error;

/// The receiver of the result of a command; `false` if the command had no effect.
pub(super) type Reply = oneshot::Sender<Result<bool, Error>>;

/// A command of the outbox.
pub(crate) enum OutboxCommand {
    /// Adds a message and reports its state to `slot`.
    Enqueue {
        conversation: ConversationId,
        message: Enqueue,
        slot: Arc<EntrySlot>,
    },
    /// Reports the state of an entry to `slot`.
    Find {
        entry: EntryId,
        slot: Arc<EntrySlot>,
    },
    /// Changes the entry of `slot`.
    Update {
        slot: Arc<EntrySlot>,
        action: EntryAction,
        reply: Reply,
    },
    /// Sends all held entries again.
    RetryAll { reply: Reply },
    /// Pauses or resumes a conversation.
    SetPaused {
        conversation: ConversationId,
        is_paused: bool,
        reply: Reply,
    },
}

impl OutboxCommand {
    /// Returns the size of the message, which is 0 without one.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Enqueue { message, .. } => message.message.stored_size(),
            Self::Update {
                action: EntryAction::Edit(message),
                ..
            } => message.stored_size(),
            _ => 0,
        }
    }

    /// Reports `error` to the caller of the command.
    pub(crate) fn reject(self, error: &Error) {
        match self {
            Self::Enqueue { slot, .. } | Self::Find { slot, .. } => slot.fail(error),
            Self::Update { reply, .. }
            | Self::RetryAll { reply }
            | Self::SetPaused { reply, .. } => {
                // Fails if the caller has stopped waiting.
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}
