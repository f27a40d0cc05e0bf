use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_blocking;

/// Files up to this size stay in memory, larger ones go to a temporary file.
const MAX_IN_MEMORY: usize = 1024 * 1024;

/// What is read from a file at a time.
const CHUNK: u64 = 64 * 1024;

/// The bytes of all uploaded files, by token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    files: Arc<Mutex<BTreeMap<String, Contents>>>,
}

/// The bytes of one uploaded file.
#[derive(Debug, Clone)]
pub(crate) enum Contents {
    Memory(Bytes),
    /// A file without a name: the system removes it even if the process is killed.
    File(Arc<Mutex<File>>),
}

/// A file that is being uploaded.
#[derive(Debug)]
pub(crate) struct Spool {
    state: State,
}

#[derive(Debug)]
enum State {
    Memory(BytesMut),
    File(tokio::fs::File),
}

impl Files {
    pub(crate) fn insert(&self, token: String, contents: Contents) {
        self.lock().insert(token, contents);
    }

    pub(crate) fn get(&self, token: &str) -> Option<Contents> {
        self.lock().get(token).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Contents>> {
        lock(&self.files)
    }
}

impl Spool {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Memory(BytesMut::new()),
        }
    }

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
                self.state = State::File(file);
            }
            State::File(file) => file.write_all(chunk).await?,
        }
        Ok(())
    }

    /// All bytes are there.
    pub(crate) async fn finish(self) -> io::Result<Contents> {
        match self.state {
            State::Memory(memory) => Ok(Contents::Memory(memory.freeze())),
            State::File(mut file) => {
                file.flush().await?;
                Ok(Contents::File(Arc::new(Mutex::new(file.into_std().await))))
            }
        }
    }
}

impl Contents {
    /// The bytes in `range`, in pieces.
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

/// What a mutex guards here is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
