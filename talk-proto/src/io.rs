//! Inputs and outputs of a session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::command::{Reply, RequestId, SubscriptionId};
use crate::error::{RequestError, SessionError};
use crate::inbox::{InboxEvent, InboxId};
use crate::model::{EntryId, MessageId};
use crate::outbox::{Entry, FileSource};
use crate::search::results::{SearchId, SearchResults, SearchStatus};
use crate::secret::Secret;
use crate::snapshot::Update;
use crate::storage::{BatchId, Change, StorageEvent};
use crate::timestamp::Timestamp;

/// The ID of a socket, which a session never reuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(crate) u64);

/// The ID of an HTTP request of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpId(pub(crate) u64);

/// The ID of a token fetch of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenFetchId(pub(crate) u64);

/// An external event, passed to [`Session::handle_input`](crate::Session::handle_input). Every
/// input is accepted. An input for a finished socket, HTTP request or token fetch has no effect.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "a recorder handles every input")]
pub enum Input<'a> {
    /// The WebSocket upgrade succeeded.
    SocketOpened {
        /// The socket.
        socket: SocketId,
    },
    /// A WebSocket message arrived.
    SocketFrame {
        /// The socket.
        socket: SocketId,
        /// The message.
        text: &'a str,
    },
    /// The socket could not be opened, or was closed by either side. Report this once for every
    /// [`Output::OpenSocket`].
    SocketClosed {
        /// The socket.
        socket: SocketId,
        /// The cause.
        cause: SocketClosed,
    },
    /// A token fetch finished.
    Token {
        /// The fetch.
        fetch: TokenFetchId,
        /// The token, or the reason why there is none. The reason must not contain a secret.
        result: Result<Secret, String>,
    },
    /// The head of an HTTP response arrived.
    HttpHead {
        /// The HTTP request.
        http: HttpId,
        /// The status.
        status: u16,
    },
    /// A part of an HTTP response's body arrived.
    HttpChunk {
        /// The HTTP request.
        http: HttpId,
        /// The bytes of the part.
        chunk: Bytes,
    },
    /// The body of an HTTP response is complete.
    HttpEnd {
        /// The HTTP request.
        http: HttpId,
    },
    /// An HTTP request failed.
    HttpFailed {
        /// The HTTP request.
        http: HttpId,
        /// The cause.
        failure: HttpFailure,
    },
    /// A batch is stored durably.
    Stored {
        /// The batch.
        batch: BatchId,
    },
    /// A batch could not be stored. No part of it may become visible to a later run.
    StoreFailed {
        /// The batch.
        batch: BatchId,
        /// A human-readable reason.
        reason: String,
    },
    /// A file was checked.
    FileChecked {
        /// The upload of the file.
        request: RequestId,
        /// A human-readable reason if the file is absent, unreadable or changed.
        result: Result<(), String>,
    },
    /// The time of [`Session::poll_timeout`](crate::Session::poll_timeout) has been reached.
    Tick,
}

/// Shows kinds and sizes, but no payloads.
impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SocketOpened { socket } => write!(f, "SocketOpened({})", socket.0),
            Self::SocketFrame { socket, text } => {
                write!(f, "SocketFrame({}, {} bytes)", socket.0, text.len())
            }
            Self::SocketClosed { socket, cause } => {
                write!(f, "SocketClosed({}, {cause:?})", socket.0)
            }
            Self::Token { fetch, result } => {
                let outcome = if result.is_ok() { "token" } else { "failure" };
                write!(f, "Token({}, {outcome})", fetch.0)
            }
            Self::HttpHead { http, status } => write!(f, "HttpHead({}, {status})", http.0),
            Self::HttpChunk { http, chunk } => {
                write!(f, "HttpChunk({}, {} bytes)", http.0, chunk.len())
            }
            Self::HttpEnd { http } => write!(f, "HttpEnd({})", http.0),
            Self::HttpFailed { http, failure } => {
                let plane = match failure {
                    HttpFailure::Network(_) => "network",
                    HttpFailure::Stalled { .. } => "stalled",
                    HttpFailure::Unanswered(_) => "unanswered",
                    HttpFailure::Source(_) => "source",
                };
                write!(f, "HttpFailed({}, {plane})", http.0)
            }
            Self::Stored { batch } => write!(f, "Stored({})", batch.0),
            Self::StoreFailed { batch, .. } => write!(f, "StoreFailed({})", batch.0),
            Self::FileChecked { request, result } => {
                write!(f, "FileChecked({}, {})", request.0, result.is_ok())
            }
            Self::Tick => f.write_str("Tick"),
        }
    }
}

/// The cause of a socket's end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketClosed {
    /// The socket could not be opened: name resolution, connection, TLS or upgrade failed.
    ConnectFailed(String),
    /// The server closed the socket.
    ByServer {
        /// The close code, if the server sent one.
        code: Option<u16>,
    },
    /// The transport failed, the driver's send buffer overflowed, or the driver performed
    /// [`Output::CloseSocket`].
    Lost(String),
    /// The peer was sending a message larger than
    /// [`Limits::frame_size`](crate::Limits::frame_size).
    FrameTooLarge,
}

/// The cause of a failed HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFailure {
    /// The connection failed before the peer could have received the whole request.
    #[error("{0}")]
    Network(String),
    /// The peer accepted no data of the request for this long.
    #[error("the server took nothing for {after:?}")]
    Stalled {
        /// The time limit.
        after: Duration,
    },
    /// The peer may have received the whole request, but no response arrived: the connection failed
    /// or timed out.
    #[error("{0}")]
    Unanswered(String),
    /// The data to upload could not be read, or changed during the upload.
    #[error("{0}")]
    Source(String),
}

/// An action for the driver. Outputs must be performed in order.
#[expect(clippy::exhaustive_enums, reason = "a driver handles every output")]
pub enum Output {
    /// Open a WebSocket without a subprotocol. The driver needs no time limit for connecting, TLS
    /// and upgrade: the session ends a slow attempt with [`Output::CloseSocket`].
    OpenSocket {
        /// The ID of the new socket.
        socket: SocketId,
        /// The address. It contains the time of this attempt.
        url: String,
    },
    /// Send a WebSocket message.
    SendFrame {
        /// The socket.
        socket: SocketId,
        /// The message.
        frame: Frame,
    },
    /// Close the socket, or stop opening it. Later inputs for the socket are ignored.
    CloseSocket {
        /// The socket.
        socket: SocketId,
        /// The close code to send.
        code: u16,
    },
    /// Fetch a token from the application and answer with [`Input::Token`] or
    /// [`Session::set_token`](crate::Session::set_token).
    FetchToken {
        /// The fetch.
        fetch: TokenFetchId,
    },
    /// Send an HTTP request. Do not follow redirects.
    SendHttp {
        /// The HTTP request's ID.
        http: HttpId,
        /// The request.
        request: Box<http::Request<HttpBody>>,
    },
    /// Cancel an HTTP request. Later inputs for it are ignored.
    CancelHttp {
        /// The HTTP request.
        http: HttpId,
    },
    /// Apply a batch of changes to the store, atomically and durably, and answer with
    /// [`Input::Stored`] or [`Input::StoreFailed`]. Only a session with a store emits this, see
    /// [`Session::restore`](crate::Session::restore). One batch is unanswered at a time, except
    /// that the end of the session does not wait for the last answer. Apply batches in order.
    Store {
        /// The ID of the batch.
        batch: BatchId,
        /// The changes.
        changes: Vec<Change>,
    },
    /// Check that a file is readable and has this size and modification time, and answer with
    /// [`Input::FileChecked`]. Only a session whose outbox has files emits this.
    CheckFile {
        /// The upload of the file.
        request: RequestId,
        /// The path.
        path: String,
        /// The expected size in bytes.
        size: u64,
        /// The expected time of the last modification, if it was known.
        modified: Option<Timestamp>,
    },
    /// Notify the application.
    Event(Event),
}

/// Shows addresses without their query and requests without their headers, because these may
/// contain a signature or a token.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenSocket { socket, url } => {
                let address = url.split('?').next().unwrap_or_default();
                write!(f, "OpenSocket({}, {address})", socket.0)
            }
            Self::SendFrame { socket, frame } => write!(f, "SendFrame({}, {frame:?})", socket.0),
            Self::CloseSocket { socket, code } => write!(f, "CloseSocket({}, {code})", socket.0),
            Self::FetchToken { fetch } => write!(f, "FetchToken({})", fetch.0),
            Self::SendHttp { http, request } => {
                let (method, path, body) = (request.method(), request.uri().path(), request.body());
                write!(f, "SendHttp({}, {method} {path}, {body:?})", http.0)
            }
            Self::CancelHttp { http } => write!(f, "CancelHttp({})", http.0),
            Self::Store { batch, changes } => {
                write!(f, "Store({}, {} changes)", batch.0, changes.len())
            }
            Self::CheckFile { request, size, .. } => {
                write!(f, "CheckFile({}, {size} bytes)", request.0)
            }
            Self::Event(event) => event.fmt(f),
        }
    }
}

/// A WebSocket message to send. `Debug` shows only its size.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(pub(crate) String);

impl Frame {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text without copying it.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// The body of an HTTP request.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "a driver sends every kind of body")]
pub enum HttpBody {
    /// No body.
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// The preamble, then `length` bytes of the file, then the epilogue.
    Upload {
        /// The upload.
        request: RequestId,
        /// The source of a file of the outbox. A changed file fails with [`HttpFailure::Source`].
        /// `None` for the source that the application passed with the upload `request`.
        source: Option<FileSource>,
        /// The bytes before the file.
        preamble: Bytes,
        /// The length of the file in bytes.
        length: u64,
        /// The bytes after the file.
        epilogue: Bytes,
    },
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Upload { length, .. } => write!(f, "upload of {length} bytes"),
        }
    }
}

/// A notification for the application.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A request is resolved. Every accepted command that has a request ID is resolved exactly
    /// once.
    Resolved {
        /// The request.
        request: RequestId,
        /// Its outcome.
        result: Result<Reply, RequestError>,
    },
    /// A subscription has a new snapshot.
    Updated {
        /// The subscription.
        subscription: SubscriptionId,
        /// The snapshot and its changes since the previous one.
        update: Box<Update>,
    },
    /// A subscription has ended. No more events follow for it.
    SubscriptionEnded {
        /// The subscription.
        subscription: SubscriptionId,
        /// The error, or `None` if the subscription was unsubscribed.
        error: Option<RequestError>,
    },
    /// A search has new results or a new status.
    SearchUpdated {
        /// The search.
        search: SearchId,
        /// The results so far.
        results: SearchResults,
        /// The state of the search.
        status: SearchStatus,
    },
    /// The state of the connection changed.
    Connection(ConnectionState),
    /// An entry of the outbox is new or has changed.
    EntryChanged(Arc<Entry>),
    /// An entry has left the outbox: sent or discarded.
    EntryRemoved {
        /// The entry.
        entry: EntryId,
        /// The message, or `None` if the entry was discarded.
        message: Option<MessageId>,
    },
    /// An event of an inbox.
    Inbox {
        /// The inbox.
        inbox: InboxId,
        /// The event.
        event: InboxEvent,
    },
    /// The store failed, is slow, or holds a record that has no effect.
    Storage(StorageEvent),
    /// A part of the server's data was skipped.
    Warning(ProtocolWarning),
    /// The session has ended. All pending requests and subscriptions were resolved before.
    Ended(SessionError),
}

/// The state of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// No connection is needed.
    Idle,
    /// A connection is being opened or authenticated.
    Connecting {
        /// The reason of the last loss or failed attempt; `None` for a first attempt.
        last_failure: Option<String>,
    },
    /// The connection is authenticated, and requests are sent.
    Ready,
    /// The connection was lost, an attempt failed, or an anonymous token for an HTTP request could
    /// not be fetched. Another attempt follows.
    Waiting {
        /// The time at which the connection was lost or the last attempt failed.
        since: Timestamp,
        /// The time of the next attempt.
        until: Timestamp,
        /// The number of the next attempt, counted from 1 after the last connection.
        attempt: u32,
        /// A human-readable reason.
        reason: String,
    },
}

impl ConnectionState {
    /// Returns the reason for which there is no connection, if an attempt failed or the last
    /// connection was lost.
    pub fn last_failure(&self) -> Option<&str> {
        match self {
            Self::Connecting { last_failure } => last_failure.as_deref(),
            Self::Waiting { reason, .. } => Some(reason),
            Self::Idle | Self::Ready => None,
        }
    }
}

/// A part of the server's data that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolWarning {
    /// A frame of an unknown shape.
    Frame,
    /// A frame larger than [`Limits::frame_size`](crate::Limits::frame_size).
    LargeFrame {
        /// Its size in bytes.
        size: usize,
    },
    /// An answer to a request that is not pending.
    Answer,
    /// An event with missing or unreadable members. If it cannot be read at all, its entity is
    /// fetched again.
    Event,
    /// An event of an unknown type.
    UnknownEvent {
        /// The type, cut to 64 characters.
        kind: String,
    },
    /// Unreadable items of a response. Each was skipped, or lost its unreadable members.
    Items {
        /// The number of items.
        count: usize,
    },
    /// A publish that was applied already.
    RepeatedPublish,
}
