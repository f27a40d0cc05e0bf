//! Persistence of a server's records in a folder: `talk.sqlite` holds the records, `files/` the
//! contents of files.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params_from_iter};
use tokio::sync::oneshot;

use super::data_error::DataError;
use super::data_folder::{create_private_dir, ensure_private_file, lock};
use super::files::{Files, remove_abandoned};
use super::schema::{self, TABLES, UPLOADS};
use super::stored_records::{StoredRecords, stored_records};
use crate::server::{Change, Key, Settings, Unreadable};

/// The schema version, stored as SQLite's `user_version`.
const LAYOUT: i64 = 1;

/// The time to wait at the start for another process that holds the database.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for which an attempt to write waits for another process that holds the database.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);

/// The delay before a transaction is retried that failed because the database was busy or the disk
/// was full.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// The callback for a database that cannot be written for a while, and for its recovery.
#[derive(Clone)]
pub(crate) struct StallHook(pub(crate) Arc<StallCallback>);

type StallCallback = dyn Fn(Option<&DataError>) + Send + Sync;

impl fmt::Debug for StallHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StallHook")
    }
}

/// The thread that writes to the database. Dropping it completes the queued writes.
#[derive(Debug)]
pub(crate) struct Storage {
    writer: mpsc::Sender<Work>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Records the uploads that are in progress, so that the next emulator can remove the files of
/// those that a crash has interrupted, and no other file.
#[derive(Debug, Clone)]
pub(crate) struct UploadLog {
    writer: mpsc::Sender<Work>,
}

/// The contents of a data folder.
#[derive(Debug)]
pub(crate) struct Persisted {
    /// Dropped before the storage, whose thread waits for their receiver.
    pub(crate) records: StoredRecords,
    pub(crate) storage: Storage,
    pub(crate) files: Files,
    /// The stored settings.
    pub(crate) settings: Option<Settings>,
}

type Done = oneshot::Sender<Result<(), DataError>>;

enum Work {
    Commit {
        changes: Vec<Change>,
        /// Retries while the database is busy or the disk is full.
        retry: bool,
        done: Done,
    },
    BeginUpload {
        token: String,
        done: Done,
    },
    EndUpload {
        token: String,
    },
    Stop,
}

impl Storage {
    /// Opens a folder, creating it if needed.
    pub(crate) fn open(folder: &Path, hook: Option<StallHook>) -> Result<Persisted, DataError> {
        let files = folder.join("files");
        create_private_dir(folder)?;
        let lock = lock(folder)?;
        create_private_dir(&files)?;
        let database = folder.join("talk.sqlite");
        ensure_private_file(&database)?;
        let database = open_database(&database)?;
        let settings = read_settings(&database)?;
        remove_abandoned_uploads(&database, &files)?;
        let (reader, records) = stored_records()?;
        let (writer, work) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("talk-emulator-data".to_owned())
            .spawn(move || {
                reader.run(&database, WRITE_TIMEOUT);
                Writer { database, hook }.run(&work, lock);
            })?;
        let uploads = UploadLog {
            writer: writer.clone(),
        };
        Ok(Persisted {
            records,
            storage: Self {
                writer,
                thread: Some(thread),
            },
            files: Files::persisted(&files, uploads),
            settings,
        })
    }

    /// Commits all changes in one transaction. A committed transaction survives a crash of the
    /// process.
    ///
    /// While the database is busy or the disk is full, the transaction is retried.
    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<(), DataError> {
        send(&self.writer, |done| Work::Commit {
            changes,
            retry: true,
            done,
        })
        .await
    }

    /// Commits all changes in one transaction, without retries.
    pub(crate) async fn try_commit(&self, changes: Vec<Change>) -> Result<(), DataError> {
        send(&self.writer, |done| Work::Commit {
            changes,
            retry: false,
            done,
        })
        .await
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        // If the thread has ended, there is nothing to stop.
        let _ = self.writer.send(Work::Stop);
        if let Some(thread) = self.thread.take() {
            // Wait, so that another emulator can use the folder afterwards.
            let _ = thread.join();
        }
    }
}

impl UploadLog {
    /// Records an upload. No file may be created under the token before this succeeds.
    pub(crate) async fn begin(&self, token: &str) -> Result<(), DataError> {
        let token = token.to_owned();
        send(&self.writer, |done| Work::BeginUpload { token, done }).await
    }

    /// Removes the record, once the file is either stored or removed.
    pub(crate) fn end(&self, token: &str) {
        let token = token.to_owned();
        // If the thread has ended, the next emulator removes the record.
        let _ = self.writer.send(Work::EndUpload { token });
    }
}

async fn send(
    writer: &mpsc::Sender<Work>,
    work: impl FnOnce(Done) -> Work,
) -> Result<(), DataError> {
    let (done, answer) = oneshot::channel();
    // If the thread has ended, the answer reports it.
    let _ = writer.send(work(done));
    let ended = |_| io::Error::other("the thread that writes has ended");
    answer.await.map_err(ended)?
}

/// Opens the database. With a write-ahead log, a committed transaction survives a crash of the
/// process. The log is not synced for each transaction, so a power failure may lose the last ones.
fn open_database(path: &Path) -> Result<Connection, DataError> {
    let database = Connection::open(path)?;
    database.busy_timeout(OPEN_TIMEOUT)?;
    let layout: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if layout > LAYOUT {
        return Err(DataError::TooNew(layout));
    }
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "normal")?;
    for table in TABLES.into_iter().chain([&UPLOADS]) {
        database.execute(&table.create(), [])?;
    }
    database.pragma_update(None, "user_version", LAYOUT)?;
    database.set_prepared_statement_cache_capacity(2 * TABLES.len() + 2);
    Ok(database)
}

/// Reads the stored settings.
fn read_settings(database: &Connection) -> Result<Option<Settings>, DataError> {
    let (table, name) = schema::row_key(&Key::Settings);
    let mut statement = database.prepare(&table.select_one())?;
    let data = statement.query_row(params_from_iter(name), |row| row.get::<_, String>(0));
    let Some(data) = data.optional()? else {
        return Ok(None);
    };
    let settings = serde_json::from_str(&data).map_err(|error| Unreadable {
        key: Key::Settings,
        reason: error.to_string(),
    })?;
    Ok(Some(settings))
}

/// Removes the files of uploads that a crash has interrupted.
fn remove_abandoned_uploads(database: &Connection, files: &Path) -> Result<(), DataError> {
    let tokens: Vec<String> = database
        .prepare(&UPLOADS.select())?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut stored = database.prepare("SELECT 1 FROM files WHERE token = ?")?;
    for token in tokens {
        if !stored.exists([&token])? {
            remove_abandoned(files, &token)?;
        }
        database.execute(&UPLOADS.delete(), [token])?;
    }
    Ok(())
}

struct Writer {
    database: Connection,
    hook: Option<StallHook>,
}

impl Writer {
    /// Writes until it is stopped. The lock is released afterwards.
    fn run(mut self, work: &mpsc::Receiver<Work>, _lock: File) {
        while let Ok(work) = work.recv() {
            match work {
                Work::Commit {
                    changes,
                    retry,
                    done,
                } => {
                    let written = self.commit(&changes, retry, &done);
                    // The engine may have stopped waiting.
                    let _ = done.send(written);
                }
                Work::BeginUpload { token, done } => {
                    let written = self.database.execute(&UPLOADS.put(), [&*token, ""]);
                    let _ = done.send(written.map(drop).map_err(DataError::from));
                }
                Work::EndUpload { token } => {
                    // A record that stays does no harm: its file is stored or absent.
                    let _ = self.database.execute(&UPLOADS.delete(), [token]);
                }
                Work::Stop => return,
            }
        }
    }

    fn commit(&mut self, changes: &[Change], retry: bool, done: &Done) -> Result<(), DataError> {
        let mut has_stalled = false;
        loop {
            let written = write(&mut self.database, changes).map_err(DataError::from);
            match written {
                Err(error) if retry && error.is_transient() && !done.is_closed() => {
                    if !std::mem::replace(&mut has_stalled, true) {
                        self.report(Some(&error));
                    }
                    thread::sleep(RETRY_DELAY);
                }
                written => {
                    if has_stalled && written.is_ok() {
                        self.report(None);
                    }
                    return written;
                }
            }
        }
    }

    fn report(&self, error: Option<&DataError>) {
        if let Some(StallHook(hook)) = &self.hook {
            hook(error);
        }
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

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{DataError, Writer, open_database};
    use crate::server::{Change, Key};

    #[test]
    fn commit_full_disk_is_transient() {
        let folder = tempfile::tempdir().unwrap();
        let database = open_database(&folder.path().join("talk.sqlite")).unwrap();
        let pages: i64 = database
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let limit = |database: &rusqlite::Connection, pages: i64| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            database.query_row(&sql, [], |_| Ok(())).unwrap();
        };
        limit(&database, pages);
        let mut writer = Writer {
            database,
            hook: None,
        };
        let changes = [Change {
            key: Key::Settings,
            value: Some("x".repeat(100_000)),
        }];
        let (done, _waiting) = oneshot::channel();
        let full = writer.commit(&changes, false, &done).unwrap_err();
        assert!(
            matches!(full, DataError::Database(_)) && full.is_transient(),
            "{full}"
        );
        limit(&writer.database, pages + 100);
        writer.commit(&changes, false, &done).unwrap();
    }
}
