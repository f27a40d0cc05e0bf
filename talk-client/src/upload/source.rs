//! The sources of uploads.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use async_lock::Mutex;
use bytes::Bytes;
use futures_util::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt};
use futures_util::stream::{self, Stream, TryStreamExt};

use super::queued::QueuedFile;
use crate::transport::{BoxStream, MaybeSend, Transport, blocking_task};

/// The size of a read in bytes: large enough to keep reads cheap, and small enough to be the buffer
/// of an upload.
const CHUNK: usize = 256 << 10;

type Reader = Pin<Box<dyn ReadOnce>>;

/// A seekable reader, shared by the attempts of an upload. Each read seeks to its position first.
type SeekableReader = Arc<Mutex<Pin<Box<dyn ReadSeek>>>>;

pub(crate) trait ReadOnce: AsyncRead + MaybeSend {}

impl<T: AsyncRead + MaybeSend> ReadOnce for T {}

pub(crate) trait ReadSeek: AsyncRead + AsyncSeek + MaybeSend {}

impl<T: AsyncRead + AsyncSeek + MaybeSend> ReadSeek for T {}

/// The source of an upload. Files and readers are read while they are sent, in chunks of 256 KiB.
///
/// Bytes, files and seekable readers are sent again if an attempt fails. Other readers and
/// streams can be read only once.
///
/// ```
/// use talk_client::UploadSource;
///
/// let in_memory = UploadSource::from(vec![1, 2, 3]);
/// let on_disk = UploadSource::file("cat.png");
/// let streamed = UploadSource::reader(3, &b"abc"[..]);
/// ```
pub struct UploadSource(SourceKind);

enum SourceKind {
    Bytes(Bytes),
    File(PathBuf),
    Reader { reader: Reader, length: u64 },
    Seekable { reader: SeekableReader, length: u64 },
}

impl UploadSource {
    /// Creates a source from bytes in memory.
    ///
    /// ```
    /// let source = talk_client::UploadSource::bytes("Hello!".as_bytes());
    /// ```
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(SourceKind::Bytes(bytes.into()))
    }

    /// Creates a source from a file. If the file changes during the upload, the upload fails with
    /// [`TransportError::Source`](crate::TransportError::Source).
    ///
    /// ```
    /// let source = talk_client::UploadSource::file("cat.png");
    /// ```
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(SourceKind::File(path.into()))
    }

    /// Creates a source from the first `length` bytes of a reader. If the reader fails or ends
    /// earlier, the upload fails with [`TransportError::Source`](crate::TransportError::Source).
    ///
    /// ```
    /// let source = talk_client::UploadSource::reader(6, &b"Hello!"[..]);
    /// ```
    pub fn reader(length: u64, reader: impl AsyncRead + MaybeSend + 'static) -> Self {
        Self(SourceKind::Reader {
            reader: Box::pin(reader),
            length,
        })
    }

    /// Creates a source from the first `length` bytes of a stream, such as the body of an HTTP
    /// request. If the stream fails or ends earlier, the upload fails with
    /// [`TransportError::Source`](crate::TransportError::Source).
    ///
    /// ```
    /// use std::io;
    /// use futures_util::stream;
    ///
    /// let body = stream::iter([Ok::<_, io::Error>("Hel"), Ok("lo!")]);
    /// let source = talk_client::UploadSource::stream(6, body);
    /// ```
    pub fn stream<B, E>(
        length: u64,
        stream: impl Stream<Item = Result<B, E>> + MaybeSend + 'static,
    ) -> Self
    where
        B: AsRef<[u8]> + MaybeSend + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        Self::reader(length, stream.map_err(io::Error::other).into_async_read())
    }

    /// Creates a source from the first `length` bytes of a seekable reader, which are sent again if
    /// an attempt fails. If the reader fails or ends earlier, the upload fails with
    /// [`TransportError::Source`](crate::TransportError::Source).
    ///
    /// ```
    /// use futures_util::io::Cursor;
    ///
    /// let source = talk_client::UploadSource::seekable(6, Cursor::new("Hello!"));
    /// ```
    pub fn seekable(length: u64, reader: impl AsyncRead + AsyncSeek + MaybeSend + 'static) -> Self {
        Self(SourceKind::Seekable {
            reader: Arc::new(Mutex::new(Box::pin(reader))),
            length,
        })
    }

    /// Opens the source and determines its length.
    pub(crate) async fn open<T: Transport>(self, transport: &T) -> io::Result<OpenSource> {
        Ok(match self.0 {
            SourceKind::Bytes(bytes) => OpenSource::Bytes(bytes),
            SourceKind::Reader { reader, length } => OpenSource::Reader {
                reader: Some(reader),
                length,
            },
            SourceKind::Seekable { reader, length } => OpenSource::Seekable { reader, length },
            SourceKind::File(path) => {
                let stamp = {
                    let path = path.clone();
                    move || FileStamp::of(&open_regular(&path)?)
                };
                let stamp = run_blocking(transport, stamp).await??;
                OpenSource::File { path, stamp }
            }
        })
    }
}

impl From<Vec<u8>> for UploadSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}

impl From<Bytes> for UploadSource {
    fn from(bytes: Bytes) -> Self {
        Self::bytes(bytes)
    }
}

impl From<&Path> for UploadSource {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

impl From<PathBuf> for UploadSource {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl fmt::Debug for UploadSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            SourceKind::Bytes(_) => "UploadSource(bytes)",
            SourceKind::File(_) => "UploadSource(file)",
            SourceKind::Reader { .. } => "UploadSource(reader)",
            SourceKind::Seekable { .. } => "UploadSource(seekable reader)",
        })
    }
}

/// A source whose length is known.
pub(crate) enum OpenSource {
    Bytes(Bytes),
    File {
        path: PathBuf,
        stamp: FileStamp,
    },
    /// A file of the outbox.
    Queued(QueuedFile),
    Reader {
        /// `None` after the first attempt.
        reader: Option<Reader>,
        length: u64,
    },
    Seekable {
        reader: SeekableReader,
        length: u64,
    },
}

impl OpenSource {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { stamp, .. } => stamp.length,
            Self::Queued(file) => file.length(),
            Self::Reader { length, .. } | Self::Seekable { length, .. } => *length,
        }
    }

    pub(crate) fn can_rewind(&self) -> bool {
        !matches!(self, Self::Reader { .. })
    }

    /// Returns the content from its start, as a stream of chunks. The stream ends after exactly
    /// `length` bytes, or with an error.
    pub(crate) fn chunks<T: Transport>(
        &mut self,
        transport: &T,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        Ok(match self {
            Self::Bytes(bytes) => {
                let bytes = bytes.clone();
                Box::pin(stream::once(async move { Ok(bytes) }))
            }
            Self::File { path, stamp } => {
                let reader = FileReader::new(path.clone(), *stamp, None);
                read_file(transport.clone(), reader)
            }
            Self::Queued(file) => {
                let transport = transport.clone();
                let file = file.clone();
                let open = async move {
                    let (file, stamp, path) =
                        run_blocking(&transport, move || file.open()).await??;
                    let reader = FileReader::new(path, stamp, Some(file));
                    Ok::<_, io::Error>(read_file(transport, reader))
                };
                Box::pin(stream::once(open).try_flatten())
            }
            Self::Reader { reader, length } => {
                let reader = reader.take();
                let reader = reader.ok_or_else(|| io::Error::other("it was read already"))?;
                Box::pin(stream::try_unfold((reader, *length), read_on))
            }
            Self::Seekable { reader, length } => Box::pin(stream::try_unfold(
                (Arc::clone(reader), 0, *length),
                read_at,
            )),
        })
    }
}

fn read_file<T: Transport>(
    transport: T,
    reader: FileReader,
) -> BoxStream<'static, io::Result<Bytes>> {
    let read = move |reader: FileReader| {
        let transport = transport.clone();
        async move {
            if reader.remaining == 0 {
                return Ok(None);
            }
            run_blocking(&transport, move || reader.next())
                .await?
                .map(Some)
        }
    };
    Box::pin(stream::try_unfold(reader, read))
}

async fn read_on(
    (mut reader, remaining): (Reader, u64),
) -> io::Result<Option<(Bytes, (Reader, u64))>> {
    if remaining == 0 {
        return Ok(None);
    }
    let chunk = read_chunk(&mut reader, remaining).await?;
    let remaining = remaining - chunk.len() as u64;
    Ok(Some((chunk, (reader, remaining))))
}

/// A reader, the position of the next chunk, and the end.
type ReadRange = (SeekableReader, u64, u64);

async fn read_at((reader, at, end): ReadRange) -> io::Result<Option<(Bytes, ReadRange)>> {
    if at == end {
        return Ok(None);
    }
    let mut locked = reader.lock().await;
    locked.seek(SeekFrom::Start(at)).await?;
    let chunk = read_chunk(&mut *locked, end - at).await?;
    drop(locked);
    let at = at + chunk.len() as u64;
    Ok(Some((chunk, (reader, at, end))))
}

async fn read_chunk(reader: &mut (impl AsyncRead + Unpin), remaining: u64) -> io::Result<Bytes> {
    let mut chunk = vec![0; chunk_length(remaining)];
    match reader.read_exact(&mut chunk).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(too_short()),
        read => read?,
    }
    Ok(chunk.into())
}

fn chunk_length(remaining: u64) -> usize {
    usize::try_from(remaining).map_or(CHUNK, |remaining| remaining.min(CHUNK))
}

pub(super) async fn run_blocking<T: Transport, V: MaybeSend + 'static>(
    transport: &T,
    work: impl FnOnce() -> V + MaybeSend + 'static,
) -> io::Result<V> {
    let (task, value) = blocking_task(work);
    transport.spawn_blocking(task);
    value.await
}

fn too_short() -> io::Error {
    let text = "it is shorter than it was when the upload began";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// Opens a regular file. Anything else is refused before it is opened, because opening a FIFO
/// without a writer blocks.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        let text = "it is not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    File::open(path)
}

/// The length and the time of modification of a file. A difference shows that the file has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FileStamp {
    pub(super) length: u64,
    /// The time of modification, on systems that record it.
    pub(super) modified: Option<SystemTime>,
}

impl FileStamp {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    fn check(self, file: &File) -> io::Result<()> {
        let now = Self::of(file)?;
        if now.length < self.length {
            return Err(too_short());
        }
        if now != self {
            let text = "it has changed since the upload began";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(())
    }
}

/// A file that is read in chunks. The first read opens it.
struct FileReader {
    path: PathBuf,
    stamp: FileStamp,
    file: Option<File>,
    remaining: u64,
}

impl FileReader {
    fn new(path: PathBuf, stamp: FileStamp, file: Option<File>) -> Self {
        Self {
            path,
            stamp,
            file,
            remaining: stamp.length,
        }
    }

    /// Returns the next chunk. The first and the last chunk are read only from an unchanged file,
    /// so a server never receives a changed file completely.
    fn next(mut self) -> io::Result<(Bytes, Self)> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = open_regular(&self.path)?;
                self.stamp.check(&file)?;
                file
            }
        };
        let mut chunk = vec![0; chunk_length(self.remaining)];
        match file.read_exact(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(too_short()),
            read => read?,
        }
        self.remaining -= chunk.len() as u64;
        if self.remaining == 0 {
            self.stamp.check(&file)?;
        }
        self.file = Some(file);
        Ok((chunk.into(), self))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn open_fifo_without_writer_is_refused_at_once() {
        let path = std::env::temp_dir().join(format!("talk-fifo-{}", std::process::id()));
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let opened = open_regular(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(opened.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
