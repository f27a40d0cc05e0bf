//! The SQLite database of a file store.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};
use talk_proto::storage::{Change, Record, StoreError};

/// The version of the schema, stored as SQLite's `user_version`.
const LAYOUT: i64 = 1;

/// The time limit of the wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The delay between two attempts to open a database that another process is creating.
const OPEN_RETRY: Duration = Duration::from_millis(10);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS session (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS record (
        session INTEGER NOT NULL REFERENCES session,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (session, key)
    ) WITHOUT ROWID;
";

/// A database, which is opened at the first use.
pub(super) struct Database {
    /// The path without symbolic links once the database is open, so that all owners of a file use
    /// the same files of locks.
    path: PathBuf,
    /// The connection, and the file that it uses.
    connection: Option<(Connection, FileId)>,
}

impl Database {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            connection: None,
        }
    }

    pub(super) fn load(&mut self, key: &str) -> Result<Vec<Record>, StoreError> {
        let connection = self.connection()?;
        let read = || {
            let mut statement = connection.prepare_cached(
                "SELECT record.key, value FROM record JOIN session ON session.id = session
                 WHERE session.key = ?",
            )?;
            let record = |row: &rusqlite::Row<'_>| {
                let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
                Ok(Record::new(key, value))
            };
            let records = statement.query_map([key], record)?;
            records.collect::<rusqlite::Result<_>>()
        };
        read().map_err(failure)
    }

    pub(super) fn apply(&mut self, key: &str, changes: &[Change]) -> Result<(), StoreError> {
        self.write(|transaction| {
            let session = session_id(transaction, key)?;
            let mut put = transaction
                .prepare_cached("REPLACE INTO record (session, key, value) VALUES (?, ?, ?)")?;
            let mut delete =
                transaction.prepare_cached("DELETE FROM record WHERE session = ? AND key = ?")?;
            for change in changes {
                match change {
                    Change::Put(Record { key, value, .. }) => put.execute((session, key, value))?,
                    Change::Delete { key } => delete.execute((session, key))?,
                };
            }
            Ok(())
        })
    }

    pub(super) fn clear(&mut self, key: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            let session = session_id(transaction, key)?;
            transaction.execute("DELETE FROM record WHERE session = ?", [session])?;
            Ok(())
        })
    }

    /// Locks the records of a session. The operating system releases the lock of a process that is
    /// killed.
    pub(super) fn lock(&mut self, key: &str) -> Result<File, StoreError> {
        let session = self.write(|transaction| session_id(transaction, key))?;
        let mut path = OsString::from(&self.path);
        path.push(format!("-lock-{session}"));
        let file =
            open_private(Path::new(&path)).map_err(|error| StoreError::Io(error.to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(StoreError::Io(error.to_string())),
        }
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.connection()?;
        let write = || {
            // A transaction that begins as a read fails, instead of waiting, if another process
            // writes before it does.
            let behavior = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        write().map_err(failure)
    }

    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        let opened = match self.connection.take() {
            Some(opened) => opened,
            None => {
                let connection = open(&mut self.path)?;
                let file =
                    file_id(&self.path).map_err(|error| StoreError::Io(error.to_string()))?;
                (connection, file)
            }
        };
        let (connection, file) = self.connection.insert(opened);
        // A write to a file that has no name is lost with the process.
        match file_id(&self.path) {
            Ok(found) if found == *file => Ok(connection),
            _ => Err(StoreError::Io(format!(
                "{}: the file was removed or replaced while in use; restore it, or start again",
                self.path.display()
            ))),
        }
    }
}

/// Returns the ID of a session. Inserts the session if it is new.
fn session_id(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<i64> {
    let known = transaction
        .prepare_cached("SELECT id FROM session WHERE key = ?")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => {
            transaction.execute("INSERT INTO session (key) VALUES (?)", [key])?;
            Ok(transaction.last_insert_rowid())
        }
    }
}

/// Opens a database, and replaces its path by one without symbolic links. Waits for other processes
/// that open it.
fn open(path: &mut PathBuf) -> Result<Connection, StoreError> {
    let given = path.clone();
    let describe = |reason: &dyn std::fmt::Display| format!("{}: {reason}", given.display());
    // Created before SQLite opens it, because the files of the log get the permissions of the
    // database.
    *path = prepare(&given).map_err(|error| StoreError::Io(describe(&error)))?;
    let started = Instant::now();
    loop {
        match try_open(path) {
            // SQLite ignores its busy timeout while the journal mode changes.
            Err(error) if is_busy(&error) && started.elapsed() < BUSY_TIMEOUT => {
                thread::sleep(OPEN_RETRY);
            }
            Err(error) => {
                return Err(match failure(error) {
                    StoreError::Unreadable(reason) => StoreError::Unreadable(describe(&reason)),
                    error => StoreError::Io(describe(&reason(&error))),
                });
            }
            Ok(Opened::Ready(connection)) => return Ok(connection),
            Ok(Opened::Newer(layout)) => {
                let reason = format!("a newer version of Talk has written it (layout {layout})");
                return Err(StoreError::Unreadable(describe(&reason)));
            }
            Ok(Opened::Foreign) => {
                let reason = "it is the database of another program; choose another file";
                return Err(StoreError::Unreadable(describe(&reason)));
            }
        }
    }
}

fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Io(reason) => reason.clone(),
        error => error.to_string(),
    }
}

/// A database that was opened.
enum Opened {
    Ready(Connection),
    /// A newer version of this crate has written the database. Holds the version of the schema.
    Newer(i64),
    /// Another program has written the database.
    Foreign,
}

/// Opens a database. Changes only an empty one, and one of an earlier version.
fn try_open(path: &Path) -> rusqlite::Result<Opened> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let layout = |connection: &Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get(0))
    };
    // Another process may create the schema between two reads without a transaction.
    let transaction = connection.transaction()?;
    let found: i64 = layout(&transaction)?;
    let is_foreign = is_foreign(&transaction, found)?;
    transaction.commit()?;
    if is_foreign {
        return Ok(Opened::Foreign);
    }
    if found > LAYOUT {
        return Ok(Opened::Newer(found));
    }
    // A write inserts the session of its records, so a check of each record would find nothing. It
    // would copy the changed pages, because a failure takes back the statement.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // With these settings, a commit returns after the log has been written to the disk.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "fullfsync", true)?;
    if found < LAYOUT {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", LAYOUT)?;
        transaction.commit()?;
    }
    // Another process may have changed the schema meanwhile.
    let found = layout(&connection)?;
    Ok(match found > LAYOUT {
        true => Opened::Newer(found),
        false => Opened::Ready(connection),
    })
}

/// Returns `true` if a database has tables, but not those of a store.
fn is_foreign(connection: &Connection, layout: i64) -> rusqlite::Result<bool> {
    let count = |condition| {
        let query = format!("SELECT count(*) FROM sqlite_schema WHERE {condition}");
        connection.query_row(&query, (), |row| row.get::<_, i64>(0))
    };
    let ours = count("type = 'table' AND name IN ('session', 'record')")?;
    Ok(match layout {
        // A store has a version as soon as it has tables.
        0 => count("TRUE")? > 0,
        LAYOUT => ours < 2,
        // Newer versions may have renamed a table.
        _ => ours == 0,
    })
}

/// The identity of a file, which is the same under each of its names.
#[cfg(unix)]
type FileId = (u64, u64);

/// Windows does not remove or replace a database that is open.
#[cfg(not(unix))]
type FileId = ();

#[cfg(unix)]
fn file_id(path: &Path) -> io::Result<FileId> {
    use std::os::unix::fs::MetadataExt;

    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &Path) -> io::Result<FileId> {
    Ok(())
}

/// Opens a file, on Unix with access for the user only. Creates it if it does not exist.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    restrict(path)?;
    Ok(file)
}

/// Creates a database that does not exist, and makes its files accessible for the user only.
/// Returns its path without symbolic links.
///
/// Existing files are not opened: closing them would release the locks that other connections of
/// the process have.
fn prepare(path: &Path) -> io::Result<PathBuf> {
    if !path.try_exists()? {
        open_private(path)?;
    }
    if !std::fs::metadata(path)?.is_file() {
        // The permissions of a device or a folder must not change.
        return Err(io::Error::other("not a regular file"));
    }
    let path = resolve(path)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut file = OsString::from(&path);
        file.push(suffix);
        match restrict(Path::new(&file)) {
            // SQLite removes the files of the log when the last connection closes.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            restricted => restricted?,
        }
    }
    Ok(path)
}

#[cfg(unix)]
fn resolve(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path)
}

/// Returns the path as it is: not all programs accept the canonical paths of Windows.
#[cfg(not(unix))]
fn resolve(path: &Path) -> io::Result<PathBuf> {
    Ok(path.to_owned())
}

/// Withdraws the access of other users to an existing file.
#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::fs::{metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let mut permissions = metadata(path)?.permissions();
    let mode = permissions.mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(mode & !0o077);
    match set_permissions(path, permissions) {
        // The file belongs to another user, and its access is that user's decision.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        restricted => restricted,
    }
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn failure(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            StoreError::Unreadable(format!("{error}; choose another file"))
        }
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Unreadable(format!(
            "{error}; restore the file, or move it away to begin with an empty one"
        )),
        _ => StoreError::Io(error.to_string()),
    }
}
