//! Deliveries and the events of an inbox.

use std::fmt;
use std::sync::Arc;

use crate::error::RequestError;
use crate::model::{ConversationSnapshot, MessageSnapshot};

/// The ID of an open inbox. A session never reuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboxId(pub(crate) u64);

/// The ID of a delivery, unique among all inboxes of the session. A session never reuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub(crate) u64);

impl DeliveryId {
    /// Returns the number of the delivery.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A message for the application, which acknowledges it with
/// [`Session::ack`](crate::Session::ack) or [`Session::reply`](crate::Session::reply).
///
/// `Debug` shows only IDs.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The ID of the delivery.
    pub id: DeliveryId,
    /// The conversation at the time of the delivery. Its `last_message` is the newest message that
    /// is known with its sender and quote: this one, or a later one that is delivered next. Newer
    /// messages may exist, because the inbox reads them only in their turn; `last_message_at` is
    /// the time of the newest one. A message that was deleted or edited before the delivery is
    /// absent or has its new content. Later changes do not reach the delivery.
    pub conversation: Arc<ConversationSnapshot>,
    /// The message. Its sender was read within the last minute.
    pub message: Arc<MessageSnapshot>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("conversation", &self.conversation.id)
            .field("message", &self.message.id)
            .finish_non_exhaustive()
    }
}

/// An event of an inbox.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InboxEvent {
    /// The start of the inbox is known and stored. All later messages are delivered.
    Opened,
    /// A message was delivered.
    Delivered(Delivery),
    /// An acknowledgement is stored. With a store this follows the write; a failed write is
    /// repeated.
    Acked {
        /// The delivery.
        delivery: DeliveryId,
    },
    /// The inbox has ended. Acknowledgements without [`Acked`](Self::Acked) may be lost.
    Ended {
        /// The reason, or `None` if [`Session::close_inbox`](crate::Session::close_inbox) ended it.
        error: Option<RequestError>,
    },
}
