//! What goes into a session and what comes out of it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::command::{Reply, RequestId, SubscriptionId};
use crate::error::{RequestError, SessionError};
use crate::search::results::{SearchId, SearchResults, SearchStatus};
use crate::secret::Secret;
use crate::snapshot::Update;
use crate::timestamp::Timestamp;

/// One socket of a session: a number that is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(crate) u64);

/// One HTTP exchange of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpId(pub(crate) u64);

/// One time that the session asked for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenFetchId(pub(crate) u64);

/// Something that happened outside. It is given with
/// [`Session::handle_input`](crate::Session::handle_input), which takes it whatever it is: what
/// belongs to a socket, exchange or fetch that is over does nothing.
#[derive(Clone)]
pub enum Input<'a> {
    /// The socket is open, its upgrade done.
    SocketOpened {
        /// The socket.
        socket: SocketId,
    },
    /// A text message came.
    SocketFrame {
        /// The socket.
        socket: SocketId,
        /// The message.
        text: &'a str,
    },
    /// The socket could not be opened, or is closed, by whichever side. Say it once for every
    /// [`Output::OpenSocket`].
    SocketClosed {
        /// The socket.
        socket: SocketId,
        /// Why.
        cause: SocketClosed,
    },
    /// A token came, or none will.
    Token {
        /// The fetch that asked for it.
        fetch: TokenFetchId,
        /// The token, or why there is none, in words that hold no secret.
        result: Result<Secret, String>,
    },
    /// The head of an HTTP answer came.
    HttpHead {
        /// The exchange.
        http: HttpId,
        /// The status.
        status: u16,
    },
    /// A piece of an HTTP answer's body came.
    HttpChunk {
        /// The exchange.
        http: HttpId,
        /// The piece.
        chunk: Bytes,
    },
    /// The body of an HTTP answer is complete.
    HttpEnd {
        /// The exchange.
        http: HttpId,
    },
    /// An HTTP exchange broke off.
    HttpFailed {
        /// The exchange.
        http: HttpId,
        /// Why.
        failure: HttpFailure,
    },
    /// The time of [`Session::poll_timeout`](crate::Session::poll_timeout) has come.
    Tick,
}

/// Sizes and kinds: payloads are not shown.
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
            Self::Tick => f.write_str("Tick"),
        }
    }
}

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketClosed {
    /// It could not be opened: no address, no connection, no TLS, no upgrade.
    ConnectFailed(String),
    /// The server closed it.
    ByServer {
        /// The close code, when one came.
        code: Option<u16>,
    },
    /// The transport failed, the driver had too much unsent, or it answered
    /// [`Output::CloseSocket`].
    Lost(String),
    /// A message larger than [`Limits::frame_size`](crate::Limits::frame_size) was on its way.
    FrameTooLarge,
}

/// Why an HTTP exchange broke off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFailure {
    /// The connection failed before the peer could have all of the request.
    #[error("{0}")]
    Network(String),
    /// The peer took nothing of the request for this long.
    #[error("the server took nothing for {after:?}")]
    Stalled {
        /// How long.
        after: Duration,
    },
    /// The peer may have all of the request, and no answer came: the connection failed, or nothing
    /// was heard.
    #[error("{0}")]
    Unanswered(String),
    /// The data to upload could not be read, or changed meanwhile.
    #[error("{0}")]
    Source(String),
}

/// Something to do. Outputs come in the order in which they are to be done.
pub enum Output {
    /// Open a WebSocket, without a subprotocol. Connecting, TLS and upgrade included, has as long
    /// as the session waits for it: it gives up with [`Output::CloseSocket`].
    OpenSocket {
        /// The socket's name from now on.
        socket: SocketId,
        /// Its address. The time in it is that of this attempt.
        url: String,
    },
    /// Send a text message.
    SendFrame {
        /// The socket.
        socket: SocketId,
        /// The message.
        frame: Frame,
    },
    /// Close the socket, or stop opening it. Nothing of it is heard any more.
    CloseSocket {
        /// The socket.
        socket: SocketId,
        /// The close code to send.
        code: u16,
    },
    /// Get a token from the application, and answer with [`Input::Token`] or
    /// [`Session::set_token`](crate::Session::set_token).
    FetchToken {
        /// The fetch.
        fetch: TokenFetchId,
    },
    /// Make an HTTP request, without following redirects.
    SendHttp {
        /// The exchange.
        http: HttpId,
        /// The request.
        request: Box<http::Request<HttpBody>>,
    },
    /// Stop an HTTP exchange; nothing of it is heard any more.
    CancelHttp {
        /// The exchange.
        http: HttpId,
    },
    /// Tell the application.
    Event(Event),
}

/// Addresses without their query and requests without their headers: there may be a signature or
/// a token in them.
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
            Self::Event(event) => event.fmt(f),
        }
    }
}

/// A text message to send. Debug shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(pub(crate) String);

impl Frame {
    /// The text.
    ///
    /// ```
    /// # fn example(frame: &talk_proto::Frame) {
    /// assert!(frame.as_str().starts_with('['));
    /// # }
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to send it.
    ///
    /// ```
    /// # fn example(frame: talk_proto::Frame, mut send: impl FnMut(String)) {
    /// send(frame.into_string());
    /// # }
    /// ```
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
pub enum HttpBody {
    /// No body.
    Empty,
    /// These bytes.
    Bytes(Bytes),
    /// The preamble, then `length` bytes of the source that the caller gave for `request`, then
    /// the epilogue.
    Upload {
        /// The upload.
        request: RequestId,
        /// What comes before the file.
        preamble: Bytes,
        /// The bytes of the file.
        length: u64,
        /// What comes after the file.
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

/// Something that the application wants to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A request is done: there is exactly one for every accepted command that has an ID.
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
        /// The snapshot, and what changed since the one before.
        update: Update,
    },
    /// A subscription has ended: nothing more comes of it.
    SubscriptionEnded {
        /// The subscription.
        subscription: SubscriptionId,
        /// `None` when it was unsubscribed.
        error: Option<RequestError>,
    },
    /// A search goes on: what it has found so far.
    SearchUpdated {
        /// The search.
        search: SearchId,
        /// The results so far.
        results: SearchResults,
        /// Whether more is on its way, or can be loaded.
        status: SearchStatus,
    },
    /// The connection changed.
    Connection(ConnectionState),
    /// Something that came was skipped without harm.
    Warning(ProtocolWarning),
    /// The session has ended; everything pending was told before.
    Ended(SessionError),
}

/// Whether there is a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// None is wanted.
    Idle,
    /// One is being opened or authenticated.
    Connecting,
    /// Calls are being sent.
    Ready,
    /// The connection was lost or could not be made, and another attempt follows.
    Waiting {
        /// When the connection was lost, or the last attempt failed.
        since: Timestamp,
        /// When the next attempt is.
        until: Timestamp,
        /// The number of that attempt, from 1, since there was a connection last.
        attempt: u32,
        /// What went wrong, in words.
        reason: String,
    },
}

/// Something that came and was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolWarning {
    /// A frame of no known shape.
    Frame,
    /// A frame larger than [`Limits::frame_size`](crate::Limits::frame_size).
    LargeFrame {
        /// Its size in bytes.
        size: usize,
    },
    /// An answer to a request that is not open.
    Answer,
    /// An event without the members of its type.
    Event,
    /// An event of an unknown type.
    UnknownEvent {
        /// The type, cut to 64 characters.
        kind: String,
    },
    /// Items of a response that were unreadable. Each was skipped, or lost its unreadable members.
    Items {
        /// The number of items.
        count: usize,
    },
    /// A publish that had been applied already.
    RepeatedPublish,
}
