//! A budget for consecutive reads.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::io::{AsyncRead, AsyncWrite};

/// The maximum number of consecutive successful reads. Not every runtime has such a budget, and a
/// server that sends fragments without an end would be read in one poll forever.
const MAX_CONSECUTIVE_READS: u32 = 32;

/// A stream that yields to other tasks after a number of successful reads.
pub(super) struct CoopBudget<S> {
    inner: S,
    reads: u32,
}

impl<S> CoopBudget<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, reads: 0 }
    }

    #[cfg(test)]
    pub(super) fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CoopBudget<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.reads >= MAX_CONSECUTIVE_READS {
            self.reads = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reads += 1;
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if read.is_pending() {
            self.reads = 0;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CoopBudget<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
