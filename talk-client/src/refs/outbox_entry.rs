//! Handles of outbox entries.

use std::fmt;
use std::sync::Arc;

use talk_proto::command::{EditMessage, SendMessage};
use talk_proto::model::{ConversationId, EntryId};
use talk_proto::outbox::{Enqueue, Entry, EntryAction, HeldReason};
use talk_proto::storage::StoreError;

use super::message::MessageRef;
use crate::error::Error;
use crate::handle::{Command, EntrySlot, EntryStatus, Handle, OutboxCommand};
use crate::store::StoreState;

/// A handle of an entry of the outbox, from
/// [`ConversationRef::enqueue`](crate::ConversationRef::enqueue) or
/// [`Session::outbox_entry`](crate::Session::outbox_entry). Dropping it leaves the entry in the
/// outbox.
///
/// ```no_run
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
/// let entry = conversation.enqueue("Hello!");
/// entry.stored().await?;
/// println!("the message survives a crash from here on");
/// let message = entry.sent().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OutboxEntry {
    handle: Handle,
    slot: Arc<EntrySlot>,
}

impl OutboxEntry {
    /// Enqueues a message.
    pub(crate) fn enqueue(handle: &Handle, conversation: ConversationId, message: Enqueue) -> Self {
        Self::submit(handle, |slot| {
            Command::Outbox(Box::new(OutboxCommand::Enqueue {
                conversation,
                message,
                slot,
            }))
        })
    }

    /// Returns the handle of a known entry.
    pub(crate) fn find(handle: &Handle, entry: EntryId) -> Self {
        Self::submit(handle, |slot| {
            Command::Outbox(Box::new(OutboxCommand::Find { entry, slot }))
        })
    }

    /// Submits a command that reports the state of the entry.
    pub(crate) fn submit(handle: &Handle, command: impl FnOnce(Arc<EntrySlot>) -> Command) -> Self {
        let slot = EntrySlot::new();
        handle.push(command(Arc::clone(&slot)));
        Self {
            handle: handle.clone(),
            slot,
        }
    }

    /// Returns the latest snapshot while the entry is in the outbox, or else `None`. It is also
    /// `None` until the session has processed the command that created this handle.
    pub fn latest(&self) -> Option<Arc<Entry>> {
        match self.slot.status() {
            EntryStatus::Queued(entry) => Some(entry),
            EntryStatus::Pending
            | EntryStatus::Sent { .. }
            | EntryStatus::Discarded
            | EntryStatus::Failed(_) => None,
        }
    }

    /// Waits until the entry is stored, and returns its ID. Without a store, waits until the entry
    /// is in the memory of the session.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let id = conversation.enqueue("Hello!").stored().await?;
    /// println!("queued as {id}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] if the store failed; the entry is then [held](HeldReason::StoreFailed).
    /// [`Error::Discarded`] if the entry was discarded. [`Error::Usage`] if the session did not
    /// accept the message, because it has no outbox or the outbox is full. The end of the session.
    pub async fn stored(&self) -> Result<EntryId, Error> {
        let stored = self.slot.wait_until(|status| match status {
            EntryStatus::Pending => None,
            EntryStatus::Queued(entry) => match entry.held() {
                Some(HeldReason::StoreFailed(reason)) => {
                    Some(Err(StoreError::Io(reason.to_string()).into()))
                }
                _ if entry.durable || self.is_in_memory() => Some(Ok(entry.id.clone())),
                _ => None,
            },
            EntryStatus::Sent { id, .. } => Some(Ok(id.clone())),
            EntryStatus::Discarded => Some(Err(Error::Discarded)),
            EntryStatus::Failed(error) => Some(Err(error.clone())),
        });
        stored.await
    }

    fn is_in_memory(&self) -> bool {
        self.handle.store.get() == StoreState::InMemory
    }

    /// Waits until the server has accepted the message. Waits without limit while the entry is
    /// [held](talk_proto::outbox::Stage::Held) or the connection is lost. The result is available
    /// for 24 h after the entry has left the outbox.
    ///
    /// ```no_run
    /// # use talk_client::{ConversationRef, Error};
    /// # async fn example(conversation: ConversationRef) -> Result<(), Error> {
    /// let message = conversation.enqueue("Hello!").sent().await?;
    /// message.edit("Hello, *world*!").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`stored`](Self::stored), except that the failure of a write is not an error
    /// here. After the end of the session, the next session sends a stored entry.
    pub async fn sent(&self) -> Result<MessageRef, Error> {
        let sent = self.slot.wait_until(|status| match status {
            EntryStatus::Pending => None,
            EntryStatus::Queued(entry) => {
                let message = entry.message()?.clone();
                Some(Ok((entry.conversation.clone(), message)))
            }
            EntryStatus::Sent {
                conversation,
                message,
                ..
            } => Some(Ok((conversation.clone(), message.clone()))),
            EntryStatus::Discarded => Some(Err(Error::Discarded)),
            EntryStatus::Failed(error) => Some(Err(error.clone())),
        });
        let (conversation, message) = sent.await?;
        Ok(MessageRef::new(self.handle.clone(), conversation, message))
    }

    /// Sends a held entry again, or skips the delay before the next attempt. Returns `false` if
    /// there is nothing to do.
    ///
    /// # Errors
    /// The end of the session.
    pub async fn retry(&self) -> Result<bool, Error> {
        self.update(EntryAction::Retry).await
    }

    /// Removes an entry that the server has not accepted. If an attempt was made, the server may
    /// have stored the message nevertheless. Returns `false` if the message is sent.
    ///
    /// # Errors
    /// The end of the session.
    pub async fn discard(&self) -> Result<bool, Error> {
        self.update(EntryAction::Discard).await
    }

    /// Removes an entry that was never tried, or whose only attempt was refused. Returns `false`
    /// otherwise, because the server may have stored the message.
    ///
    /// # Errors
    /// The end of the session.
    pub async fn cancel(&self) -> Result<bool, Error> {
        self.update(EntryAction::Cancel).await
    }

    /// Replaces the content of an entry that was never tried, or whose only attempt was refused.
    /// Returns `false` otherwise; use [`edit_after`](Self::edit_after) in that case.
    ///
    /// # Errors
    /// The outbox is full, or the message is too large. The end of the session.
    pub async fn edit(&self, message: impl Into<SendMessage>) -> Result<bool, Error> {
        self.update(EntryAction::Edit(message.into())).await
    }

    /// Edits the message as soon as it is sent. Replaces an earlier `edit_after` or `delete_after`.
    /// Returns `false` if the entry has left the outbox; edit the [message](Self::sent) in that
    /// case.
    ///
    /// # Errors
    /// The end of the session.
    pub async fn edit_after(&self, edit: impl Into<EditMessage>) -> Result<bool, Error> {
        self.update(EntryAction::EditAfter(edit.into())).await
    }

    /// Deletes the message as soon as it is sent. Replaces an earlier `edit_after` or
    /// `delete_after`. Returns `false` if the entry has left the outbox; delete the
    /// [message](Self::sent) in that case.
    ///
    /// # Errors
    /// The end of the session.
    pub async fn delete_after(&self) -> Result<bool, Error> {
        self.update(EntryAction::DeleteAfter).await
    }

    async fn update(&self, action: EntryAction) -> Result<bool, Error> {
        let slot = Arc::clone(&self.slot);
        let command = |reply| OutboxCommand::Update {
            slot,
            action,
            reply,
        };
        self.handle.outbox(command).await
    }
}

impl fmt::Debug for OutboxEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEntry")
            .field("session", &self.handle)
            .field("status", &self.slot.status())
            .finish()
    }
}
