//! Uploads: streamed from their source, with progress.

pub(crate) mod metadata;
pub(crate) mod progress;
pub(crate) mod source;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use talk_proto::{FileToken, Reply};

use self::metadata::Kind;
pub use self::metadata::UploadMetadata;
use self::progress::Meter;
pub use self::progress::{UploadProgress, UploadProgressStream};
pub use self::source::UploadSource;
use crate::error::Error;
use crate::handle::{CallFuture, Command, Handle};

/// An upload that is being made: a future of the file's token, which a message can be sent with.
///
/// It is made when it is first polled. Dropping it cancels it, whatever it is doing.
///
/// ```no_run
/// use futures_util::StreamExt;
///
/// # async fn example(session: talk_client::Session, photo: Vec<u8>) -> Result<(), talk_client::Error> {
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
pub struct Uploading {
    call: CallFuture<FileToken>,
    meter: EndOnDrop,
}

/// Whoever watches the progress is told of the end, even of an upload that was never begun.
struct EndOnDrop(Arc<Meter>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Uploading {
    pub(crate) fn new(
        handle: &Handle,
        kind: Kind,
        source: UploadSource,
        metadata: UploadMetadata,
    ) -> Self {
        let meter = Arc::new(Meter::new());
        let of_driver = Arc::clone(&meter);
        let command = move |ticket, answer| Command::Upload {
            ticket,
            kind,
            source,
            metadata: Box::new(metadata),
            meter: of_driver,
            answer,
        };
        let call = handle.ask(command, |reply| match reply {
            Reply::Uploaded { file_token } => Ok(file_token),
            reply => Err(reply),
        });
        Self {
            call,
            meter: EndOnDrop(meter),
        }
    }

    /// How far it is, as a stream that ends with the upload.
    ///
    /// ```no_run
    /// # async fn example(session: talk_client::Session, photo: Vec<u8>) -> Result<(), talk_client::Error> {
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
        UploadProgressStream::new(&self.meter.0)
    }
}

impl Future for Uploading {
    type Output = Result<FileToken, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = Pin::new(&mut self.call).poll(cx);
        if outcome.is_ready() {
            self.meter.0.end();
        }
        outcome
    }
}

impl fmt::Debug for Uploading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploading").finish_non_exhaustive()
    }
}
