//! The durable store on the command line.

use std::fmt;
use std::path::PathBuf;

use talk_tokio::TalkOptions;
use talk_tokio::store::FileStore;

use crate::exit::CliError;

/// The value of `--store`.
#[derive(Clone)]
pub(crate) enum StoreAddress {
    File(PathBuf),
    /// The address of a database, which may contain a password.
    Postgres(String),
}

impl StoreAddress {
    /// Parses the value of `--store`.
    pub(crate) fn parse(value: &str) -> Result<Self, &'static str> {
        match value {
            "" => Err("the name of the file is empty"),
            address
                if address.starts_with("postgres://") || address.starts_with("postgresql://") =>
            {
                Ok(Self::Postgres(address.to_owned()))
            }
            file => Ok(Self::File(PathBuf::from(file))),
        }
    }

    /// Returns the store. It is opened at its first use.
    pub(crate) fn store(self) -> Result<SessionStore, CliError> {
        match self {
            Self::File(file) => Ok(SessionStore::File(FileStore::new(file))),
            Self::Postgres(address) => postgres(&address),
        }
    }
}

#[cfg(feature = "postgres")]
fn postgres(address: &str) -> Result<SessionStore, CliError> {
    let store = talk_postgres::PostgresStore::new(address)
        .map_err(|error| CliError::Usage(format!("--store: {error}")))?;
    Ok(SessionStore::Postgres(match std::env::var("PGPASSWORD") {
        Ok(password) => store.password(&password),
        Err(_) => store,
    }))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<SessionStore, CliError> {
    let reason = "--store: this build of talk does not support PostgreSQL; give a file";
    Err(CliError::Usage(reason.to_owned()))
}

/// The store of a session.
pub(crate) enum SessionStore {
    File(FileStore),
    #[cfg(feature = "postgres")]
    Postgres(talk_postgres::PostgresStore),
}

/// Adds the store to the options of a session. Without a store, adds an outbox in memory.
pub(crate) fn with_store(options: TalkOptions, store: Option<&SessionStore>) -> TalkOptions {
    match store {
        Some(SessionStore::File(store)) => options.store(store.clone()),
        #[cfg(feature = "postgres")]
        Some(SessionStore::Postgres(store)) => options.store(store.clone()),
        None => options.outbox(Default::default()),
    }
}

/// Hides the address of a database.
impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}
