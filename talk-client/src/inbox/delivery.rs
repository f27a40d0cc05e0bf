//! Messages that an inbox delivers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_channel::oneshot;
use talk_proto::inbox::{self, DeliveryId};
use talk_proto::model::{ConversationSnapshot, MessageSnapshot};
use talk_proto::outbox::Enqueue;

use crate::error::Error;
use crate::handle::{Command, Handle, InboxCommand, InboxSlot};
use crate::refs::{ConversationRef, OutboxEntry};
use crate::store::StoreState;

/// A message that an [`Inbox`](super::Inbox) has delivered.
///
/// Dropping the delivery does not acknowledge the message: the next inbox of the same name delivers
/// it again.
#[derive(Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// The conversation, as it was when the message was delivered.
    pub conversation: Arc<ConversationSnapshot>,
    /// The message.
    pub message: Arc<MessageSnapshot>,
    handle: Handle,
    slot: Arc<InboxSlot>,
    id: DeliveryId,
    pub(super) attempt: u32,
    /// The number of failed attempts, including those that do not count.
    pub(super) failures: u32,
    acknowledged: Arc<AtomicBool>,
}

impl Delivery {
    pub(super) fn new(handle: &Handle, slot: &Arc<InboxSlot>, delivery: inbox::Delivery) -> Self {
        let inbox::Delivery {
            id,
            conversation,
            message,
            ..
        } = delivery;
        Self {
            conversation,
            message,
            handle: handle.clone(),
            slot: Arc::clone(slot),
            id,
            attempt: 1,
            failures: 0,
            acknowledged: Arc::default(),
        }
    }

    /// Returns the number of this attempt to handle the message. It is 1 at first, and increases
    /// with each retry by [`Inbox::run`](super::Inbox::run), except after errors that do not count
    /// ([`RunOptions::always_retry_if`](super::RunOptions::always_retry_if)).
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns a ref of the conversation.
    pub fn conversation_ref(&self) -> ConversationRef {
        ConversationRef::new(self.handle.clone(), self.conversation.id.clone())
    }

    /// Acknowledges the message, so that it is not delivered again. Resolves when the
    /// acknowledgement is stored. Without a store, the memory of the session keeps it, and it
    /// resolves at once. Has no effect on a message that is already acknowledged.
    ///
    /// # Errors
    /// The end of the inbox or of the session.
    pub async fn ack(&self) -> Result<(), Error> {
        let result = match self.handle.store.get() {
            StoreState::InMemory => self.ack_in_memory(),
            _ => self.ack_in_store().await,
        };
        self.note(result)
    }

    /// Submits the acknowledgement. The driver handles it before later commands, such as the end of
    /// the inbox, so that it cannot fail any more.
    fn ack_in_memory(&self) -> Result<(), Error> {
        if let Some(error) = self.slot.end_error() {
            return Err(error);
        }
        let ack = InboxCommand::AckInMemory { delivery: self.id };
        let pushed = self.handle.commands.push(Command::Inbox(Box::new(ack)));
        pushed.map_err(|_| self.handle.end_error())
    }

    async fn ack_in_store(&self) -> Result<(), Error> {
        let (reply, result) = oneshot::channel();
        let slot = Arc::clone(&self.slot);
        let delivery = self.id;
        let ack = InboxCommand::Ack {
            slot,
            delivery,
            reply,
        };
        self.handle.push(Command::Inbox(Box::new(ack)));
        // The receiver fails if the driver was dropped together with the sender.
        let result = result.await;
        result.unwrap_or_else(|_| Err(self.handle.end_error()))
    }

    /// Answers the message: stores the answer in the [outbox](crate::outbox) and acknowledges the
    /// message in one step. Resolves when both are stored; [`OutboxEntry::sent`] waits until the
    /// answer is sent.
    ///
    /// The answer is sent once, even if the process crashes and handles the message again, because
    /// the idempotency key of the answer is derived from the message. An answer that the server
    /// refuses is [held](crate::outbox::Stage::Held) and does not block later messages of its
    /// conversation.
    ///
    /// # Errors
    /// [`Error::Usage`] if the outbox is full, or the message was acknowledged without an answer.
    /// The end of the inbox or of the session.
    pub async fn reply(&self, answer: impl Into<Enqueue>) -> Result<OutboxEntry, Error> {
        let message = answer.into();
        let delivery = self.id;
        let answer = OutboxEntry::submit(&self.handle, |entry| {
            Command::Inbox(Box::new(InboxCommand::Reply {
                delivery,
                message,
                entry,
            }))
        });
        let stored = answer.stored().await;
        self.note(stored).map(|_| answer)
    }

    /// Marks the message as acknowledged if `result` is `Ok`.
    fn note<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_ok() {
            self.acknowledged.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Returns `true` if the message was acknowledged or answered.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged.load(Ordering::Relaxed)
    }
}

/// Omits the text of the message.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("session", &self.handle)
            .field("conversation", &self.conversation.id)
            .field("message", &self.message.id)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
