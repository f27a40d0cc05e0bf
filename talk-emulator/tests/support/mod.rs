//! Minimal clients, for tests of the wire format.

// clippy allows these only in `#[test]` functions.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use talk_emulator::Emulator;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Sends a request on a new connection.
pub(crate) async fn send(
    emulator: &Emulator,
    request: http::Request<Bytes>,
) -> http::Response<Bytes> {
    try_send(emulator, request).await.unwrap()
}

/// Sends a request with another `Host` header.
pub(crate) async fn send_as(
    emulator: &Emulator,
    host: &str,
    request: http::Request<Bytes>,
) -> http::Response<Bytes> {
    try_send_as(emulator, host, request).await.unwrap()
}

/// Sends a request on a connection that may end before the answer.
pub(crate) async fn try_send(
    emulator: &Emulator,
    request: http::Request<Bytes>,
) -> hyper::Result<http::Response<Bytes>> {
    try_send_as(emulator, emulator.host(), request).await
}

async fn try_send_as(
    emulator: &Emulator,
    host: &str,
    request: http::Request<Bytes>,
) -> hyper::Result<http::Response<Bytes>> {
    let stream = TcpStream::connect(emulator.host()).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (mut head, body) = request.into_parts();
    head.headers.insert("host", host.parse().unwrap());
    let request = http::Request::from_parts(head, Full::new(body));
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    Ok(http::Response::from_parts(
        head,
        body.collect().await?.to_bytes(),
    ))
}

/// Sends a GET request.
pub(crate) async fn get(emulator: &Emulator, path: &str) -> http::Response<Bytes> {
    let request = http::Request::get(path).body(Bytes::new()).unwrap();
    send(emulator, request).await
}

/// Returns the body as JSON.
pub(crate) fn json_of(response: &http::Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Sends JSON to the control API. The path starts after `/_emulator`.
pub(crate) async fn change(
    emulator: &Emulator,
    method: &str,
    path: &str,
    body: &Value,
) -> http::Response<Bytes> {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/_emulator{path}"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    send(emulator, request).await
}

/// Sends JSON to the control API, and returns that of the answer, which must have status 200.
pub(crate) async fn ok(emulator: &Emulator, method: &str, path: &str, body: Value) -> Value {
    let response = change(emulator, method, path, &body).await;
    assert_eq!(response.status(), 200, "{method} {path}: {response:?}");
    json_of(&response)
}

/// Reads JSON from the control API.
pub(crate) async fn read(emulator: &Emulator, path: &str) -> Value {
    let response = get(emulator, &format!("/_emulator{path}")).await;
    assert_eq!(response.status(), 200, "{path}: {response:?}");
    json_of(&response)
}

/// A raw socket of a user.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
}

impl Socket {
    /// Opens a socket without authenticating.
    pub(crate) async fn open(emulator: &Emulator, app: &str, user: &str) -> Self {
        Self::try_open(emulator, app, user).await.unwrap()
    }

    pub(crate) async fn try_open(
        emulator: &Emulator,
        app: &str,
        user: &str,
    ) -> Result<Self, Error> {
        let url = format!(
            "ws://{}/public_api/v1/{app}/realtime/{user}?talkjs-client-build=standalone",
            emulator.host()
        );
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (stream, _) = connect_async_with_config(url, Some(config), true).await?;
        Ok(Self { stream, next: 0 })
    }

    /// Opens and authenticates a socket.
    pub(crate) async fn ready(emulator: &Emulator, app: &str, user: &str) -> Self {
        let mut socket = Self::open(emulator, app, user).await;
        let (status, _) = socket
            .call("POST", "/session/renew", json!({ "token": "t" }))
            .await;
        assert_eq!(status, 200);
        socket
    }

    /// Sends a request without waiting for its answer, and returns its number.
    pub(crate) async fn request(&mut self, method: &str, path: &str, data: Value) -> u64 {
        self.try_request(method, path, data).await.unwrap()
    }

    /// Sends a request like [`request`](Self::request), on a connection that may have ended.
    pub(crate) async fn try_request(
        &mut self,
        method: &str,
        path: &str,
        data: Value,
    ) -> Result<u64, Error> {
        let seq = self.next;
        self.next += 1;
        let text = json!([seq, method, path, data, {}]).to_string();
        self.stream.send(Message::Text(text.into())).await?;
        Ok(seq)
    }

    /// Sends a request and waits for its answer. Publishes in between are skipped.
    pub(crate) async fn call(&mut self, method: &str, path: &str, data: Value) -> (u64, Value) {
        let seq = self.request(method, path, data).await;
        loop {
            let frame = self.frame().await.expect("an answer");
            if frame[0] == seq && frame[1].is_u64() {
                return (frame[1].as_u64().unwrap(), frame[2].clone());
            }
        }
    }

    pub(crate) async fn text(&mut self, text: String) {
        self.stream.send(Message::Text(text.into())).await.unwrap();
    }

    /// Returns the next frame, or `None` if the connection has ended.
    pub(crate) async fn frame(&mut self) -> Option<Value> {
        loop {
            match self.message().await? {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// Returns the next message of any kind, or `None` if the connection has ended.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        self.stream.next().await?.ok()
    }
}
