//! The body of a request.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::Stream;
use hyper::body::{Body, Frame, SizeHint};

type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Told what the connection takes of a request.
pub(crate) trait Written: Send + Sync {
    /// The request's head has `length` bytes.
    fn head(&self, length: u64);

    /// The connection has taken so many bytes more, of the head and then of the body.
    fn wrote(&self, bytes: u64);

    /// The connection takes nothing for the moment, or everything that was given to it has gone.
    fn blocked(&self, is_blocked: bool);
}

/// The body of an HTTP request. Its length is always known and goes into `Content-Length`.
///
/// The default is empty.
#[derive(Default)]
pub struct RequestBody {
    /// Bytes that are still to come.
    remaining: u64,
    source: Source,
    written: Option<Arc<dyn Written>>,
}

#[derive(Default)]
enum Source {
    #[default]
    Empty,
    Whole(Bytes),
    Chunks(Chunks),
}

impl RequestBody {
    /// A body that is in memory.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            remaining: bytes.len() as u64,
            source: Source::Whole(bytes),
            written: None,
        }
    }

    /// A body of `length` bytes that is read while it is sent, no faster than the connection takes
    /// it. Large chunks (64 KiB or more) make it fast.
    ///
    /// When the stream fails, or gives more or fewer bytes than `length`, the request fails with
    /// [`HttpError::Source`](super::HttpError::Source).
    #[must_use]
    pub fn from_stream(
        length: u64,
        chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        Self {
            remaining: length,
            source: Source::Chunks(Box::pin(chunks)),
            written: None,
        }
    }

    /// Tells `written` what the connection takes.
    pub(crate) fn with_progress(mut self, written: Arc<dyn Written>) -> Self {
        self.written = Some(written);
        self
    }

    pub(super) fn take_written(&mut self) -> Option<Arc<dyn Written>> {
        self.written.take()
    }

    /// The whole length, in bytes, while nothing has been sent.
    pub(super) fn length(&self) -> u64 {
        self.remaining
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let chunk = match &mut this.source {
            Source::Empty => None,
            Source::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Source::Chunks(chunks) => ready!(chunks.as_mut().poll_next(cx)),
        };
        let Some(chunk) = chunk.transpose()? else {
            return Poll::Ready((this.remaining > 0).then(|| Err(too_short(this.remaining))));
        };
        let Some(remaining) = this.remaining.checked_sub(chunk.len() as u64) else {
            return Poll::Ready(Some(Err(too_long())));
        };
        this.remaining = remaining;
        if let Source::Whole(_) = this.source {
            this.source = Source::Empty;
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

fn too_short(missing: u64) -> io::Error {
    let text = format!("the source ended {missing} bytes before its announced length");
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

fn too_long() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the source is longer than it was announced to be",
    )
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}
