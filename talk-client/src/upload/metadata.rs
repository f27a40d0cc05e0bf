//! The metadata of an uploaded file.

use std::fmt;

use talk_proto::upload::{Upload, UploadKind};

/// The metadata of an uploaded file. Values that do not apply to its kind, such as the width of an
/// audio file, are not sent.
///
/// ```
/// use talk_client::UploadMetadata;
///
/// let metadata = UploadMetadata::named("cat.mp4")
///     .content_type("video/mp4").size(640, 480).duration(2.5);
/// ```
#[derive(Clone, PartialEq)]
#[must_use]
pub struct UploadMetadata {
    filename: String,
    kind: Option<MediaKind>,
    content_type: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    duration: Option<f64>,
}

impl UploadMetadata {
    /// Creates metadata with a file name, which may hold any Unicode characters.
    ///
    /// ```
    /// let metadata = talk_client::UploadMetadata::named("café.png");
    /// ```
    pub fn named(filename: impl Into<String>) -> Self {
        Self {
            filename: filename.into(),
            kind: None,
            content_type: None,
            width: None,
            height: None,
            duration: None,
        }
    }

    /// Sets the kind of the file for [`send_file`](crate::ConversationRef::send_file) and for files
    /// of queued messages (default: from the media type). Other uploads have the kind of their
    /// method.
    ///
    /// ```
    /// use talk_client::{MediaKind, UploadMetadata};
    ///
    /// let metadata = UploadMetadata::named("memo.ogg").kind(MediaKind::Voice);
    /// ```
    pub fn kind(mut self, kind: MediaKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets the media type, such as `image/png` (default `application/octet-stream`).
    ///
    /// ```
    /// let metadata = talk_client::UploadMetadata::named("cat").content_type("image/png");
    /// ```
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets width and height in pixels, for images and videos.
    ///
    /// ```
    /// use talk_client::UploadMetadata;
    ///
    /// let metadata = UploadMetadata::named("cat.png").size(640, 480);
    /// assert_eq!(metadata, UploadMetadata::named("cat.png").width(640).height(480));
    /// ```
    pub fn size(self, width: u32, height: u32) -> Self {
        self.width(width).height(height)
    }

    /// Sets the width in pixels, for images and videos.
    ///
    /// ```
    /// let metadata = talk_client::UploadMetadata::named("cat.png").width(640);
    /// ```
    pub fn width(mut self, pixels: u32) -> Self {
        self.width = Some(pixels);
        self
    }

    /// Sets the height in pixels, for images and videos.
    ///
    /// ```
    /// let metadata = talk_client::UploadMetadata::named("cat.png").height(480);
    /// ```
    pub fn height(mut self, pixels: u32) -> Self {
        self.height = Some(pixels);
        self
    }

    /// Sets the duration in seconds, for videos, audio files and voice recordings.
    ///
    /// ```
    /// let metadata = talk_client::UploadMetadata::named("voice.ogg").duration(2.5);
    /// ```
    pub fn duration(mut self, seconds: f64) -> Self {
        self.duration = Some(seconds);
        self
    }

    /// Returns the kind of the file. By default the media type names it.
    pub(crate) fn media_kind(&self) -> MediaKind {
        if let Some(kind) = self.kind {
            return kind;
        }
        let media_type = self
            .content_type
            .as_deref()
            .and_then(|it| it.split('/').next());
        match media_type.map(str::to_ascii_lowercase).as_deref() {
            Some("image") => MediaKind::Image,
            Some("video") => MediaKind::Video,
            Some("audio") => MediaKind::Audio,
            _ => MediaKind::File,
        }
    }

    /// Returns the core's upload of `length` bytes.
    pub(crate) fn upload(self, kind: MediaKind, length: u64, can_rewind: bool) -> Upload {
        let (width, height) = (self.width.map(f64::from), self.height.map(f64::from));
        let duration = self.duration;
        let kind = match kind {
            MediaKind::File => UploadKind::File,
            MediaKind::Image => UploadKind::Image { width, height },
            MediaKind::Video => UploadKind::Video {
                width,
                height,
                duration,
            },
            MediaKind::Audio => UploadKind::Audio { duration },
            MediaKind::Voice => UploadKind::Voice { duration },
        };
        let mut upload = Upload::new(kind, self.filename, length);
        upload.content_type = self.content_type;
        upload.can_rewind = can_rewind;
        upload
    }
}

impl From<&str> for UploadMetadata {
    fn from(filename: &str) -> Self {
        Self::named(filename)
    }
}

/// Hides the file name, which may describe the content.
impl fmt::Debug for UploadMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadMetadata")
            .field("kind", &self.kind)
            .field("content_type", &self.content_type)
            .field("width", &self.width)
            .field("height", &self.height)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaKind {
    /// Any file.
    File,
    /// An image.
    Image,
    /// A video.
    Video,
    /// An audio file.
    Audio,
    /// A voice message.
    Voice,
}
