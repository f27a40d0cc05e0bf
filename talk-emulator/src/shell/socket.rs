use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Duration, sleep, timeout};
use tokio_websockets::{CloseCode, Error, Message};

use super::engine::Engine;
use super::fault::ConnectionHandle;
use super::meter::Meter;
use super::send_queue::{Backlog, Outgoing, SendQueueReader, send_queue};
use super::upgrade::WebSocket;
use crate::server::ConnectionId;

/// The maximum number of received messages that are passed to the engine together.
const READ_TOGETHER: usize = 32;

/// The time for a peer to answer a close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

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
    let is_refused = tokio::select! {
        is_refused = read(&engine, connection, stream, meter, &backlog) => is_refused,
        () = write(reader, &mut sink) => false,
        () = disconnected.wait() => false,
        () = stall(meter, &backlog, handle.stall_timeout()) => false,
    };
    // A stopped engine has no connections left.
    let _ = engine.closed(connection).await;
    if is_refused {
        // The WebSocket library has queued a close frame with the reason.
        let _ = timeout(CLOSE_GRACE, sink.flush()).await;
    }
}

/// Passes messages to the engine until the connection ends. Returns `true` if the peer violates the
/// protocol.
///
/// While many answers are unsent, it reads no requests. A peer that requests large answers is
/// slowed down instead of disconnected.
async fn read(
    engine: &Engine,
    connection: ConnectionId,
    stream: SplitStream<WebSocket>,
    meter: &Meter,
    backlog: &Backlog,
) -> bool {
    let mut arrivals = stream.ready_chunks(READ_TOGETHER);
    while let Some(messages) = arrivals.next().await {
        let mut texts = Vec::new();
        let mut error = None;
        for message in messages {
            match message {
                // The WebSocket library answers pings.
                Ok(message) if message.is_ping() || message.is_pong() => continue,
                // The protocol has no binary messages.
                Ok(message) => texts.extend(message.as_text().map(str::to_owned)),
                Err(failure) => error = Some(failure),
            }
            meter.finish_message();
        }
        if !texts.is_empty() && engine.frames(connection, texts).await.is_err() {
            return false;
        }
        if let Some(error) = error {
            return matches!(error, Error::Protocol(_) | Error::PayloadTooLong { .. });
        }
        backlog.wait_below_limit().await;
    }
    false
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
                        if sink.feed(Message::text(text)).await.is_err() {
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
    // A code that must not be sent is omitted.
    let code = CloseCode::try_from(code).ok();
    let code = code.filter(|code| !code.is_reserved());
    sink.send(Message::close(code, "")).await.is_ok()
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
