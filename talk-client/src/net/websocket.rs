//! The WebSocket of the native transport.

mod handshake;
mod io;

use std::collections::VecDeque;
use std::fmt;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::sink::Sink;
use futures_util::stream::Stream;
use http::Uri;
use tokio_websockets::{ClientBuilder, CloseCode, Config, Error, Limits, Message, WebSocketStream};

use self::io::WebSocketIo;
use crate::transport::{CloseReason, ConnectError, WebSocket, WebSocketError, WebSocketEvent};

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
    let stream = handshake::open(&url, stream).await?;
    Ok(NativeWebSocket::new(stream, max_message))
}

/// The [`WebSocket`] of native targets. It is a [`Stream`] of events too.
pub struct NativeWebSocket<S> {
    inner: WebSocketStream<WebSocketIo<S>>,
    queue: VecDeque<Message>,
    /// The number of payload bytes in `queue`.
    queued: usize,
    /// The number of payload bytes passed to the WebSocket library since its buffer was last empty.
    handed_over: usize,
    /// The number of bytes that the connection has accepted since then, frame headers and pongs
    /// included.
    written: usize,
    unsent_pongs: u32,
    /// Set if neither `queue` nor the WebSocket library holds unsent data.
    flushed: bool,
    /// Set if our close frame is queued. Nothing may follow it.
    closing: bool,
    /// Set after the last event.
    ended: bool,
}

impl<S> NativeWebSocket<S> {
    fn new(stream: WebSocketIo<S>, max_message: usize) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Sends each message in one frame, because servers need not accept fragments.
        let config = Config::default()
            .frame_size(usize::MAX)
            .flush_threshold(WRITE_BATCH);
        Self {
            inner: ClientBuilder::new()
                .config(config)
                .limits(Limits::default().max_payload_len(Some(max_message)))
                .take_over(stream),
            queue: VecDeque::new(),
            queued: 0,
            handed_over: 0,
            written: 0,
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
        self.push_unless_closing(Message::binary(bytes.into()));
    }

    /// Queues a close frame behind the queued messages. A reason above 123 bytes is truncated.
    ///
    /// A code that must not be sent (RFC 6455, section 7.4) is omitted together with the reason.
    /// The server confirms the frame with [`WebSocketEvent::Closed`]. Only the first call has an
    /// effect.
    pub fn start_close(&mut self, code: u16, reason: &str) {
        if !self.closing {
            self.closing = true;
            let code = CloseCode::try_from(code).ok();
            let code = code.filter(|code| !code.is_reserved());
            let reason = &reason[..reason.floor_char_boundary(MAX_CLOSE_REASON)];
            self.push(Message::close(code, reason));
        }
    }

    /// Returns the number of queued payload bytes that the connection has not accepted. It is
    /// accurate to 16 KiB, also within a large message, and zero after a complete flush.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.queued + self.handed_over.saturating_sub(self.written)
    }

    fn push_unless_closing(&mut self, message: Message) {
        if !self.closing {
            self.push(message);
        }
    }

    fn push(&mut self, message: Message) {
        self.flushed = false;
        self.queued += message.as_payload().len();
        self.queue.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        self.queued -= message.as_payload().len();
        self.handed_over += message.as_payload().len();
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
        let flushed = self.poll_write_queue(cx);
        self.written = self.inner.get_ref().written();
        flushed
    }

    fn poll_write_queue(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
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
        self.inner.get_mut().reset_written();
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
            let message = match ready!(Pin::new(&mut this.inner).poll_next(cx)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Some(Err(this.fail(error)))),
                None => return Poll::Ready(Some(Err(this.fail(Error::AlreadyClosed)))),
            };
            let event = if let Some(text) = message.as_text() {
                WebSocketEvent::Text(text.to_owned())
            } else if message.is_binary() {
                WebSocketEvent::Binary(message.into_payload().into())
            } else if message.is_ping() {
                this.unsent_pongs += 1;
                this.flushed = false;
                continue;
            } else if let Some((code, reason)) = message.as_close() {
                this.acknowledge_close(cx);
                WebSocketEvent::Closed((code != CloseCode::NO_STATUS_RECEIVED).then(|| {
                    let code = code.into();
                    let reason = reason.to_owned();
                    CloseReason { code, reason }
                }))
            } else {
                continue;
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

/// Converts an error of the WebSocket library.
fn classify(error: Error) -> WebSocketError {
    match error {
        Error::PayloadTooLong { len, max_len } => WebSocketError::TooLarge {
            size: len,
            limit: max_len,
        },
        Error::Io(error) => WebSocketError::Lost(error),
        Error::AlreadyClosed => WebSocketError::Lost(ErrorKind::UnexpectedEof.into()),
        error => WebSocketError::Protocol {
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
