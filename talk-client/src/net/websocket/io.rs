//! Lets the WebSocket library use a `futures-io` stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::io::{AsyncRead, AsyncWrite};
use tokio::io::ReadBuf;

use crate::net::read_budget::ReadBudget;

/// The maximum size of a read in bytes. The memory of a read is initialized before it.
const MAX_READ: usize = 8 * 1024;

/// The maximum size of a gathered write in bytes.
const MAX_GATHERED: usize = 16 * 1024;

/// A stream that yields to other tasks after a number of successful reads.
pub(super) struct WebSocketIo<S> {
    stream: S,
    /// Bytes that were read together with the response to the handshake.
    early: Bytes,
    budget: ReadBudget,
    /// The number of bytes written since the last reset.
    written: usize,
}

impl<S> WebSocketIo<S> {
    pub(super) fn new(stream: S, early: Bytes) -> Self {
        Self {
            stream,
            early,
            budget: ReadBudget::default(),
            written: 0,
        }
    }

    /// Returns the number of bytes written since the last reset, frame headers and pongs included.
    pub(super) const fn written(&self) -> usize {
        self.written
    }

    pub(super) const fn reset_written(&mut self) {
        self.written = 0;
    }

    #[cfg(test)]
    pub(super) fn get_ref(&self) -> &S {
        &self.stream
    }

    #[cfg(test)]
    pub(super) fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> tokio::io::AsyncRead for WebSocketIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = buffer.remaining().min(MAX_READ);
        if !self.early.is_empty() {
            let size = size.min(self.early.len());
            let early = self.early.split_to(size);
            buffer.put_slice(&early);
            return Poll::Ready(Ok(()));
        }
        let room = buffer.initialize_unfilled_to(size);
        let Self { stream, budget, .. } = &mut *self;
        let read = budget.poll_read(cx, |cx| Pin::new(stream).poll_read(cx, room));
        buffer.advance(ready!(read)?);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> tokio::io::AsyncWrite for WebSocketIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let size = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.written = self.written.saturating_add(size);
        Poll::Ready(Ok(size))
    }

    /// Returns `true`, so that a frame's header and payload arrive together.
    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Gathers small slices: many streams write only the first slice of several, and each write
    /// would be a TLS record. A large slice is not copied.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let slices = slices.iter().filter(|slice| !slice.is_empty());
        if let Some(first) = slices.clone().next()
            && first.len() >= MAX_GATHERED
        {
            return self.poll_write(cx, first);
        }
        let mut gathered = Vec::new();
        for slice in slices {
            let room = MAX_GATHERED - gathered.len();
            gathered.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        self.poll_write(cx, &gathered)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
