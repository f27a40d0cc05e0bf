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
    /// acknowledgement is stored; without a store, the memory of the session keeps it. Has no
    /// effect on a message that is already acknowledged.
    ///
    /// # Errors
    /// The end of the inbox or of the session.
    pub async fn ack(&self) -> Result<(), Error> {
        let (reply, result) = oneshot::channel();
        let slot = Arc::clone(&self.slot);
        let delivery = self.id;
        self.push(InboxCommand::Ack {
            slot,
            delivery,
            reply,
        });
        // The receiver fails if the driver was dropped together with the sender.
        let result = result
            .await
            .unwrap_or_else(|_| Err(self.handle.end_error()));
        self.note(result)
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
    /// [`Error::Usage`] if the session has no outbox, the outbox is full, or the message was
    /// acknowledged without an answer. The end of the inbox or of the session.
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

    fn push(&self, command: InboxCommand) {
        self.handle.push(Command::Inbox(Box::new(command)));
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
