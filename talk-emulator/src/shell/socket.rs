use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Duration, timeout};

use super::engine::Engine;
use super::send_queue::{Outgoing, SendQueueReader, send_queue};
use crate::server::ConnectionId;

/// The largest message taken. The published client never sends one near it; a peer that does gets
/// its connection closed.
pub(crate) const MAX_MESSAGE: usize = 32 * 1024 * 1024;

/// Most connections are idle, so their buffers are small.
pub(crate) const READ_BUFFER: usize = 4 * 1024;

/// The maximum number of received messages passed on together.
const READ_TOGETHER: usize = 32;

/// The time for a peer to answer a close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// Transfers frames in both directions until either side ends the connection.
pub(crate) async fn run(
    engine: Engine,
    connection: ConnectionId,
    app: String,
    user: String,
    socket: WebSocket,
) {
    let (queue, reader, disconnected) = send_queue();
    if engine.open(connection, app, user, queue).await.is_err() {
        return;
    }
    let (sink, stream) = socket.split();
    tokio::select! {
        () = read(&engine, connection, stream) => {}
        () = write(reader, sink) => {}
        () = disconnected.wait() => {}
    }
    // A stopped engine has no connections left.
    let _ = engine.closed(connection).await;
}

async fn read(engine: &Engine, connection: ConnectionId, stream: SplitStream<WebSocket>) {
    let mut arrivals = stream.ready_chunks(READ_TOGETHER);
    while let Some(messages) = arrivals.next().await {
        let is_over = messages.iter().any(Result::is_err);
        // The WebSocket library answers pings. The protocol has no binary messages.
        let texts = messages.into_iter().filter_map(|message| match message {
            Ok(Message::Text(text)) => Some(text.as_str().to_owned()),
            _ => None,
        });
        let texts: Vec<String> = texts.collect();
        if !texts.is_empty() && engine.frames(connection, texts).await.is_err() {
            return;
        }
        if is_over {
            return;
        }
    }
}

async fn write(mut queue: SendQueueReader, mut sink: SplitSink<WebSocket, Message>) {
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        while let Some(pending) = next {
            for outgoing in pending {
                match outgoing {
                    Outgoing::Text(text) => {
                        let bytes = text.len();
                        if sink.feed(Message::Text(text.into())).await.is_err() {
                            return;
                        }
                        queue.sent(bytes);
                    }
                    Outgoing::Close(code) => return close(sink, code).await,
                }
            }
            next = queue.try_recv();
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}

async fn close(mut sink: SplitSink<WebSocket, Message>, code: u16) {
    let frame = CloseFrame {
        code,
        reason: "".into(),
    };
    if sink.send(Message::Close(Some(frame))).await.is_ok() {
        // `read` ends the connection when the peer answers. The timeout covers peers that do not.
        let never = std::future::pending::<()>();
        let _ = timeout(CLOSE_GRACE, never).await;
    }
}
