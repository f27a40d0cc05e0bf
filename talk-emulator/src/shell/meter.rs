//! Measures the bytes that a connection receives and sends. A peer is slow if it makes no progress,
//! independent of the amount of unsent data.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The maximum size of all unfinished messages together, in bytes.
const MAX_UNFINISHED: usize = 64 * 1024 * 1024;

/// The size up to which an unfinished message is accepted in any case.
const MIN_UNFINISHED: usize = 64 * 1024;

/// The bytes of the unfinished messages of all connections.
#[derive(Debug, Default)]
pub(crate) struct ReadBudget(AtomicUsize);

/// The counters of a connection.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Arc<ReadBudget>,
    /// Set once the connection is a WebSocket. Other requests have their own limits.
    is_socket: AtomicBool,
    unfinished: AtomicUsize,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Meter {
    pub(crate) fn new(budget: Arc<ReadBudget>) -> Self {
        Self {
            budget,
            is_socket: AtomicBool::new(false),
            unfinished: AtomicUsize::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// Counts received bytes as parts of messages from now on.
    pub(crate) fn start_socket(&self) {
        self.is_socket.store(true, Ordering::Relaxed);
    }

    /// Notes that a message is complete.
    pub(crate) fn finish_message(&self) {
        let finished = self.unfinished.swap(0, Ordering::Relaxed);
        self.budget.0.fetch_sub(finished, Ordering::Relaxed);
    }

    /// Returns `true` while a message may be incomplete.
    pub(crate) fn has_unfinished(&self) -> bool {
        self.unfinished.load(Ordering::Relaxed) > MIN_UNFINISHED
    }

    /// Returns the number of bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn receive(&self, bytes: usize) -> io::Result<()> {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if !self.is_socket.load(Ordering::Relaxed) {
            return Ok(());
        }
        let unfinished = self.unfinished.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let all = self.budget.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if all > MAX_UNFINISHED && unfinished > MIN_UNFINISHED {
            return Err(io::Error::other("too many unfinished messages"));
        }
        Ok(())
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.finish_message();
    }
}

/// A stream that counts its bytes.
#[derive(Debug)]
pub(crate) struct MeteredStream<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> MeteredStream<S> {
    pub(crate) fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MeteredStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        Poll::Ready(self.meter.receive(buf.filled().len() - before))
    }
}

impl<S: AsyncWrite + Unpin> MeteredStream<S> {
    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.meter.sent.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MeteredStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
