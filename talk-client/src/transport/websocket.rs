//! The WebSocket of a transport.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::error::WebSocketError;
use super::send::MaybeSend;

/// An open WebSocket. It is polled and never awaited.
///
/// [`poll_event`](Self::poll_event) reads messages and answers pings. Writing never waits:
/// [`start_send`](Self::start_send) queues a message, [`poll_flush`](Self::poll_flush) writes as
/// much as the connection accepts, and [`unsent`](Self::unsent) returns the number of bytes that
/// are left. One task polls both sides and reads first, because the server's close frame gives a
/// better reason than the write that fails after it. Dropping the socket closes the connection
/// without a close frame.
pub trait WebSocket: MaybeSend + Unpin + 'static {
    /// Returns the next event; `None` after the last one.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`] once, when the connection fails. The socket has ended then.
    fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<WebSocketEvent, WebSocketError>>>;

    /// Queues the text of a message. It is discarded after [`start_close`](Self::start_close).
    fn start_send(&mut self, text: String);

    /// Queues a close frame behind the queued messages. The server confirms it with
    /// [`WebSocketEvent::Closed`]. Only the first call has an effect.
    fn start_close(&mut self, code: u16);

    /// Writes queued messages to the connection. It is ready when all are written or the socket has
    /// ended.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`] when the connection fails. The socket has ended then.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>>;

    /// Returns the number of queued payload bytes that the connection has not accepted; zero when
    /// everything is written.
    fn unsent(&self) -> usize;
}

/// An event of a [`WebSocket`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebSocketEvent {
    /// The text of a message.
    Text(String),
    /// A binary message. The protocol of TalkJS has none.
    Binary(Bytes),
    /// The server closed the socket or confirmed our close. It is the last event, and the socket
    /// may be dropped.
    Closed(Option<CloseReason>),
}

/// The content of a close frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// The code (RFC 6455, section 7.4).
    pub code: u16,
    /// A human-readable reason, possibly empty.
    pub reason: String,
}

/// Hides message texts.
impl fmt::Debug for WebSocketEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
            Self::Closed(reason) => f.debug_tuple("Closed").field(reason).finish(),
        }
    }
}
