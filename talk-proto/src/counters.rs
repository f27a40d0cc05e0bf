//! What a session has done, in numbers.

/// What a session has done since it was made, in numbers that only grow. HTTP is not in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Text messages sent over WebSockets: requests and acknowledgements.
    pub frames_sent: u64,
    /// Their length in bytes, before WebSocket and TLS add to it.
    pub bytes_sent: u64,
    /// Text messages received over WebSockets: answers and publishes, what was skipped included.
    pub frames_received: u64,
    /// Their length in bytes.
    pub bytes_received: u64,
    /// Attempts to connect, the first included.
    pub connects: u64,
    /// Those of them that followed a loss, or an attempt that had failed.
    pub reconnects: u64,
    /// Requests that had to be sent again: the server was busy or had failed, the token had
    /// expired, or the connection was lost. What subscriptions ask for again after a loss is not
    /// counted.
    pub retries: u64,
    /// Tokens that were sent on a connection that was authenticated before.
    pub token_refreshes: u64,
}
