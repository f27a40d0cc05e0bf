/// The ID of an open connection, chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}
