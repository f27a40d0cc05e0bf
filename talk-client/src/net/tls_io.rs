//! A stream that TLS can rely on.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::io::{AsyncRead, AsyncWrite};

/// Corrects two assumptions of futures-rustls, which otherwise hangs on the streams of some
/// runtimes:
///
/// - A write that accepts nothing is an error. futures-rustls would repeat it in one poll forever.
/// - A pending flush is continued by reads. futures-rustls forgets a flush that is pending during
///   the handshake, and waits for the answer to bytes that were never sent.
#[derive(Debug)]
pub(super) struct TlsIo<S> {
    inner: S,
    is_flushing: bool,
}

impl<S> TlsIo<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            is_flushing: false,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_flushing
            && let Poll::Ready(Err(error)) = self.as_mut().poll_flush(cx)
        {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TlsIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        refuse_zero(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        refuse_zero(written, slices.iter().map(|slice| slice.len()).sum())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.is_flushing = flushed.is_pending();
        flushed
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

fn refuse_zero(written: Poll<io::Result<usize>>, length: usize) -> Poll<io::Result<usize>> {
    match written {
        Poll::Ready(Ok(0)) if length > 0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::Waker;

    use futures_rustls::TlsConnector;
    use futures_rustls::rustls::crypto::ring;
    use futures_rustls::rustls::{ClientConfig, RootCertStore};

    use super::*;

    /// A server that refuses the handshake with an alert, once the client hello is flushed.
    #[derive(Default)]
    struct Server {
        accepts_nothing: bool,
        pending_flushes: u32,
        is_flushed: bool,
        read: usize,
    }

    /// A fatal alert: handshake failure (RFC 8446, section 6).
    const ALERT: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];

    impl AsyncRead for Server {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            if !self.is_flushed {
                return Poll::Pending;
            }
            let rest = &ALERT[self.read..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.read += count;
            Poll::Ready(Ok(count))
        }
    }

    impl AsyncWrite for Server {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(if self.accepts_nothing { 0 } else { bytes.len() }))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.pending_flushes > 0 {
                self.pending_flushes -= 1;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.is_flushed = true;
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// The error of a handshake after a few polls; `None` if it is still pending.
    fn handshake_error(server: Server) -> Option<io::Error> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let name = "a.test".try_into().unwrap();
        let mut handshake = pin!(connector.connect(name, TlsIo::new(server)));
        let mut cx = Context::from_waker(Waker::noop());
        (0..10).find_map(|_| match handshake.as_mut().poll(&mut cx) {
            Poll::Ready(result) => result.err(),
            Poll::Pending => None,
        })
    }

    #[test]
    fn handshake_on_stream_that_accepts_nothing_fails() {
        let error = handshake_error(Server {
            accepts_nothing: true,
            ..Server::default()
        });
        assert_eq!(error.unwrap().kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn handshake_with_pending_flush_is_answered() {
        let error = handshake_error(Server {
            pending_flushes: 3,
            ..Server::default()
        });
        assert_eq!(error.unwrap().kind(), io::ErrorKind::InvalidData);
    }
}
