/// Names one connection, for as long as it is open. The caller chooses the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What a server wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a text message.
    SendFrame {
        /// Where to.
        connection: ConnectionId,
        /// The whole message.
        text: String,
    },
    /// Close a connection; the server has forgotten it already and [`closed`](super::Server::closed)
    /// need not be told.
    Close {
        /// Which one.
        connection: ConnectionId,
        /// The WebSocket close code, or `None` to drop the TCP connection without a word.
        code: Option<u16>,
    },
}
