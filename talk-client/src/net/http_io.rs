//! Lets hyper use a `futures-io` stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

use super::read_budget::ReadBudget;
use crate::transport::ProgressCounter;

/// The size of a read, in bytes. The buffer is on the stack.
const CHUNK: usize = 8 * 1024;

/// A stream as I/O of hyper.
pub(super) struct HyperIo<S> {
    pub(super) stream: S,
    /// Counts the bytes that the stream accepts.
    pub(super) progress: Option<Arc<ProgressCounter>>,
    pub(super) budget: ReadBudget,
}

impl<S: AsyncRead + Unpin> Read for HyperIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Reading into the memory of the cursor needs unsafe code, so the bytes are copied once.
        let mut chunk = [0; CHUNK];
        let room = cursor.remaining().min(CHUNK);
        let Self { stream, budget, .. } = &mut *self;
        let read = budget.poll_read(cx, |cx| Pin::new(stream).poll_read(cx, &mut chunk[..room]));
        let count = ready!(read)?;
        cursor.put_slice(&chunk[..count]);
        Poll::Ready(Ok(()))
    }
}

impl<S> HyperIo<S> {
    pub(super) fn new(stream: S, progress: Option<Arc<ProgressCounter>>) -> Self {
        Self {
            stream,
            progress,
            budget: ReadBudget::default(),
        }
    }

    /// Reports the outcome of a write to the progress counter.
    fn report(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Some(progress) = &self.progress {
            progress.set_blocked(written.is_pending());
            if let Poll::Ready(Ok(count)) = written {
                progress.add_written(count as u64);
            }
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> Write for HyperIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.report(written)
    }

    /// Returns `true`, so that hyper does not copy every chunk behind the preceding bytes.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.report(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if let Some(progress) = &self.progress {
            progress.set_blocked(flushed.is_pending());
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
