//! Persistence of a server's records in a folder: `talk.sqlite` holds the records, `files/` the
//! contents of files.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, params_from_iter};
use tokio::sync::oneshot;

use super::files::{Files, remove_incomplete};
use super::schema::{self, TABLES};
use crate::server::{Change, Key, Settings, Unreadable};

/// The schema version, stored as SQLite's `user_version`.
const LAYOUT: i64 = 1;

/// The time to wait for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The reason why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Another emulator is using the folder.
    #[error("another emulator is using this folder; stop it first, or choose another folder")]
    InUse,
    /// The folder was written by a later version.
    #[error("it was written by a later version (layout {0}); update the emulator")]
    TooNew(i64),
    /// The folder or a file in it cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database cannot be read or written.
    #[error("the database talk.sqlite: {0}")]
    Database(#[from] rusqlite::Error),
    /// A record in the database is invalid.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The thread that writes to the database. Dropping it completes the queued writes.
#[derive(Debug)]
pub(crate) struct Storage {
    commits: Option<mpsc::Sender<Commit>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The contents of a data folder.
#[derive(Debug)]
pub(crate) struct Persisted {
    pub(crate) storage: Storage,
    pub(crate) files: Files,
    /// The stored settings.
    pub(crate) settings: Option<Settings>,
    pub(crate) records: Vec<(Key, String)>,
}

struct Commit {
    changes: Vec<Change>,
    done: oneshot::Sender<Result<(), DataError>>,
}

impl Storage {
    /// Opens a folder, creating it if needed.
    pub(crate) fn open(folder: &Path) -> Result<Persisted, DataError> {
        let files = folder.join("files");
        fs::create_dir_all(&files)?;
        let lock = lock(folder)?;
        let database = open_database(&folder.join("talk.sqlite"))?;
        let records = read(&database)?;
        let settings = records
            .iter()
            .find(|(key, _)| *key == Key::Settings)
            .map(|(key, value)| {
                serde_json::from_str(value).map_err(|error| Unreadable {
                    key: key.clone(),
                    reason: error.to_string(),
                })
            })
            .transpose()?;
        let known: std::collections::BTreeSet<&str> = records
            .iter()
            .filter_map(|(key, _)| match key {
                Key::File { token, .. } => Some(token.as_str()),
                _ => None,
            })
            .collect();
        remove_incomplete(&files, |token| known.contains(token))?;
        let (commits, work) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("talk-emulator-data".to_owned())
            .spawn(move || {
                write_all(database, &work);
                drop(lock);
            })?;
        Ok(Persisted {
            storage: Self {
                commits: Some(commits),
                thread: Some(thread),
            },
            files: Files::Persisted(Arc::from(files)),
            settings,
            records,
        })
    }

    /// Commits all changes in one transaction. A committed transaction survives a crash of the
    /// process.
    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<(), DataError> {
        let (done, answer) = oneshot::channel();
        if let Some(commits) = &self.commits {
            // If the thread has ended, the answer reports it.
            let _ = commits.send(Commit { changes, done });
        }
        let gone = |_| io::Error::other("the thread that writes has ended");
        answer.await.map_err(gone)?
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.commits = None;
        if let Some(thread) = self.thread.take() {
            // Wait, so that another emulator can use the folder afterwards.
            let _ = thread.join();
        }
    }
}

/// Held as long as the folder is in use; the system lets it go when the process ends.
fn lock(folder: &Path) -> Result<File, DataError> {
    let path: PathBuf = folder.join("talk.lock");
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Opens the database. With a write-ahead log, a committed transaction survives a crash of the
/// process. The log is not synced for each transaction, so a power failure may lose the last ones.
fn open_database(path: &Path) -> Result<Connection, DataError> {
    let database = Connection::open(path)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    let layout: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if layout > LAYOUT {
        return Err(DataError::TooNew(layout));
    }
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "normal")?;
    for table in TABLES {
        database.execute(&table.create(), [])?;
    }
    database.pragma_update(None, "user_version", LAYOUT)?;
    database.set_prepared_statement_cache_capacity(2 * TABLES.len());
    Ok(database)
}

fn read(database: &Connection) -> Result<Vec<(Key, String)>, DataError> {
    let mut records = Vec::new();
    for table in TABLES {
        let mut statement = database.prepare(&table.select())?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let parts = (0..table.columns.len()).map(|at| row.get(at));
            let parts = parts.collect::<Result<_, _>>()?;
            if let Some(key) = schema::decode_key(table, parts) {
                records.push((key, row.get(table.columns.len())?));
            }
        }
    }
    Ok(records)
}

fn write_all(mut database: Connection, commits: &mpsc::Receiver<Commit>) {
    while let Ok(Commit { changes, done }) = commits.recv() {
        let written = write(&mut database, &changes);
        // The engine may have stopped waiting.
        let _ = done.send(written.map_err(DataError::from));
    }
}

fn write(database: &mut Connection, changes: &[Change]) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    for change in changes {
        let (table, parts) = schema::row_key(&change.key);
        match &change.value {
            Some(value) => transaction
                .prepare_cached(&table.put())?
                .execute(params_from_iter(parts.into_iter().chain([value.as_str()])))?,
            None => transaction
                .prepare_cached(&table.delete())?
                .execute(params_from_iter(parts))?,
        };
    }
    transaction.commit()
}
