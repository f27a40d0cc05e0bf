//! Messages that are uploaded and sent in one call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use talk_proto::{
    command::SendMessage,
    model::{ConversationId, MessageId},
    upload::FileToken,
};

use super::message::MessageRef;
use crate::error::Error;
use crate::handle::{CallFuture, Handle};
use crate::upload::{UploadFuture, UploadProgressStream};

/// A file that is being uploaded and then sent, created by
/// [`ConversationRef::send_file`](crate::ConversationRef::send_file): a future of the message.
///
/// The first poll starts it. Dropping it cancels the upload or the unsent message.
///
/// ```no_run
/// use futures_util::StreamExt;
///
/// # use talk_client::{ConversationRef, Error};
/// # async fn example(conversation: ConversationRef, photo: Vec<u8>) -> Result<(), Error> {
/// let cat = talk_client::UploadMetadata::named("cat.png").content_type("image/png");
/// let sending = conversation.send_file(photo, cat).custom("album", "pets");
/// let show = sending.progress().for_each(async |progress| {
///     println!("{} of {} bytes", progress.sent, progress.total);
/// });
/// let (message, ()) = futures_util::future::join(sending, show).await;
/// println!("sent as {}", message?.id());
/// # Ok(())
/// # }
/// ```
#[must_use = "a file is sent when its future is polled"]
pub struct SendFileFuture {
    handle: Handle,
    conversation: ConversationId,
    /// The message without its file.
    template: SendMessage,
    upload: UploadFuture,
    timeout: Option<Duration>,
    message: Option<CallFuture<MessageRef>>,
}

impl SendFileFuture {
    pub(super) fn new(handle: Handle, conversation: ConversationId, upload: UploadFuture) -> Self {
        Self {
            handle,
            conversation,
            template: SendMessage::content([]),
            upload,
            timeout: None,
            message: None,
        }
    }

    /// Fails with [`TransportError::Deadline`](crate::TransportError::Deadline) if the upload, or
    /// then the message, is not complete within `timeout`. It has no effect after the first poll.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.upload = self.upload.timeout(timeout);
        self.timeout = Some(timeout);
        self
    }

    /// Returns the progress of the upload as a stream that ends with it. The message is sent
    /// afterwards.
    pub fn progress(&self) -> UploadProgressStream {
        self.upload.progress()
    }

    /// Sets one key of the message's custom data. It has no effect after the upload.
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.template = self.template.custom(key, value);
        self
    }

    /// Makes the message a reply to another one of the same conversation. It has no effect after
    /// the upload.
    pub fn reply_to(mut self, message: impl Into<MessageId>) -> Self {
        self.template = self.template.reply_to(message);
        self
    }

    fn message(&mut self, token: FileToken) -> CallFuture<MessageRef> {
        let mut message = self.template.clone();
        message.body = SendMessage::file(token).body;
        let call = MessageRef::send(&self.handle, self.conversation.clone(), message);
        match self.timeout {
            Some(timeout) => call.timeout(timeout),
            None => call,
        }
    }
}

impl Future for SendFileFuture {
    type Output = Result<MessageRef, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            if let Some(message) = &mut self.message {
                return Pin::new(message).poll(cx);
            }
            let token = ready!(Pin::new(&mut self.upload).poll(cx))?;
            self.message = Some(self.message(token));
        }
    }
}

impl fmt::Debug for SendFileFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFileFuture").finish_non_exhaustive()
    }
}
