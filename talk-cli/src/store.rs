//! The durable store on the command line.

use std::path::PathBuf;

use talk_tokio::TalkOptions;
use talk_tokio::store::FileStore;

/// Parses the value of `--store`.
pub(crate) fn store(value: &str) -> Result<PathBuf, &'static str> {
    match value {
        "" => Err("the name of the file is empty"),
        url if url.starts_with("postgres:") || url.starts_with("postgresql:") => {
            Err("stores on PostgreSQL are not supported yet; give a file")
        }
        file => Ok(PathBuf::from(file)),
    }
}

/// Adds the store to the options of a session.
pub(crate) fn with_store(options: TalkOptions, store: Option<&PathBuf>) -> TalkOptions {
    match store {
        Some(file) => options.store(FileStore::new(file)),
        None => options.outbox(Default::default()),
    }
}
