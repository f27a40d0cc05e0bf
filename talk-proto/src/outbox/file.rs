//! Files of messages in the outbox.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::content::ContentBlock;
use crate::model::EntryId;
use crate::timestamp::Timestamp;
use crate::upload::{FileToken, Upload, UploadKind};

/// A file of a message in the outbox. It is uploaded before the message is sent, and becomes a file
/// block behind the other content.
///
/// ```
/// use talk_proto::outbox::{Enqueue, OutboxFile};
/// use talk_proto::upload::{Upload, UploadKind};
///
/// let upload = Upload::new(UploadKind::File, "notes.txt", 0).content_type("text/plain");
/// let message = Enqueue::from(OutboxFile::bytes(upload, "Hello!"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct OutboxFile {
    /// The name, size and kind of the file.
    pub upload: Upload,
    /// The source of the bytes.
    pub source: FileSource,
}

/// The source of the bytes of a file. `Debug` shows neither path nor bytes.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver reads every source")]
pub enum FileSource {
    /// A file that stays in its place. If its size or modification time differs when it is
    /// uploaded, the entry is [held](super::HeldReason::SourceGone).
    Path {
        /// The absolute path.
        path: String,
        /// The time of the last modification, on systems that record it.
        modified: Option<Timestamp>,
    },
    /// Bytes that the outbox keeps. A session with a store stores them with the entry.
    Bytes(Bytes),
}

impl OutboxFile {
    /// Creates a file that is read from `path` when it is uploaded. `upload.size` is its current
    /// size, and `modified` the time of its last modification.
    pub fn path(upload: Upload, path: impl Into<String>, modified: Option<Timestamp>) -> Self {
        let path = path.into();
        let source = FileSource::Path { path, modified };
        Self { upload, source }
    }

    /// Creates a file from bytes, which the outbox keeps until the message is sent. Sets
    /// `upload.size`.
    pub fn bytes(mut upload: Upload, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        upload.size = bytes.len() as u64;
        let source = FileSource::Bytes(bytes);
        Self { upload, source }
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { modified, .. } => write!(f, "Path(…, {modified:?})"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}

/// A file of an entry that is not uploaded yet. `Debug` hides the name.
///
/// Serialises as `{"filename", "size", "subtype"?}`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct PendingFile {
    /// The name.
    pub filename: String,
    /// The size in bytes.
    pub size: u64,
    /// The kind.
    pub kind: UploadKind,
}

impl fmt::Debug for PendingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingFile")
            .field("size", &self.size)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Serialize for PendingFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("filename", &self.filename)?;
        map.serialize_entry("size", &self.size)?;
        if let Some(subtype) = self.kind.subtype() {
            map.serialize_entry("subtype", subtype)?;
        }
        map.end()
    }
}

/// The part of a file that is stored with its entry.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SavedFile {
    kind: UploadKind,
    filename: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    /// `None` if the bytes have a record of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<Timestamp>,
    /// The token, once the file is uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<FileToken>,
    #[serde(skip)]
    pub(super) bytes: Option<Bytes>,
    /// Set if the record of the bytes is not stored.
    #[serde(skip)]
    pub(super) needs_record: bool,
}

impl From<OutboxFile> for SavedFile {
    fn from(OutboxFile { upload, source }: OutboxFile) -> Self {
        let (path, modified, bytes) = match source {
            FileSource::Path { path, modified } => (Some(path), modified, None),
            FileSource::Bytes(bytes) => (None, None, Some(bytes)),
        };
        Self {
            kind: upload.kind,
            filename: upload.filename,
            size: upload.size,
            content_type: upload.content_type,
            path,
            modified,
            token: None,
            needs_record: bytes.is_some(),
            bytes,
        }
    }
}

impl SavedFile {
    /// Returns the file to upload, or `None` if its bytes are lost.
    pub(super) fn file(&self) -> Option<OutboxFile> {
        let mut upload = Upload::new(self.kind, &self.filename, self.size);
        upload.content_type.clone_from(&self.content_type);
        Some(match (&self.path, &self.bytes) {
            (Some(path), _) => OutboxFile::path(upload, path, self.modified),
            (None, bytes) => OutboxFile::bytes(upload, bytes.clone()?),
        })
    }

    /// Returns the files that are not uploaded.
    pub(super) fn pending(files: &[Self]) -> Arc<[PendingFile]> {
        if files.is_empty() {
            return Arc::default();
        }
        let pending = files.iter().filter(|file| file.token.is_none());
        let pending = pending.map(|file| PendingFile {
            filename: file.filename.clone(),
            size: file.size,
            kind: file.kind,
        });
        pending.collect()
    }

    /// Returns `true` if the bytes have a record.
    pub(super) fn has_record(&self) -> bool {
        self.path.is_none()
    }

    /// Returns the size of the record of the bytes.
    pub(super) fn record_bytes(&self) -> usize {
        let bytes = self.bytes.as_ref();
        bytes.map_or(0, |bytes| BASE64.encode_len(bytes.len()))
    }
}

/// Returns the blocks of a message: `blocks`, followed by one for each uploaded file.
pub(super) fn with_files(blocks: &Arc<[ContentBlock]>, files: &[SavedFile]) -> Arc<[ContentBlock]> {
    if files.is_empty() {
        return Arc::clone(blocks);
    }
    let tokens = files.iter().filter_map(|file| file.token.clone());
    let uploaded = tokens.map(ContentBlock::from);
    blocks.iter().cloned().chain(uploaded).collect()
}

/// The record of the bytes of a file.
#[derive(Serialize, Deserialize)]
pub(super) struct FileRecord {
    pub(super) entry: EntryId,
    /// The number of the file in its entry, from 0.
    pub(super) file: usize,
    #[serde(serialize_with = "encode", deserialize_with = "decode")]
    pub(super) bytes: Bytes,
}

fn encode<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

fn decode<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = BASE64.decode(text.as_bytes());
    bytes.map(Bytes::from).map_err(serde::de::Error::custom)
}
