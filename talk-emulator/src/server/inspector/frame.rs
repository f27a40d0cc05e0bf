use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use talk_proto::Timestamp;

use crate::server::output::ConnectionId;

/// The maximum length of a recorded text, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// A recorded frame or HTTP message. Its tokens are masked.
///
/// `Debug` does not show the text.
#[derive(Clone, PartialEq, Eq)]
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
    /// The request of a request, or of a response while the log has the request.
    pub request: Option<RequestLine>,
    /// The status of a response.
    pub status: Option<u16>,
    /// The time since the request of a response, in milliseconds.
    pub ms: Option<u64>,
    /// The length in bytes.
    pub bytes: usize,
    /// The frame, or the body of an HTTP message. Up to 64 KiB.
    pub text: String,
    /// Set if the text is not complete.
    pub cut: bool,
}

/// The method and the path of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        let line = self.request.as_ref();
        let line = line.map_or(0, |line| line.method.len() + line.path.len());
        size_of::<Self>() + self.text.len() + line
    }
}

/// Returns up to the first 64 KiB of text.
pub(super) fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).unwrap_or_default()
}

// The derived implementation would collect the members of the flattened line first, for each frame
// of a stream.
impl Serialize for RecordedFrame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("RecordedFrame", 15)?;
        object.serialize_field("n", &self.n)?;
        object.serialize_field("at", &self.at)?;
        object.serialize_field("connection", &self.connection)?;
        object.serialize_field("app", &self.app)?;
        object.serialize_field("user", &self.user)?;
        object.serialize_field("direction", &self.direction)?;
        object.serialize_field("kind", &self.kind)?;
        object.serialize_field("id", &self.id)?;
        if let Some(line) = &self.request {
            object.serialize_field("method", &line.method)?;
            object.serialize_field("path", &line.path)?;
        }
        if let Some(status) = &self.status {
            object.serialize_field("status", status)?;
        }
        if let Some(ms) = &self.ms {
            object.serialize_field("ms", ms)?;
        }
        object.serialize_field("bytes", &self.bytes)?;
        object.serialize_field("text", &self.text)?;
        if self.cut {
            object.serialize_field("cut", &true)?;
        }
        object.end()
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
