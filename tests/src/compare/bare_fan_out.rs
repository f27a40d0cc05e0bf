//! A minimal fan-out server: it forwards each send to all subscribers, without parsing or storing
//! it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_async};

type Queue = mpsc::UnboundedSender<Message>;
type Subscribers = Arc<Mutex<Vec<Queue>>>;

/// Starts the server and returns its address.
pub(super) async fn start() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let host = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        let subscribers = Subscribers::default();
        while let Ok((stream, _)) = listener.accept().await {
            let subscribers = Arc::clone(&subscribers);
            // A failed connection must not end the server.
            tokio::spawn(async move { drop(converse(stream, subscribers).await) });
        }
    });
    Ok(host)
}

async fn converse(stream: TcpStream, subscribers: Subscribers) -> Result<()> {
    stream.set_nodelay(true)?;
    let (sink, mut stream) = accept_async(stream).await?.split();
    let (queue, queued) = mpsc::unbounded_channel();
    tokio::spawn(write(queued, sink));
    while let Some(message) = stream.next().await {
        if let Message::Text(text) = message? {
            take(&text, &queue, &subscribers);
        }
    }
    Ok(())
}

/// Answers a request by its number, and forwards a send.
fn take(text: &Utf8Bytes, queue: &Queue, subscribers: &Subscribers) {
    let number: String = text
        .chars()
        .skip(1)
        .take_while(char::is_ascii_digit)
        .collect();
    if text.ends_with("\"ACK\"]") {
        return;
    }
    // The queue is closed if the client has left.
    let _ = queue.send(Message::text(format!("[{number},200,{{}}]")));
    let mut subscribers = subscribers.lock().unwrap_or_else(PoisonError::into_inner);
    if text.contains(",\"SUBSCRIBE\",") {
        subscribers.push(queue.clone());
    } else if text.contains("/messages\",{\"content\"") {
        subscribers.retain(|queue| queue.send(Message::Text(text.clone())).is_ok());
    }
}

/// Writes all queued messages at once.
async fn write(
    mut queued: mpsc::UnboundedReceiver<Message>,
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
) -> Result<()> {
    while let Some(message) = queued.recv().await {
        sink.feed(message).await?;
        while let Ok(message) = queued.try_recv() {
            sink.feed(message).await?;
        }
        sink.flush().await?;
    }
    Ok(())
}
