use std::error::Error as _;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Duration, sleep, timeout};
use tungstenite::Error;

use super::engine::Engine;
use super::fault::ConnectionHandle;
use super::meter::Meter;
use super::send_queue::{Backlog, Outgoing, SendQueueReader, send_queue};
use crate::server::ConnectionId;

/// The maximum size of a received message. The published client never sends one near it.
pub(crate) const MAX_MESSAGE: usize = 32 * 1024 * 1024;

/// The size of a read buffer in bytes. Most connections are idle, so it is small.
pub(crate) const READ_BUFFER: usize = 4 * 1024;

/// The maximum number of received messages passed on together.
const READ_TOGETHER: usize = 32;

/// The time for a peer to answer a close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

// Close codes (RFC 6455, section 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;
const INVALID_DATA: u16 = 1007;
const MESSAGE_TOO_BIG: u16 = 1009;

/// Transfers frames in both directions until either side ends the connection.
pub(crate) async fn run(
    engine: Engine,
    connection: ConnectionId,
    (app, user): (String, String),
    handle: ConnectionHandle,
    socket: WebSocket,
) {
    let (queue, reader, disconnected) = send_queue();
    let backlog = reader.backlog();
    if engine.open(connection, app, user, queue).await.is_err() {
        return;
    }
    let meter = handle.meter();
    meter.start_socket();
    let (mut sink, stream) = socket.split();
    let code = tokio::select! {
        code = read(&engine, connection, stream, meter, &backlog) => code,
        () = write(reader, &mut sink) => None,
        () = disconnected.wait() => None,
        () = stall(meter, &backlog, handle.stall_timeout()) => None,
    };
    // A stopped engine has no connections left.
    let _ = engine.closed(connection).await;
    if let Some(code) = code {
        let _ = timeout(CLOSE_GRACE, send_close(&mut sink, code)).await;
    }
}

/// Passes messages on until the connection ends. Returns the close code for a peer that violates
/// the protocol.
///
/// While many answers are unsent, no request is read. A peer that requests large answers is slowed
/// down and not cut.
async fn read(
    engine: &Engine,
    connection: ConnectionId,
    stream: SplitStream<WebSocket>,
    meter: &Meter,
    backlog: &Backlog,
) -> Option<u16> {
    let mut arrivals = stream.ready_chunks(READ_TOGETHER);
    while let Some(messages) = arrivals.next().await {
        let mut texts = Vec::new();
        let mut end = None;
        for message in messages {
            match message {
                Ok(Message::Text(text)) => texts.push(text.as_str().to_owned()),
                // The WebSocket library answers pings. The protocol has no binary messages.
                Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                Ok(Message::Binary(_) | Message::Close(_)) => {}
                Err(error) => end = Some(close_code(&error)),
            }
            meter.finish_message();
        }
        if !texts.is_empty() && engine.frames(connection, texts).await.is_err() {
            return None;
        }
        if let Some(code) = end {
            return code;
        }
        backlog.wait_below_limit().await;
    }
    None
}

/// Returns the close code for an error of the peer, or `None` if the connection is lost.
fn close_code(error: &axum::Error) -> Option<u16> {
    match error.source()?.downcast_ref()? {
        Error::Capacity(_) => Some(MESSAGE_TOO_BIG),
        Error::Utf8(_) => Some(INVALID_DATA),
        Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(PROTOCOL_ERROR),
        _ => None,
    }
}

async fn write(mut queue: SendQueueReader, sink: &mut SplitSink<WebSocket, Message>) {
    while let Some(first) = queue.recv().await {
        // The bytes of messages that the WebSocket may hold in its buffer.
        let mut buffered = 0;
        let mut next = Some(first);
        while let Some(pending) = next {
            for outgoing in pending {
                match outgoing {
                    Outgoing::Text(text) => {
                        let bytes = text.len();
                        if sink.feed(Message::Text(text.into())).await.is_err() {
                            return;
                        }
                        queue.sent(std::mem::replace(&mut buffered, bytes));
                    }
                    Outgoing::Close(code) => return close(sink, code).await,
                }
            }
            next = queue.try_recv();
        }
        if sink.flush().await.is_err() {
            return;
        }
        queue.sent(buffered);
    }
}

async fn close(sink: &mut SplitSink<WebSocket, Message>, code: u16) {
    if send_close(sink, code).await {
        // `read` ends the connection when the peer answers. The timeout covers peers that do not.
        let never = std::future::pending::<()>();
        let _ = timeout(CLOSE_GRACE, never).await;
    }
}

async fn send_close(sink: &mut SplitSink<WebSocket, Message>, code: u16) -> bool {
    let frame = CloseFrame {
        code,
        reason: "".into(),
    };
    sink.send(Message::Close(Some(frame))).await.is_ok()
}

/// Resolves when the peer makes no progress for the timeout: it receives none of the unsent
/// bytes, or sends none of an unfinished message.
async fn stall(meter: &Meter, backlog: &Backlog, stall_timeout: Duration) {
    const CHECKS: u32 = 4;
    let mut stalled_checks = 0;
    let mut before = (meter.sent(), meter.received());
    loop {
        sleep(stall_timeout / CHECKS).await;
        let now = (meter.sent(), meter.received());
        let is_write_stalled = backlog.is_waiting() && now.0 == before.0;
        let is_read_stalled = meter.has_unfinished() && now.1 == before.1;
        before = now;
        if !is_write_stalled && !is_read_stalled {
            stalled_checks = 0;
            continue;
        }
        stalled_checks += 1;
        if stalled_checks == CHECKS {
            return;
        }
    }
}
