//! Servers that send without a pause.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::stream::StreamExt;
use futures_util::task::noop_waker;

use super::{NativeWebSocket, WebSocketIo};

/// A server's ping with a payload of four bytes.
const PING: &[u8] = &[0x89, 4, b'p', b'i', b'n', b'g'];

/// The first fragment of a message, and a fragment that is not the last.
const BEGINNING: &[u8] = &[0x01, 0];
const MORE: &[u8] = &[0x00, 0];

/// The number of polls, large enough to reveal a leak.
const POLLS: u64 = 1_000;

struct Flood {
    first: &'static [u8],
    rest: &'static [u8],
    frames_sent: u64,
    takes_pongs: bool,
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let frame = if self.frames_sent == 0 {
            self.first
        } else {
            self.rest
        };
        self.frames_sent += 1;
        buffer[..frame.len()].copy_from_slice(frame);
        Poll::Ready(Ok(frame.len()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.takes_pongs {
            Poll::Ready(Ok(bytes.len()))
        } else {
            Poll::Pending
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Returns the number of frames read in [`POLLS`] polls.
fn frames_read(first: &'static [u8], rest: &'static [u8], takes_pongs: bool) -> u64 {
    let flood = Flood {
        first,
        rest,
        frames_sent: 0,
        takes_pongs,
    };
    let mut socket = NativeWebSocket::new(WebSocketIo::new(flood, Bytes::new()), 1024);
    let waker = noop_waker();
    for _ in 0..POLLS {
        assert!(
            socket
                .poll_next_unpin(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    socket.inner.get_ref().get_ref().frames_sent
}

#[test]
fn websocket_ping_flood_yields_and_is_answered() {
    assert!(frames_read(PING, PING, true) > POLLS);
}

#[test]
fn websocket_unsent_pongs_stop_reading() {
    assert!(frames_read(PING, PING, false) <= 2 * u64::from(super::MAX_UNSENT_PONGS));
}

#[test]
fn websocket_endless_message_yields() {
    assert!(frames_read(BEGINNING, MORE, true) > POLLS);
}

/// A connection that accepts one part of 64 KiB for each permission.
struct Narrow {
    permissions: usize,
}

impl AsyncRead for Narrow {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.permissions == 0 {
            return Poll::Pending;
        }
        self.permissions -= 1;
        Poll::Ready(Ok(bytes.len().min(64 << 10)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn websocket_unsent_falls_within_a_large_message() {
    let narrow = Narrow { permissions: 1 };
    let mut socket = NativeWebSocket::new(WebSocketIo::new(narrow, Bytes::new()), 1024);
    socket.start_send("x".repeat(1 << 20));
    let waker = noop_waker();
    let mut cx = Context::from_waker(&waker);
    let mut unsent = socket.unsent();
    assert_eq!(unsent, 1 << 20);
    while socket.poll_flush(&mut cx).is_pending() {
        assert!(socket.unsent() < unsent);
        unsent = socket.unsent();
        socket.inner.get_mut().get_mut().permissions = 1;
    }
    assert_eq!(socket.unsent(), 0);
}
