use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use talk_proto::Timestamp;

use crate::server::output::ConnectionId;

/// The maximum length of a recorded text, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// A recorded frame or HTTP message. Its tokens are masked.
///
/// `Debug` does not show the text.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RecordedFrame {
    /// The position in the log.
    pub n: u64,
    /// The time.
    pub at: Timestamp,
    /// The connection. Absent for HTTP.
    pub connection: Option<ConnectionId>,
    /// The app.
    pub app: Arc<str>,
    /// The user of the connection. Absent for HTTP.
    pub user: Option<Arc<str>>,
    /// The direction, as seen from the server.
    pub direction: FrameDirection,
    /// The kind.
    pub kind: FrameKind,
    /// The number of the request.
    pub id: Option<u64>,
    /// The request of a request or a response.
    #[serde(flatten)]
    pub request: Option<Arc<RequestLine>>,
    /// The status of a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The time since the request of a response, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The length in bytes.
    pub bytes: usize,
    /// The frame, or the body of an HTTP message. Up to 64 KiB.
    pub text: String,
    /// Set if the text is not complete.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// The method and the path of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequestLine {
    /// The method.
    pub method: String,
    /// The path. For HTTP with the query.
    pub path: String,
}

/// The direction of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a frame is received or sent")]
pub enum FrameDirection {
    /// Received by the server.
    In,
    /// Sent by the server.
    Out,
}

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FrameKind {
    /// A request of a client.
    Request,
    /// The response to a request.
    Response,
    /// Events for a client.
    Event,
    /// A ping or its response.
    Ping,
    /// A request over HTTP or its response.
    Http,
    /// Any other frame, such as an acknowledgement.
    Other,
}

impl RecordedFrame {
    /// Returns the approximate memory use.
    pub(super) fn size(&self) -> usize {
        // The line is shared by a request and its response.
        let line = self.request.as_ref();
        let line = line.map_or(0, |line| line.method.len() + line.path.len());
        size_of::<Self>() + self.text.len() + line
    }
}

/// Returns up to the first 64 KiB of text, and `true` if that is not all.
pub(super) fn cut(text: &str) -> (String, bool) {
    match text.get(..MAX_TEXT) {
        _ if text.len() <= MAX_TEXT => (text.to_owned(), false),
        Some(start) => (start.to_owned(), true),
        None => {
            let end = text.floor_char_boundary(MAX_TEXT);
            (text.get(..end).unwrap_or_default().to_owned(), true)
        }
    }
}

impl fmt::Debug for RecordedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedFrame")
            .field("n", &self.n)
            .field("at", &self.at)
            .field("connection", &self.connection)
            .field("direction", &self.direction)
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("status", &self.status)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
