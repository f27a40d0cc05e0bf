use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_blocking;

use super::data_folder::private_file;
use super::storage::UploadLog;

/// The size up to which an upload stays in memory if data is not persisted.
const MAX_IN_MEMORY: usize = 1024 * 1024;

/// The number of bytes read from a file at a time.
const CHUNK: u64 = 64 * 1024;

/// The suffix of the name of an incomplete file.
const INCOMPLETE: &str = ".part";

/// The contents of all uploaded files, by token.
#[derive(Debug, Clone)]
pub(crate) enum Files {
    /// Lost when the emulator stops.
    Temporary(Arc<Mutex<BTreeMap<String, Contents>>>),
    /// Stored in a folder, each under its token.
    Persisted(Folder),
}

/// The folder of persisted files.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: Arc<Path>,
    uploads: UploadLog,
}

/// The contents of a file.
#[derive(Debug, Clone)]
pub(crate) enum Contents {
    Memory(Bytes),
    File(Arc<Mutex<File>>),
}

/// A file during its upload. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct TempFile {
    state: State,
}

#[derive(Debug)]
enum State {
    Memory(BytesMut),
    /// An unnamed file: the system removes it even after a crash.
    Temporary(tokio::fs::File),
    Persisted(tokio::fs::File, RemoveOnDrop),
}

/// A complete upload. Dropping it removes the contents.
#[derive(Debug)]
pub(crate) enum CompletedUpload {
    Temporary(Contents),
    Persisted(RemoveOnDrop),
}

/// A file that is removed on drop, unless it is kept. Both end its upload.
#[derive(Debug)]
pub(crate) struct RemoveOnDrop {
    path: PathBuf,
    is_kept: bool,
    token: String,
    uploads: UploadLog,
}

impl Files {
    pub(crate) fn persisted(path: &Path, uploads: UploadLog) -> Self {
        Self::Persisted(Folder {
            path: Arc::from(path),
            uploads,
        })
    }

    pub(crate) async fn create_temp(&self, token: &str) -> io::Result<TempFile> {
        let state = match self {
            _ if !is_token(token) => return Err(io::ErrorKind::InvalidInput.into()),
            Self::Temporary(_) => State::Memory(BytesMut::new()),
            Self::Persisted(folder) => {
                let (file, removed) = folder.create(token.to_owned()).await?;
                State::Persisted(tokio::fs::File::from_std(file), removed)
            }
        };
        Ok(TempFile { state })
    }

    /// Keeps the contents of a stored file.
    pub(crate) fn keep(&self, token: String, arrived: CompletedUpload) {
        match (self, arrived) {
            (Self::Temporary(files), CompletedUpload::Temporary(contents)) => {
                lock(files).insert(token, contents);
            }
            (_, CompletedUpload::Persisted(mut removed)) => removed.is_kept = true,
            (Self::Persisted(_), CompletedUpload::Temporary(_)) => {}
        }
    }

    /// Stores the contents of a file of another emulator, unless there are some.
    pub(crate) async fn import(&self, token: &str, bytes: &[u8]) -> io::Result<()> {
        if self.get(token).await?.is_some() {
            return Ok(());
        }
        let mut file = self.create_temp(token).await?;
        file.write(bytes).await?;
        let complete = file.finish().await?;
        self.keep(token.to_owned(), complete);
        Ok(())
    }

    pub(crate) async fn get(&self, token: &str) -> io::Result<Option<Contents>> {
        match self {
            // An imported snapshot may have any token.
            _ if !is_token(token) => Ok(None),
            Self::Temporary(files) => Ok(lock(files).get(token).cloned()),
            Self::Persisted(folder) => {
                let path = folder.path.join(token);
                match blocking(move || File::open(path)).await {
                    Ok(file) => Ok(Some(Contents::File(Arc::new(Mutex::new(file))))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

impl Folder {
    async fn create(&self, token: String) -> io::Result<(File, RemoveOnDrop)> {
        let recorded = self.uploads.begin(&token).await;
        recorded.map_err(io::Error::other)?;
        let path = self.path.join(format!("{token}{INCOMPLETE}"));
        let uploads = self.uploads.clone();
        // If the caller stops waiting, the file is removed when it exists.
        blocking(move || {
            let file = private_file().create_new(true).open(&path);
            let file = file.inspect_err(|_| uploads.end(&token))?;
            let removed = RemoveOnDrop {
                path,
                is_kept: false,
                token,
                uploads,
            };
            Ok((file, removed))
        })
        .await
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::Temporary(Arc::default())
    }
}

impl TempFile {
    pub(crate) async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        match &mut self.state {
            State::Memory(memory) if memory.len() + chunk.len() <= MAX_IN_MEMORY => {
                memory.extend_from_slice(chunk);
            }
            State::Memory(memory) => {
                let file = blocking(tempfile::tempfile).await?;
                let mut file = tokio::fs::File::from_std(file);
                file.write_all(memory).await?;
                file.write_all(chunk).await?;
                self.state = State::Temporary(file);
            }
            State::Temporary(file) | State::Persisted(file, _) => file.write_all(chunk).await?,
        }
        Ok(())
    }

    /// Completes the upload.
    pub(crate) async fn finish(self) -> io::Result<CompletedUpload> {
        Ok(match self.state {
            State::Memory(memory) => CompletedUpload::Temporary(Contents::Memory(memory.freeze())),
            State::Temporary(mut file) => {
                file.flush().await?;
                let file = Arc::new(Mutex::new(file.into_std().await));
                CompletedUpload::Temporary(Contents::File(file))
            }
            State::Persisted(mut file, mut removed) => {
                file.flush().await?;
                let complete = removed.path.with_extension("");
                tokio::fs::rename(&removed.path, &complete).await?;
                removed.path = complete;
                CompletedUpload::Persisted(removed)
            }
        })
    }
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        if self.is_kept || remove_if_exists(&self.path).is_ok() {
            self.uploads.end(&self.token);
        }
        // Otherwise the next emulator with this folder removes the file.
    }
}

/// Removes the file of an upload that a crash has interrupted, complete or not.
pub(crate) fn remove_abandoned(folder: &Path, token: &str) -> io::Result<()> {
    if !is_token(token) {
        return Ok(());
    }
    remove_if_exists(&folder.join(format!("{token}{INCOMPLETE}")))?;
    remove_if_exists(&folder.join(token))
}

/// Returns `true` if `token` has the form of tokens that name stored files.
pub(super) fn is_token(token: &str) -> bool {
    token.len() == TOKEN_LENGTH && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The number of letters and digits of a token.
const TOKEN_LENGTH: usize = 20;

impl Contents {
    /// Streams the bytes in `range`.
    pub(crate) fn read(
        self,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        try_unfold(range, move |left| {
            let contents = self.clone();
            async move {
                if left.is_empty() {
                    return Ok(None);
                }
                let end = left.end.min(left.start.saturating_add(CHUNK));
                let chunk = contents.chunk(left.start..end).await?;
                Ok(Some((chunk, end..left.end)))
            }
        })
    }

    /// Returns all bytes of a file of this size.
    pub(crate) async fn whole(self, size: u64) -> io::Result<Bytes> {
        self.chunk(0..size).await
    }

    async fn chunk(self, range: Range<u64>) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => {
                let (start, end) = (index(range.start)?, index(range.end)?);
                if end > bytes.len() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(bytes.slice(start..end))
            }
            Self::File(file) => blocking(move || read_at(&file, range)).await,
        }
    }
}

fn read_at(file: &Mutex<File>, range: Range<u64>) -> io::Result<Bytes> {
    let mut chunk = vec![0; index(range.end - range.start)?];
    let mut file = lock(file);
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut chunk)?;
    Ok(chunk.into())
}

fn index(at: u64) -> io::Result<usize> {
    usize::try_from(at).map_err(io::Error::other)
}

/// Locks a mutex and ignores poisoning, because the value is consistent after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
