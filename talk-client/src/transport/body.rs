//! The bodies of requests and responses.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::Stream;

use super::error::HttpError;
use super::send::{BoxStream, MaybeSend};
use crate::upload::progress::ProgressCounter;

/// The body of an HTTP request: a stream of chunks whose total length is known.
///
/// The stream fails if its source fails, or yields more or fewer bytes than announced. The default
/// is empty.
#[derive(Default)]
pub struct RequestBody {
    remaining: u64,
    source: Source,
    progress: Option<Arc<ProgressCounter>>,
}

#[derive(Default)]
enum Source {
    #[default]
    Empty,
    Whole(Bytes),
    Chunks(BoxStream<'static, io::Result<Bytes>>),
}

impl RequestBody {
    /// Creates a body from bytes in memory.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            remaining: bytes.len() as u64,
            source: Source::Whole(bytes),
            progress: None,
        }
    }

    /// Creates a body of `length` bytes that is read while it is sent, no faster than the
    /// connection accepts it. Large chunks (64 KiB or more) make it fast.
    ///
    /// If the stream fails, or yields more or fewer bytes than `length`, the request fails with
    /// [`HttpError::Source`].
    #[must_use]
    pub fn from_stream(
        length: u64,
        chunks: impl Stream<Item = io::Result<Bytes>> + MaybeSend + 'static,
    ) -> Self {
        Self {
            remaining: length,
            source: Source::Chunks(Box::pin(chunks)),
            progress: None,
        }
    }

    /// Reports the bytes that the connection accepts to `progress`.
    pub(crate) fn with_progress(mut self, progress: Arc<ProgressCounter>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Returns the counter that the transport reports to, if the caller wants progress. Only the
    /// first call returns it.
    pub fn take_progress(&mut self) -> Option<Arc<ProgressCounter>> {
        self.progress.take()
    }

    /// Returns the number of bytes that are still to come: the whole length before the first poll.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.remaining
    }
}

impl Stream for RequestBody {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = self.get_mut();
        let chunk = match std::mem::take(&mut this.source) {
            Source::Empty => None,
            Source::Whole(bytes) => Some(Ok(bytes)),
            Source::Chunks(mut chunks) => {
                let chunk = chunks.as_mut().poll_next(cx);
                this.source = Source::Chunks(chunks);
                ready!(chunk)
            }
        };
        let Some(chunk) = chunk.transpose()? else {
            return Poll::Ready((this.remaining > 0).then(|| Err(too_short(this.remaining))));
        };
        let Some(remaining) = this.remaining.checked_sub(chunk.len() as u64) else {
            return Poll::Ready(Some(Err(too_long())));
        };
        this.remaining = remaining;
        Poll::Ready(Some(Ok(chunk)))
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

/// The body of an HTTP response: a stream of non-empty chunks.
///
/// The connection is read only while the stream is polled, so a slow reader slows the server down.
/// The stream ends after an error.
pub struct ResponseBody(BoxStream<'static, Result<Bytes, HttpError>>);

impl ResponseBody {
    /// Creates a body from the chunks of a connection.
    #[must_use]
    pub fn new(chunks: impl Stream<Item = Result<Bytes, HttpError>> + MaybeSend + 'static) -> Self {
        Self(Box::pin(chunks))
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
