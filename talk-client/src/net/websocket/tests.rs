//! A server that never stops sending pings.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::protocol::Role;
use futures_executor::block_on;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::stream::StreamExt;
use futures_util::task::noop_waker;

use super::WebSocket;

/// A ping with a payload of four bytes, as a server sends it.
const PING: [u8; 6] = [0x89, 4, b'p', b'i', b'n', b'g'];

/// How often the tests poll: enough for a leak to show.
const POLLS: u64 = 1_000;

struct PingFlood {
    pings_sent: u64,
    takes_pongs: bool,
}

impl AsyncRead for PingFlood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.pings_sent += 1;
        buffer[..PING.len()].copy_from_slice(&PING);
        Poll::Ready(Ok(PING.len()))
    }
}

impl AsyncWrite for PingFlood {
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

/// How many pings are read in [`POLLS`] polls.
fn pings_read(takes_pongs: bool) -> u64 {
    let flood = PingFlood {
        pings_sent: 0,
        takes_pongs,
    };
    let inner = block_on(WebSocketStream::from_raw_socket(flood, Role::Client, None));
    let mut socket = WebSocket::new(inner);
    let waker = noop_waker();
    for _ in 0..POLLS {
        assert!(
            socket
                .poll_next_unpin(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    socket.inner.get_ref().pings_sent
}

#[test]
fn a_flood_of_pings_lets_others_run_and_is_answered() {
    assert!(pings_read(true) > POLLS);
}

#[test]
fn pings_are_no_longer_read_when_their_pongs_are_not_taken() {
    assert!(pings_read(false) <= 2 * u64::from(super::MAX_UNSENT_PONGS));
}
