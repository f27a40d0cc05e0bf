//! The public types of uploads.

use std::fmt;
use std::sync::Arc;

/// A file to upload.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Upload {
    /// The kind of the file, with the metadata of that kind.
    pub kind: UploadKind,
    /// The name, which may contain any Unicode characters.
    pub filename: String,
    /// The size in bytes.
    pub size: u64,
    /// The media type (default `application/octet-stream`).
    pub content_type: Option<String>,
    /// Set if the file can be read again from the start, which allows retries.
    pub can_rewind: bool,
}

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "subtype", rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "width and height are in pixels, durations in seconds"
)]
#[non_exhaustive]
pub enum UploadKind {
    /// Any file.
    File,
    /// An image.
    Image {
        width: Option<f64>,
        height: Option<f64>,
    },
    /// A video.
    Video {
        width: Option<f64>,
        height: Option<f64>,
        duration: Option<f64>,
    },
    /// An audio file.
    Audio { duration: Option<f64> },
    /// A voice message.
    Voice { duration: Option<f64> },
}

impl UploadKind {
    /// Returns the name of the kind, such as `image`, or `None` for any file.
    pub fn subtype(&self) -> Option<&'static str> {
        match self {
            Self::File => None,
            Self::Image { .. } => Some("image"),
            Self::Video { .. } => Some("video"),
            Self::Audio { .. } => Some("audio"),
            Self::Voice { .. } => Some("voice"),
        }
    }
}

impl Upload {
    /// Creates an upload of a file that can be read again and has no media type.
    ///
    /// ```
    /// use talk_proto::upload::{Upload, UploadKind};
    ///
    /// let upload = Upload::new(UploadKind::Audio { duration: Some(2.5) }, "song.ogg", 12_345);
    /// ```
    pub fn new(kind: UploadKind, filename: impl Into<String>, size: u64) -> Self {
        Self {
            kind,
            filename: filename.into(),
            size,
            content_type: None,
            can_rewind: true,
        }
    }

    /// Sets the media type.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Marks the file as readable only once, which prevents retries.
    pub fn once(mut self) -> Self {
        self.can_rewind = false;
        self
    }
}

/// Hides the name, which may reveal the content.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("kind", &self.kind)
            .field("size", &self.size)
            .field("content_type", &self.content_type)
            .field("can_rewind", &self.can_rewind)
            .finish_non_exhaustive()
    }
}

/// An opaque reference to an uploaded file, for use in a message. It grants access to the file, so
/// `Debug` hides it.
///
/// It converts into a [`ContentBlock`](crate::content::ContentBlock) and into a
/// [`SendMessage`](crate::command::SendMessage). Do not store it for long: its format may change.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct FileToken(Arc<str>);

impl FileToken {
    /// Returns the token as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for FileToken {
    fn from(token: String) -> Self {
        Self(token.into())
    }
}

impl From<&str> for FileToken {
    fn from(token: &str) -> Self {
        Self(token.into())
    }
}

impl From<&Self> for FileToken {
    fn from(token: &Self) -> Self {
        token.clone()
    }
}

impl From<FileToken> for Arc<str> {
    fn from(token: FileToken) -> Self {
        token.0
    }
}

impl From<FileToken> for String {
    fn from(token: FileToken) -> Self {
        token.as_str().to_owned()
    }
}

impl fmt::Debug for FileToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileToken(…)")
    }
}
