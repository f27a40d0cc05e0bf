//! A minimal handwritten client: it reads and acknowledges events and stores nothing.

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// The app of all rows.
pub(super) const APP: &str = "compare";

/// The text of the sent messages.
pub(super) const MESSAGE: &str = "The kettle is on, and there is cake left from yesterday.";

/// Returns the ID of a conversation.
pub(super) fn conversation(number: usize) -> String {
    format!("conversation_{number:04}")
}

/// An authenticated socket of a user.
pub(super) struct Bot {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
}

impl Bot {
    /// Connects `user` to the app of all rows.
    pub(super) async fn connect(host: &str, user: &str) -> Result<Self> {
        let url = format!("ws://{host}/public_api/v1/{APP}/realtime/{user}");
        let (socket, _) = connect_async_with_config(url, None, true).await?;
        let mut bot = Self { socket, next: 0 };
        bot.call("POST", "/session/renew", json!({ "token": "t" }))
            .await?;
        Ok(bot)
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn call(&mut self, method: &str, path: &str, data: Value) -> Result<Value> {
        let seq = self.next;
        self.next += 1;
        let frame = json!([seq, method, path, data, {}]).to_string();
        self.socket.send(Message::text(frame)).await?;
        loop {
            let mut frame: Value = serde_json::from_str(&self.text().await?)?;
            if frame[0] == seq && frame[1] == 200 {
                return Ok(frame[2].take());
            }
            if frame[0] == seq && frame[1].is_u64() {
                bail!("{method} {path} was refused: {frame}");
            }
        }
    }

    /// Subscribes to a conversation's messages and reads the first page.
    pub(super) async fn subscribe(&mut self, conversation: &str) -> Result<()> {
        let path = format!("/me/conversations/{conversation}/messages");
        self.call("SUBSCRIBE", &path, json!({})).await?;
        self.call("GET", &path, json!({ "limit": 30 })).await?;
        Ok(())
    }

    /// Reads this number of frames and acknowledges the publish frames among them.
    pub(super) async fn listen(&mut self, frames: u64) -> Result<()> {
        for _ in 0..frames {
            let frame: Value = serde_json::from_str(&self.text().await?)?;
            if frame[1] == "PUBLISH" {
                let acknowledgement = format!("[{},\"ACK\"]", frame[0]);
                self.socket.send(Message::text(acknowledgement)).await?;
            }
        }
        Ok(())
    }

    /// Sends this number of messages at once, and waits until all are answered.
    pub(super) async fn send_many(&mut self, path: &str, count: usize) -> Result<()> {
        let content = json!({"content": [{"type": "text", "children": [MESSAGE]}]});
        for _ in 0..count {
            let frame = json!([self.next, "POST", path, content, {}]).to_string();
            self.next += 1;
            self.socket.feed(Message::text(frame)).await?;
        }
        self.socket.flush().await?;
        for _ in 0..count {
            let frame: Value = serde_json::from_str(&self.text().await?)?;
            ensure!(frame[1] == 200, "a send was refused: {frame}");
        }
        Ok(())
    }

    /// Sends a message verbatim and returns the next one.
    pub(super) async fn echo(&mut self, text: &str) -> Result<Utf8Bytes> {
        self.socket.send(Message::text(text)).await?;
        self.text().await
    }

    async fn text(&mut self) -> Result<Utf8Bytes> {
        loop {
            let message = self.socket.next().await.context("the server has left")??;
            if let Message::Text(text) = message {
                return Ok(text);
            }
        }
    }

    /// Returns the socket.
    pub(super) fn into_socket(self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.socket
    }
}
