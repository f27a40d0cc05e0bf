//! Lets hyper use a `futures-io` stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

use super::http_body::Written;

/// How much is read at a time, on the stack.
const CHUNK: usize = 8 * 1024;

/// A stream in hyper's terms.
pub(super) struct HyperIo<S> {
    pub(super) stream: S,
    /// Told what the stream takes.
    pub(super) written: Option<Arc<dyn Written>>,
}

impl<S: AsyncRead + Unpin> Read for HyperIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Reading into the cursor's own memory takes unsafe code, so the bytes are copied once.
        let mut chunk = [0; CHUNK];
        let room = cursor.remaining().min(CHUNK);
        let count = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk[..room]))?;
        cursor.put_slice(&chunk[..count]);
        Poll::Ready(Ok(()))
    }
}

impl<S> HyperIo<S> {
    /// Tells what the stream has taken.
    fn report(&self, taken: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Some(written) = &self.written {
            written.blocked(taken.is_pending());
            if let Poll::Ready(Ok(count)) = taken {
                written.wrote(count as u64);
            }
        }
        taken
    }
}

impl<S: AsyncWrite + Unpin> Write for HyperIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.report(taken)
    }

    /// Otherwise hyper would copy every chunk of a body to put it next to what goes before.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.report(taken)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gone = Pin::new(&mut self.stream).poll_flush(cx);
        if let Some(written) = &self.written {
            written.blocked(gone.is_pending());
        }
        gone
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
