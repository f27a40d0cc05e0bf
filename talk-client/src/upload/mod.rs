//! Streamed uploads with progress.

pub(crate) mod metadata;
pub(crate) mod progress;
pub(crate) mod queued;
pub(crate) mod source;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use talk_proto::{Reply, upload::FileToken};

pub use self::metadata::{MediaKind, UploadMetadata};
use self::progress::ProgressCounter;
pub use self::progress::{UploadProgress, UploadProgressStream};
pub use self::source::UploadSource;
use crate::error::Error;
use crate::handle::{CallFuture, Command, Handle};

/// An upload in progress: a future of the file's token, which a message can be sent with.
///
/// The first poll starts it, and dropping it cancels it.
///
/// ```no_run
/// use futures_util::StreamExt;
///
/// # use talk_client::{Error, Session};
/// # async fn example(session: Session, photo: Vec<u8>) -> Result<(), Error> {
/// let upload = session.upload_image(photo, "cat.png");
/// let mut progress = upload.progress();
/// let show = async {
///     while let Some(progress) = progress.next().await {
///         println!("{} of {} bytes", progress.sent, progress.total);
///     }
/// };
/// let (file_token, ()) = futures_util::future::join(upload, show).await;
/// # file_token?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an upload is made when it is polled"]
pub struct UploadFuture {
    call: CallFuture<FileToken>,
    progress: EndOnDrop,
}

/// Ends the progress stream on drop, also of an upload that was never started.
struct EndOnDrop(Arc<ProgressCounter>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl UploadFuture {
    pub(crate) fn new(
        handle: &Handle,
        kind: MediaKind,
        source: UploadSource,
        metadata: UploadMetadata,
    ) -> Self {
        let progress = Arc::new(ProgressCounter::new());
        let driver_progress = Arc::clone(&progress);
        let command = move |id, reply| Command::Upload {
            id,
            kind,
            source,
            metadata: Box::new(metadata),
            progress: driver_progress,
            reply,
        };
        let call = handle.submit(command, |reply| match reply {
            Reply::Uploaded { file_token } => Ok(file_token),
            reply => Err(reply),
        });
        Self {
            call,
            progress: EndOnDrop(progress),
        }
    }

    /// Fails the upload with [`TransportError::Deadline`](crate::TransportError::Deadline) if it is
    /// not complete within `timeout`, which includes the wait for a connection.
    /// [`TalkOptions::call_timeout`](crate::TalkOptions::call_timeout) does not limit uploads. The
    /// method has no effect after the first poll.
    ///
    /// ```no_run
    /// # use talk_client::{Error, Session};
    /// # async fn example(session: Session, photo: Vec<u8>) -> Result<(), Error> {
    /// use std::time::Duration;
    ///
    /// session.upload_image(photo, "cat.png").timeout(Duration::from_secs(120)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call = self.call.timeout(timeout);
        self
    }

    /// Returns the progress as a stream that ends with the upload.
    ///
    /// ```no_run
    /// # use talk_client::{Error, Session};
    /// # async fn example(session: Session, photo: Vec<u8>) -> Result<(), Error> {
    /// use futures_util::StreamExt;
    ///
    /// let upload = session.upload_image(photo, "cat.png");
    /// let last = upload.progress().fold(None, async |_, progress| Some(progress));
    /// let (file_token, last) = futures_util::future::join(upload, last).await;
    /// assert!(file_token.is_err() || last.is_some_and(|last| last.sent == last.total));
    /// # Ok(())
    /// # }
    /// ```
    pub fn progress(&self) -> UploadProgressStream {
        UploadProgressStream::new(&self.progress.0)
    }
}

impl Future for UploadFuture {
    type Output = Result<FileToken, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = Pin::new(&mut self.call).poll(cx);
        if outcome.is_ready() {
            self.progress.0.end();
        }
        outcome
    }
}

impl fmt::Debug for UploadFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFuture").finish_non_exhaustive()
    }
}
