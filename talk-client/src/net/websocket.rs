//! The WebSocket of the native transport.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use async_tungstenite::{WebSocketStream, client_async_with_config};
use bytes::Bytes;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::sink::Sink;
use futures_util::stream::Stream;
use http::Uri;
use http::header::SEC_WEBSOCKET_EXTENSIONS;

use super::coop::CoopBudget;
use crate::transport::{CloseReason, ConnectError, WebSocket, WebSocketError, WebSocketEvent};

/// The size of the read buffer in bytes. The buffer exists as long as the socket, and tungstenite's
/// default of 128 KiB would be most of an idle session's memory.
const READ_BUFFER: usize = 4 * 1024;

/// The maximum number of bytes of small messages in one write.
const WRITE_BATCH: usize = 16 * 1024;

/// The maximum number of unsent pongs. Above it, pings are no longer read.
const MAX_UNSENT_PONGS: u32 = 64;

/// The maximum number of frames without a message in a poll, so that other tasks can run.
const CONTROL_FRAMES_PER_POLL: u32 = 64;

/// The maximum length of a close reason in bytes (RFC 6455, section 5.5).
const MAX_CLOSE_REASON: usize = 123;

/// Upgrades a new stream to the server of a `ws` or `wss` URL.
pub(super) async fn handshake<S>(
    url: Uri,
    stream: S,
    max_message: usize,
) -> Result<NativeWebSocket<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BATCH)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message));
    match client_async_with_config(url, CoopBudget::new(stream), Some(config)).await {
        // We request no extension, and an extension changes the meaning of frames (RFC 6455,
        // section 4.1).
        Ok((_, response)) if response.headers().contains_key(SEC_WEBSOCKET_EXTENSIONS) => {
            Err(ConnectError::Handshake {
                reason: "it uses an extension that was not asked for".to_owned(),
            })
        }
        Ok((inner, _)) => Ok(NativeWebSocket::new(inner)),
        Err(Error::Http(response)) => Err(ConnectError::Upgrade {
            status: response.status(),
        }),
        Err(Error::Io(error)) => Err(ConnectError::Interrupted(error)),
        Err(Error::Protocol(ProtocolError::HandshakeIncomplete)) => Err(ConnectError::Interrupted(
            io::ErrorKind::UnexpectedEof.into(),
        )),
        Err(error) => Err(ConnectError::Handshake {
            reason: error.to_string(),
        }),
    }
}

/// The [`WebSocket`] of native targets. It is a [`Stream`] of events too.
pub struct NativeWebSocket<S> {
    inner: WebSocketStream<CoopBudget<S>>,
    queue: VecDeque<Message>,
    /// The number of payload bytes in `queue`.
    queued: usize,
    /// The number of payload bytes passed to tungstenite since its buffer was last empty.
    handed_over: usize,
    unsent_pongs: u32,
    /// Set if neither `queue` nor tungstenite holds unsent data.
    flushed: bool,
    /// Set if our close frame is queued. Nothing may follow it.
    closing: bool,
    /// Set after the last event.
    ended: bool,
}

impl<S> NativeWebSocket<S> {
    fn new(inner: WebSocketStream<CoopBudget<S>>) -> Self {
        Self {
            inner,
            queue: VecDeque::new(),
            queued: 0,
            handed_over: 0,
            unsent_pongs: 0,
            flushed: true,
            closing: false,
            ended: false,
        }
    }

    /// Queues the text of a message. It is discarded after [`start_close`](Self::start_close).
    pub fn start_send(&mut self, text: impl Into<String>) {
        self.push_unless_closing(Message::text(text.into()));
    }

    /// Queues a binary message. It is discarded after [`start_close`](Self::start_close).
    pub fn start_send_binary(&mut self, bytes: impl Into<Bytes>) {
        self.push_unless_closing(Message::Binary(bytes.into()));
    }

    /// Queues a close frame behind the queued messages. A reason above 123 bytes is truncated.
    ///
    /// The server confirms it with [`WebSocketEvent::Closed`]. Only the first call has an effect.
    pub fn start_close(&mut self, code: u16, reason: &str) {
        if !self.closing {
            self.closing = true;
            let reason = &reason[..reason.floor_char_boundary(MAX_CLOSE_REASON)];
            let frame = CloseFrame {
                code: CloseCode::from(code),
                reason: reason.into(),
            };
            self.push(Message::Close(Some(frame)));
        }
    }

    /// Returns the number of queued payload bytes that the connection has not accepted, accurate to
    /// a batch of 16 KiB or one message, whichever is larger; zero when everything is flushed.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.queued + self.handed_over
    }

    fn push_unless_closing(&mut self, message: Message) {
        if !self.closing {
            self.push(message);
        }
    }

    fn push(&mut self, message: Message) {
        self.flushed = false;
        self.queued += message.len();
        self.queue.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        self.queued -= message.len();
        self.handed_over += message.len();
        Some(message)
    }

    fn fail(&mut self, error: Error) -> WebSocketError {
        self.ended = true;
        classify(error)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> NativeWebSocket<S> {
    /// Writes queued messages to the connection. It is ready when all are written or the socket has
    /// ended.
    ///
    /// # Errors
    ///
    /// [`WebSocketError`] when the connection fails. The socket has ended then.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        // `unsent` does not count an empty close frame.
        if self.flushed {
            return Poll::Ready(Ok(()));
        }
        while !self.ended {
            while self.handed_over < WRITE_BATCH && !self.queue.is_empty() {
                let ready = ready!(Pin::new(&mut self.inner).poll_ready(cx));
                ready.map_err(|error| self.fail(error))?;
                let Some(message) = self.pop() else { break };
                let sent = Pin::new(&mut self.inner).start_send(message);
                sent.map_err(|error| self.fail(error))?;
            }
            ready!(self.poll_flush_inner(cx))?;
            if self.queue.is_empty() {
                self.flushed = true;
                // Most connections are idle.
                self.queue = VecDeque::new();
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flush_inner(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let flushed = ready!(Pin::new(&mut self.inner).poll_flush(cx));
        flushed.map_err(|error| self.fail(error))?;
        self.handed_over = 0;
        self.unsent_pongs = 0;
        Poll::Ready(Ok(()))
    }

    /// Confirms the server's close frame if the connection accepts the frame now.
    fn acknowledge_close(&mut self, cx: &mut Context<'_>) {
        self.ended = true;
        self.queue.clear();
        self.queued = 0;
        let _ = Pin::new(&mut self.inner).poll_flush(cx);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for NativeWebSocket<S> {
    type Item = Result<WebSocketEvent, WebSocketError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        for _ in 0..CONTROL_FRAMES_PER_POLL {
            if this.ended {
                return Poll::Ready(None);
            }
            if this.unsent_pongs >= MAX_UNSENT_PONGS {
                // A server that sends pings and reads no pongs must not exhaust our memory.
                ready!(this.poll_flush_inner(cx))?;
            }
            let event = match ready!(Pin::new(&mut this.inner).poll_next(cx)) {
                Some(Ok(Message::Text(text))) => WebSocketEvent::Text(text.as_str().to_owned()),
                Some(Ok(Message::Binary(bytes))) => WebSocketEvent::Binary(bytes),
                Some(Ok(Message::Close(frame))) => {
                    this.acknowledge_close(cx);
                    WebSocketEvent::Closed(frame.map(|frame| CloseReason {
                        code: frame.code.into(),
                        reason: frame.reason.as_str().to_owned(),
                    }))
                }
                Some(Ok(Message::Ping(_))) => {
                    this.unsent_pongs += 1;
                    this.flushed = false;
                    continue;
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => return Poll::Ready(Some(Err(this.fail(error)))),
                None => {
                    this.ended = true;
                    continue;
                }
            };
            return Poll::Ready(Some(Ok(event)));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S> WebSocket for NativeWebSocket<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<WebSocketEvent, WebSocketError>>> {
        Pin::new(self).poll_next(cx)
    }

    fn start_send(&mut self, text: String) {
        self.start_send(text);
    }

    fn start_close(&mut self, code: u16) {
        self.start_close(code, "");
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        self.poll_flush(cx)
    }

    fn unsent(&self) -> usize {
        self.unsent()
    }
}

/// Hides message texts.
impl<S> fmt::Debug for NativeWebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeWebSocket")
            .field("unsent", &self.unsent())
            .field("closing", &self.closing)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Converts an error of tungstenite.
fn classify(error: Error) -> WebSocketError {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            WebSocketError::TooLarge {
                size,
                limit: max_size,
            }
        }
        Error::Io(error) => WebSocketError::Lost(error),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => WebSocketError::Lost(io::ErrorKind::UnexpectedEof.into()),
        error => WebSocketError::Protocol {
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
