//! An open inbox.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::Stream;
use talk_proto::CommandError;
use talk_proto::inbox::InboxOptions;

use super::delivery::Delivery;
use crate::error::Error;
use crate::handle::{Command, Handle, InboxCommand, InboxSlot};

/// An open inbox: a stream of deliveries, created by
/// [`InboxBuilder::open`](super::InboxBuilder::open).
///
/// At most [`max_unacked`](super::InboxBuilder::max_unacked) deliveries are unacknowledged at a
/// time. They bound the memory of a slow consumer, which misses no message. The stream ends with
/// the session, or if the server refuses the list of conversations;
/// [`terminated`](Self::terminated) returns the reason.
///
/// Dropping the inbox closes it. Its deliveries can no longer be acknowledged.
///
/// ```no_run
/// use futures_util::StreamExt;
///
/// # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
/// let mut inbox = session.inbox("archive").open().await?;
/// while let Some(delivery) = inbox.next().await {
///     println!("{}", delivery.message.plaintext());
///     delivery.ack().await?;
/// }
/// inbox.terminated().await
/// # }
/// ```
#[must_use = "dropping an inbox closes it"]
pub struct Inbox {
    pub(super) handle: Handle,
    slot: Arc<InboxSlot>,
}

impl Inbox {
    pub(super) async fn open(
        handle: Handle,
        name: String,
        options: InboxOptions,
    ) -> Result<Self, Error> {
        // A session without its store checks them again only when it has the store.
        options.check(&name)?;
        let slot = InboxSlot::new();
        handle.push(Command::Inbox(Box::new(InboxCommand::Open {
            name,
            options,
            slot: Arc::clone(&slot),
        })));
        // Closes the inbox if the caller drops this future.
        let inbox = Self { handle, slot };
        match inbox.slot.opened().await {
            Some(opened) => opened.map(|()| inbox),
            None => Err(CommandError::Unsubscribed.into()),
        }
    }

    /// Closes the inbox. Has no effect on an inbox that has ended. Unacknowledged messages are
    /// delivered again to the next inbox of this name.
    pub fn close(&self) {
        if self.slot.end(Ok(())) {
            let slot = Arc::clone(&self.slot);
            let close = InboxCommand::Close { slot };
            self.handle.push(Command::Inbox(Box::new(close)));
        }
    }

    /// Waits for the end of the inbox.
    ///
    /// # Errors
    /// The error that ended the inbox. An inbox that was closed by [`close`](Self::close) returns
    /// `Ok`.
    pub async fn terminated(&self) -> Result<(), Error> {
        self.slot.terminated().await
    }
}

impl Stream for Inbox {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let next = self.slot.poll_delivery(cx);
        next.map(|delivery| Some(Delivery::new(&self.handle, &self.slot, delivery?)))
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("session", &self.handle)
            .field("has_ended", &self.slot.ended().is_some())
            .finish()
    }
}
