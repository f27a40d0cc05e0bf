//! Counters of a session.

/// Totals since the creation of a session, without HTTP requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Text messages sent over WebSockets: requests and acknowledgements.
    pub frames_sent: u64,
    /// The length of the sent messages in bytes, without the overhead of WebSocket and TLS.
    pub bytes_sent: u64,
    /// Text messages received over WebSockets: answers and publishes, including skipped ones.
    pub frames_received: u64,
    /// The length of the received messages in bytes.
    pub bytes_received: u64,
    /// Connection attempts, including the first.
    pub connects: u64,
    /// Connection attempts that followed a connection loss or a failed attempt.
    pub reconnects: u64,
    /// Requests that were sent again because the server was busy or failed, the token expired, or
    /// the connection was lost. Requests of subscriptions after a connection loss are not counted.
    pub retries: u64,
    /// Tokens sent on a connection that was authenticated already.
    pub token_refreshes: u64,
    /// Conversations with new messages that only the regular check of an inbox found, because no
    /// event had named them.
    pub missed_inbox_events: u64,
}
