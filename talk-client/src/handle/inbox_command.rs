//! Commands of inboxes.

use std::sync::Arc;

use futures_channel::oneshot;
use talk_proto::inbox::{DeliveryId, InboxOptions};
use talk_proto::outbox::Enqueue;

use super::entry_slot::EntrySlot;
use super::inbox_slot::InboxSlot;
use crate::error::Error;

/// A command of an inbox.
pub(crate) enum InboxCommand {
    /// Opens an inbox and sends its deliveries to `slot`.
    Open {
        name: String,
        options: InboxOptions,
        slot: Arc<InboxSlot>,
    },
    /// Acknowledges a delivery of a session without a store.
    AckInMemory { delivery: DeliveryId },
    /// Acknowledges a delivery of `slot`. The reply is sent when the acknowledgement is stored.
    Ack {
        slot: Arc<InboxSlot>,
        delivery: DeliveryId,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// Adds the answer to a delivery to the outbox, acknowledges the delivery, and reports the
    /// state of the entry to `entry`.
    Reply {
        delivery: DeliveryId,
        message: Enqueue,
        entry: Arc<EntrySlot>,
    },
    /// Closes an inbox.
    Close { slot: Arc<InboxSlot> },
}

impl InboxCommand {
    /// Returns the size of the message, which is 0 without one.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Reply { message, .. } => message.message.stored_size(),
            _ => 0,
        }
    }

    /// Returns `true` if the command opens the inbox of `slot`.
    pub(crate) fn opens(&self, slot: &Arc<InboxSlot>) -> bool {
        matches!(self, Self::Open { slot: other, .. } if Arc::ptr_eq(other, slot))
    }

    /// Reports `error` to the caller of the command.
    pub(super) fn reject(self, error: &Error) {
        match self {
            Self::Open { slot, .. } => drop(slot.end(Err(error.clone()))),
            Self::Ack { reply, .. } => {
                // Fails if the caller has stopped waiting.
                let _ = reply.send(Err(error.clone()));
            }
            Self::Reply { entry, .. } => entry.fail(error),
            Self::AckInMemory { .. } | Self::Close { .. } => {}
        }
    }
}
