//! A store in a file.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;

use futures_channel::oneshot;
use talk_proto::storage::{Change, Record, StoreError};

use super::database::Database;
use super::interface::Store;
use super::key::StoreKey;
use super::lease::Lease;
use crate::sync::{Mutex, lock};
use crate::transport::BoxFuture;

/// A store in a file, for any number of users and processes.
///
/// The file is an SQLite database in WAL mode, with every write synced to the disk. The files of
/// its log and of its locks are in the same folder, and their names begin with the name of the
/// file. On Unix, all files are created with access for the user only. Processes can read the file
/// while another one writes, and writers wait for each other. Do not put the file on a network file
/// system.
///
/// A thread of the store performs all reads and writes. It ends when the last clone is dropped.
///
/// ```no_run
/// use talk_client::TalkOptions;
/// use talk_client::store::FileStore;
///
/// let options = TalkOptions::new("my_app", "alice")?.store(FileStore::new("outbox.talk"));
/// # Ok::<(), talk_client::EmptyId>(())
/// ```
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    worker: Mutex<Option<mpsc::Sender<Work>>>,
}

type Work = Box<dyn FnOnce(&mut Database) + Send>;

impl FileStore {
    /// Creates a handle of the file. The first use opens the file, and creates it if it does not
    /// exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            path: path.into(),
            worker: Mutex::default(),
        }))
    }

    /// Runs `work` on the thread of the store.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (sender, result) = oneshot::channel();
        let work: Work = Box::new(move |database| {
            // Fails if the caller has stopped waiting.
            let _ = sender.send(work(database));
        });
        let submitted = self.submit(work);
        Box::pin(async move {
            submitted?;
            let ended = |_| StoreError::Io("the thread of the store has ended".to_owned());
            result.await.map_err(ended)?
        })
    }

    fn submit(&self, work: Work) -> Result<(), StoreError> {
        let mut worker = lock(&self.0.worker);
        let work = match &*worker {
            Some(sender) => match sender.send(work) {
                Ok(()) => return Ok(()),
                // The thread has panicked. A new one opens the file again.
                Err(mpsc::SendError(work)) => work,
            },
            None => work,
        };
        let (sender, receiver) = mpsc::channel::<Work>();
        let mut database = Database::new(self.0.path.clone());
        let run = move || {
            for work in receiver {
                work(&mut database);
            }
        };
        thread::Builder::new()
            .name("talk-store".to_owned())
            .spawn(run)
            .map_err(|error| StoreError::Io(error.to_string()))?;
        // The thread has just started, and receives the work.
        let _ = sender.send(work);
        *worker = Some(sender);
        Ok(())
    }
}

impl Store for FileStore {
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>> {
        let key = key.to_text();
        self.run(move |database| database.load(&key))
    }

    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let key = key.to_text();
        self.run(move |database| database.apply(&key, &changes))
    }

    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>> {
        let key = key.to_text();
        let file = self.run(move |database| database.lock(&key));
        Box::pin(async move { Ok(Lease::new(file.await?)) })
    }

    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>> {
        let key = key.to_text();
        self.run(move |database| database.clear(&key))
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileStore").field(&self.0.path).finish()
    }
}
