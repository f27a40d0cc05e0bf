//! The session's WebSockets.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use talk_proto::{SocketClosed, SocketId};

use super::backlog::Backlog;
use crate::transport::{
    BoxFuture, ConnectError, Transport, WebSocket, WebSocketError, WebSocketEvent,
};

/// The time that a server has to confirm a close.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// An event of the current socket.
pub(super) enum SocketEvent {
    Opened,
    Frame(String),
    Closed(SocketClosed),
}

/// The core's current socket and the sockets that it has closed.
pub(super) struct Sockets<T: Transport> {
    current: Option<(SocketId, Stage<T>)>,
    closing: Vec<Closing<T>>,
}

enum Stage<T: Transport> {
    Opening(BoxFuture<'static, Result<T::WebSocket, ConnectError>>),
    Open(Box<T::WebSocket>, Backlog),
}

/// A socket that waits for the confirmation of its close.
struct Closing<T: Transport> {
    socket: Box<T::WebSocket>,
    grace: BoxFuture<'static, ()>,
}

impl<T: Transport> Sockets<T> {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            closing: Vec::new(),
        }
    }

    pub(super) fn open(&mut self, id: SocketId, transport: &T, url: &str, max_message: usize) {
        let opening = transport.websocket(url, max_message);
        self.current = Some((id, Stage::Opening(opening)));
    }

    /// Queues a message. Polling the socket reports failures.
    pub(super) fn send(&mut self, id: SocketId, text: String) {
        if let Some((current, Stage::Open(socket, backlog))) = &mut self.current
            && *current == id
        {
            backlog.add(text.len());
            socket.start_send(text);
        }
    }

    /// Closes the socket, or stops opening it.
    pub(super) fn close(&mut self, id: SocketId, code: u16, transport: &T) {
        match self.current.take_if(|(current, _)| *current == id) {
            Some((_, Stage::Open(mut socket, _))) => {
                socket.start_close(code);
                let grace = transport.sleep(CLOSE_GRACE);
                self.closing.push(Closing { socket, grace });
            }
            Some((_, Stage::Opening(_))) | None => {}
        }
    }

    /// Returns `true` if there is no current or closing socket.
    pub(super) fn is_empty(&self) -> bool {
        self.current.is_none() && self.closing.is_empty()
    }

    /// Returns the next event of the current socket.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<(SocketId, SocketEvent)> {
        let Some((id, stage)) = &mut self.current else {
            return Poll::Pending;
        };
        let (id, event) = (*id, ready!(stage.poll_event(cx)));
        self.emit(id, event)
    }

    /// Writes the queued messages of all sockets. Returns an event if the current socket fails.
    ///
    /// The task is woken when a connection accepts more data.
    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        transport: &T,
    ) -> Poll<(SocketId, SocketEvent)> {
        self.closing
            .retain_mut(|closing| closing.poll(cx).is_pending());
        let Some((id, Stage::Open(socket, backlog))) = &mut self.current else {
            return Poll::Pending;
        };
        let cause = if let Poll::Ready(Err(error)) = socket.poll_flush(cx) {
            lost(&error)
        } else {
            ready!(backlog.poll(cx, |wait| transport.sleep(wait), socket.unsent()));
            SocketClosed::Lost("the connection does not take what is sent".to_owned())
        };
        let id = *id;
        self.emit(id, SocketEvent::Closed(cause))
    }

    fn emit(&mut self, id: SocketId, event: SocketEvent) -> Poll<(SocketId, SocketEvent)> {
        if let SocketEvent::Closed(_) = event {
            self.current = None;
        }
        Poll::Ready((id, event))
    }
}

impl<T: Transport> Stage<T> {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        match self {
            Self::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                Ok(socket) => {
                    *self = Self::Open(Box::new(socket), Backlog::default());
                    Poll::Ready(SocketEvent::Opened)
                }
                Err(error) => Poll::Ready(SocketEvent::Closed(SocketClosed::ConnectFailed(
                    error.to_string(),
                ))),
            },
            Self::Open(socket, _) => poll_read(&mut **socket, cx),
        }
    }
}

fn poll_read(socket: &mut impl WebSocket, cx: &mut Context<'_>) -> Poll<SocketEvent> {
    loop {
        let event = match ready!(socket.poll_event(cx)) {
            Some(Ok(WebSocketEvent::Text(text))) => SocketEvent::Frame(text),
            Some(Ok(WebSocketEvent::Closed(reason))) => {
                let code = reason.map(|reason| reason.code);
                SocketEvent::Closed(SocketClosed::ByServer { code })
            }
            Some(Err(error)) => SocketEvent::Closed(lost(&error)),
            None => SocketEvent::Closed(SocketClosed::Lost("the connection has ended".to_owned())),
            // The protocol has no binary messages.
            Some(Ok(_)) => continue,
        };
        return Poll::Ready(event);
    }
}

fn lost(error: &WebSocketError) -> SocketClosed {
    match error {
        WebSocketError::TooLarge { .. } => SocketClosed::FrameTooLarge,
        error => SocketClosed::Lost(error.to_string()),
    }
}

impl<T: Transport> Closing<T> {
    /// Is ready when the socket can be dropped.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.grace.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Poll::Ready(Err(_)) = self.socket.poll_flush(cx) {
            return Poll::Ready(());
        }
        loop {
            match ready!(self.socket.poll_event(cx)) {
                Some(Ok(WebSocketEvent::Closed(_)) | Err(_)) | None => return Poll::Ready(()),
                Some(Ok(_)) => {}
            }
        }
    }
}
