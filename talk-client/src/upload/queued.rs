//! Files of messages in the outbox.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use talk_proto::Timestamp;
use talk_proto::outbox::{FileSource, OutboxFile};

use super::metadata::UploadMetadata;
use super::source::{FileStamp, OpenSource, open_regular, run_blocking};
use crate::transport::Transport;

/// A file, as it was when its message was queued.
#[derive(Clone)]
pub(crate) struct QueuedFile {
    path: PathBuf,
    length: u64,
    modified: Option<Timestamp>,
}

impl QueuedFile {
    pub(crate) fn new(path: String, length: u64, modified: Option<Timestamp>) -> Self {
        let path = path.into();
        Self {
            path,
            length,
            modified,
        }
    }

    /// Returns the source of the `length` bytes of a file.
    pub(crate) fn source(source: FileSource, length: u64) -> OpenSource {
        match source {
            FileSource::Bytes(bytes) => OpenSource::Bytes(bytes),
            FileSource::Path { path, modified } => {
                OpenSource::Queued(Self::new(path, length, modified))
            }
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Opens the file if it is unchanged.
    pub(super) fn open(self) -> io::Result<(File, FileStamp, PathBuf)> {
        let file = open_regular(&self.path)?;
        let stamp = FileStamp::of(&file)?;
        // The store records milliseconds.
        let modified = stamp.modified.map(Timestamp::from);
        let is_modified = self.modified.is_some() && modified != self.modified;
        if is_modified || stamp.length != self.length {
            let text = "it has changed since it was queued";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok((file, stamp, self.path))
    }

    /// Returns `true` if the error shows that the file is absent, unusable or changed. Other
    /// errors, such as too many open files, may be absent at the next attempt.
    pub(crate) fn is_gone(error: &io::Error) -> bool {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidData
                | io::ErrorKind::UnexpectedEof
        )
    }

    /// Checks that the file is unchanged.
    pub(crate) async fn check<T: Transport>(self, transport: T) -> io::Result<()> {
        run_blocking(&transport, move || self.open().map(|_| ())).await?
    }
}

/// Creates a file for [`Enqueue::file`](talk_proto::outbox::Enqueue::file), which is read from
/// `path` when it is uploaded, also by a later process. Its size and its time of modification are
/// read now, which blocks for a moment. If they differ later, the message is
/// [held](talk_proto::outbox::HeldReason::SourceGone).
///
/// ```no_run
/// use talk_client::UploadMetadata;
/// use talk_client::outbox::{Enqueue, file_at};
///
/// # fn example(conversation: talk_client::ConversationRef) -> std::io::Result<()> {
/// let photo = file_at("cat.png", UploadMetadata::named("cat.png").content_type("image/png"))?;
/// conversation.enqueue(photo);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The file cannot be read, is not a regular file, or has a path that is not Unicode.
pub fn file_at(
    path: impl AsRef<Path>,
    metadata: impl Into<UploadMetadata>,
) -> io::Result<OutboxFile> {
    let path = std::path::absolute(path)?;
    let stamp = FileStamp::of(&open_regular(&path)?)?;
    let path = path.into_os_string().into_string().map_err(|_| {
        let reason = "its path is not Unicode";
        io::Error::new(io::ErrorKind::InvalidInput, reason)
    })?;
    let metadata = metadata.into();
    let kind = metadata.media_kind();
    let upload = metadata.upload(kind, stamp.length, true);
    let modified = stamp.modified.map(Timestamp::from);
    Ok(OutboxFile::path(upload, path, modified))
}

/// Creates a file for [`Enqueue::file`](talk_proto::outbox::Enqueue::file) from bytes, which the
/// store keeps until the message is sent.
///
/// ```no_run
/// use talk_client::outbox::{Enqueue, file_of_bytes};
///
/// # fn example(conversation: talk_client::ConversationRef) {
/// let notes = file_of_bytes("Hello!", "notes.txt");
/// conversation.enqueue(Enqueue::from("My notes:").file(notes));
/// # }
/// ```
pub fn file_of_bytes(bytes: impl Into<Bytes>, metadata: impl Into<UploadMetadata>) -> OutboxFile {
    let bytes = bytes.into();
    let metadata = metadata.into();
    let kind = metadata.media_kind();
    OutboxFile::bytes(metadata.upload(kind, bytes.len() as u64, true), bytes)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn queued_file_transient_errors_are_not_gone() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let cancelled = io::Error::other("the async runtime is shutting down");
        for error in [denied, cancelled] {
            assert!(!QueuedFile::is_gone(&error), "{error}");
        }
    }

    #[test]
    fn queued_file_changed_or_removed_is_refused() {
        let path = std::env::temp_dir().join(format!("talk-queued-{}", std::process::id()));
        std::fs::write(&path, "Hello").unwrap();
        let queued = || {
            let file = file_at(&path, "a.txt").unwrap();
            QueuedFile::source(file.source, file.upload.size)
        };
        let open = |source: OpenSource| match source {
            OpenSource::Queued(file) => file.open().map(|_| ()),
            _ => panic!("the file has a path"),
        };
        assert!(open(queued()).is_ok());

        let longer = queued();
        std::fs::write(&path, "Hello!").unwrap();
        assert!(QueuedFile::is_gone(&open(longer).unwrap_err()));

        let newer = queued();
        let file = File::options().append(true).open(&path).unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        file.set_modified(later).unwrap();
        assert!(QueuedFile::is_gone(&open(newer).unwrap_err()));

        let removed = queued();
        std::fs::remove_file(&path).unwrap();
        assert!(QueuedFile::is_gone(&open(removed).unwrap_err()));
        assert!(file_at(&path, "a.txt").is_err());
    }
}
