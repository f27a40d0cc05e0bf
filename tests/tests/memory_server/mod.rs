//! A server in memory with an empty conversation.

mod runtime;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_util::compat::TokioAsyncReadCompatExt;

pub(crate) use self::runtime::InMemory;

/// Serves an HTTP or WebSocket connection until the client closes it.
pub(crate) async fn serve(mut stream: DuplexStream) {
    let Some(head) = read_head(&mut stream).await else {
        return;
    };
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_key = name.eq_ignore_ascii_case("sec-websocket-key");
        is_key.then(|| value.trim().to_owned())
    });
    let Some(key) = key else {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        // The client may have closed the connection.
        let _ = stream.write_all(answer.as_bytes()).await;
        return;
    };
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        serve_socket(stream).await;
    }
}

async fn read_head(stream: &mut DuplexStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn serve_socket(stream: DuplexStream) {
    let config = WebSocketConfig::default().read_buffer_size(1024);
    let stream = stream.compat();
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    while let Some(Ok(message)) = socket.next().await {
        let answer = match message {
            Message::Text(text) => serde_json::from_str(text.as_str()).ok().and_then(answer),
            Message::Close(_) => None,
            _ => continue,
        };
        let sent = match answer {
            Some(answer) => socket.send(Message::text(answer)).await,
            None => socket.close(None).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Returns the answer to a request.
fn answer(request: Value) -> Option<String> {
    let (seq, method, path) = (request.get(0)?, request.get(1)?, request.get(2)?.as_str()?);
    let body = match (method.as_str()?, path) {
        ("POST", "/session/renew") => json!({ "expiresInSeconds": null }),
        ("POST", path) if path.ends_with("/messages") => json!({ "id": "msg_1" }),
        ("GET", path) if path.ends_with("/messages") => json!({ "data": [], "cursor": null }),
        _ => json!({}),
    };
    Some(json!([seq, 200, body]).to_string())
}
