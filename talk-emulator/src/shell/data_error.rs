use std::io;

use rusqlite::ErrorCode;

use crate::server::Unreadable;

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
    /// A file of the emulator is a symbolic link.
    #[error("{0} is a symbolic link; remove it, or choose another folder")]
    SymbolicLink(&'static str),
    /// The folder or a file in it cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database cannot be read or written.
    #[error("the database talk.sqlite: {0}")]
    Database(rusqlite::Error),
    /// A record in the database is invalid.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl DataError {
    /// Returns `true` if the same transaction may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull)
        )
    }
}

impl From<rusqlite::Error> for DataError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}
