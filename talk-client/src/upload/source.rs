//! Where the bytes of an upload come from.

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
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::runtime::{Runtime, unblock};

/// How much is read at a time: enough that reading costs little, and all that an upload keeps in
/// memory, but for what is on its way.
const CHUNK: usize = 256 << 10;

type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// Shared by the readings of it, of which the newest counts.
type SeekableReader = Arc<Mutex<Pin<Box<dyn ReadSeek>>>>;

pub(crate) trait ReadSeek: AsyncRead + AsyncSeek + Send {}

impl<T: AsyncRead + AsyncSeek + Send> ReadSeek for T {}

/// Where the bytes of an upload come from. They are read while they are sent, some hundred KiB at a
/// time.
///
/// Bytes, files and seekable readers are sent again when the connection is lost; another reader can
/// be read only once.
///
/// ```
/// use talk_client::UploadSource;
///
/// let in_memory = UploadSource::from(vec![1, 2, 3]);
/// let on_disk = UploadSource::file("cat.png");
/// let streamed = UploadSource::reader(3, &b"abc"[..]);
/// ```
pub struct UploadSource(Origin);

enum Origin {
    Bytes(Bytes),
    File(PathBuf),
    Reader { reader: Reader, length: u64 },
    Seekable { reader: SeekableReader, length: u64 },
}

impl UploadSource {
    /// Bytes in memory.
    ///
    /// ```
    /// let source = talk_client::UploadSource::bytes("a text".as_bytes());
    /// ```
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Origin::Bytes(bytes.into()))
    }

    /// A file. It must stay as it is until it is uploaded: one that changes meanwhile fails the
    /// upload with [`TransportError::Source`](crate::TransportError::Source).
    ///
    /// ```
    /// let source = talk_client::UploadSource::file("cat.png");
    /// ```
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::File(path.into()))
    }

    /// The first `length` bytes of a reader. One that ends earlier or fails, fails the upload with
    /// [`TransportError::Source`](crate::TransportError::Source).
    ///
    /// ```
    /// let source = talk_client::UploadSource::reader(6, &b"a text"[..]);
    /// ```
    pub fn reader(length: u64, reader: impl AsyncRead + Send + 'static) -> Self {
        Self(Origin::Reader {
            reader: Box::pin(reader),
            length,
        })
    }

    /// The first `length` bytes of a reader that can go back to its start, and so be sent again.
    /// One that ends earlier or fails, fails the upload with
    /// [`TransportError::Source`](crate::TransportError::Source).
    ///
    /// ```
    /// use futures_util::io::Cursor;
    ///
    /// let source = talk_client::UploadSource::seekable(6, Cursor::new("a text"));
    /// ```
    pub fn seekable(length: u64, reader: impl AsyncRead + AsyncSeek + Send + 'static) -> Self {
        Self(Origin::Seekable {
            reader: Arc::new(Mutex::new(Box::pin(reader))),
            length,
        })
    }

    /// Finds out how long it is.
    pub(crate) async fn open<R: Runtime>(self, runtime: &R) -> io::Result<Opened> {
        Ok(match self.0 {
            Origin::Bytes(bytes) => Opened::Bytes(bytes),
            Origin::Reader { reader, length } => Opened::Reader {
                reader: Some(reader),
                length,
            },
            Origin::Seekable { reader, length } => Opened::Seekable { reader, length },
            Origin::File(path) => {
                let look = {
                    let path = path.clone();
                    move || Stamp::of(&File::open(path)?)
                };
                let stamp = unblock(runtime, look).await??;
                Opened::File { path, stamp }
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
            Origin::Bytes(_) => "UploadSource(bytes)",
            Origin::File(_) => "UploadSource(file)",
            Origin::Reader { .. } => "UploadSource(reader)",
            Origin::Seekable { .. } => "UploadSource(seekable reader)",
        })
    }
}

/// A source whose length is known.
pub(crate) enum Opened {
    Bytes(Bytes),
    File {
        path: PathBuf,
        stamp: Stamp,
    },
    Reader {
        /// `None` once it was read.
        reader: Option<Reader>,
        length: u64,
    },
    Seekable {
        reader: SeekableReader,
        length: u64,
    },
}

impl Opened {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { stamp, .. } => stamp.length,
            Self::Reader { length, .. } | Self::Seekable { length, .. } => *length,
        }
    }

    pub(crate) fn can_rewind(&self) -> bool {
        !matches!(self, Self::Reader { .. })
    }

    /// All of it from the start, in chunks; exactly its length, or an error.
    pub(crate) fn chunks<R: Runtime>(
        &mut self,
        runtime: &R,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        Ok(match self {
            Self::Bytes(bytes) => {
                let bytes = bytes.clone();
                stream::once(async move { Ok(bytes) }).boxed()
            }
            Self::File { path, stamp } => {
                let reading = Reading {
                    path: path.clone(),
                    stamp: *stamp,
                    file: None,
                    left: stamp.length,
                };
                let runtime = runtime.clone();
                let read = move |reading: Reading| {
                    let runtime = runtime.clone();
                    async move {
                        if reading.left == 0 {
                            return Ok(None);
                        }
                        unblock(&runtime, move || reading.next()).await?.map(Some)
                    }
                };
                stream::try_unfold(reading, read).boxed()
            }
            Self::Reader { reader, length } => {
                let reader = reader.take();
                let reader = reader.ok_or_else(|| io::Error::other("it was read already"))?;
                stream::try_unfold((reader, *length), read_on).boxed()
            }
            Self::Seekable { reader, length } => {
                stream::try_unfold((Arc::clone(reader), 0, *length), read_at).boxed()
            }
        })
    }
}

async fn read_on((mut reader, left): (Reader, u64)) -> io::Result<Option<(Bytes, (Reader, u64))>> {
    if left == 0 {
        return Ok(None);
    }
    let chunk = read_chunk(&mut reader, left).await?;
    let left = left - chunk.len() as u64;
    Ok(Some((chunk, (reader, left))))
}

/// A reader, where the next chunk begins, and where the last one ends.
type Place = (SeekableReader, u64, u64);

async fn read_at((reader, at, end): Place) -> io::Result<Option<(Bytes, Place)>> {
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

async fn read_chunk(reader: &mut (impl AsyncRead + Unpin), left: u64) -> io::Result<Bytes> {
    let mut chunk = vec![0; chunk_length(left)];
    match reader.read_exact(&mut chunk).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(too_short()),
        read => read?,
    }
    Ok(chunk.into())
}

fn chunk_length(left: u64) -> usize {
    usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK))
}

fn too_short() -> io::Error {
    let text = "it is shorter than it was when the upload began";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stamp {
    length: u64,
    /// Where the system knows it.
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            let text = "it is not a regular file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
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
            return Err(io::Error::other("it has changed since the upload began"));
        }
        Ok(())
    }
}

/// A file that is being read.
struct Reading {
    path: PathBuf,
    stamp: Stamp,
    file: Option<File>,
    left: u64,
}

impl Reading {
    /// The next chunk. The first and the last come only from a file that is as it was, so that a
    /// server never gets the whole of one that has changed.
    fn next(mut self) -> io::Result<(Bytes, Self)> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = File::open(&self.path)?;
                self.stamp.check(&file)?;
                file
            }
        };
        let mut chunk = vec![0; chunk_length(self.left)];
        match file.read_exact(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(too_short()),
            read => read?,
        }
        self.left -= chunk.len() as u64;
        if self.left == 0 {
            self.stamp.check(&file)?;
        }
        self.file = Some(file);
        Ok((chunk.into(), self))
    }
}
