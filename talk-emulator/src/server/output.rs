use serde::Serialize;

use super::webhooks::{WebhookAttemptId, WebhookRequest};

/// The ID of an open connection, chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ConnectionId(pub u64);

/// An action for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a shell handles every output")]
pub enum Output {
    /// Send a frame.
    SendFrame {
        /// The connection.
        connection: ConnectionId,
        /// The message.
        text: String,
    },
    /// Close a connection. The server has dropped it already, so [`closed`](super::Server::closed)
    /// need not be called.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// The WebSocket close code, or `None` to cut the TCP connection without a close frame.
        code: Option<u16>,
    },
    /// Send a webhook, and pass the result to
    /// [`webhook_answered`](super::Server::webhook_answered). The server has the time limit.
    SendWebhook {
        /// The ID of the attempt.
        attempt: WebhookAttemptId,
        /// The request.
        request: WebhookRequest,
    },
    /// Cancel an attempt to send a webhook. Its result is ignored.
    CancelWebhook {
        /// The ID of the attempt.
        attempt: WebhookAttemptId,
    },
}
