//! Durable storage of a session.
//!
//! [`TalkOptions::store`](crate::TalkOptions::store) adds a store to a session. The session locks
//! and loads it before anything else, keeps its [outbox](crate::outbox) in it, and releases the lock
//! when it ends. Keys and values of records are opaque to the store.

#[cfg(feature = "store")]
mod database;
#[cfg(feature = "store")]
mod file;
mod key;
mod lease;
mod memory;

#[cfg(feature = "store")]
pub use file::FileStore;
pub use key::StoreKey;
pub use lease::Lease;
pub use memory::MemoryStore;
pub use talk_proto::storage::{Change, Record, StoreError};

use crate::transport::{BoxFuture, MaybeSend, MaybeSync};

/// A store of records. The value is a handle: the sessions of a process share it.
///
/// Each [`StoreKey`] has its own records. The futures borrow nothing, and may be dropped at any
/// time.
pub trait Store: MaybeSend + MaybeSync + 'static {
    /// Loads all records. Needs no lock.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] and [`StoreError::Io`].
    fn load(&self, key: &StoreKey) -> BoxFuture<'static, Result<Vec<Record>, StoreError>>;

    /// Applies all changes or none. They are durable when the future resolves: a crash of the
    /// process or of the machine does not lose them.
    ///
    /// The call itself puts the changes in order: a batch is applied before the batches of later
    /// calls, and also if its future is dropped.
    ///
    /// # Errors
    /// [`StoreError::Io`] if no change was applied.
    fn apply(
        &self,
        key: &StoreKey,
        changes: Vec<Change>,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Locks the records for one session. The lock ends with the [`Lease`] or with the process.
    ///
    /// # Errors
    /// [`StoreError::InUse`] at once if another session has the lock.
    fn lock(&self, key: &StoreKey) -> BoxFuture<'static, Result<Lease, StoreError>>;

    /// Deletes all records, for example at logout. No session may be active.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// The state of a session's store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreState {
    /// The session has no store. Its outbox lives in memory and is lost with the process.
    InMemory,
    /// The session waits for the lock, or loads the records.
    Opening,
    /// The store is in use, and the last write succeeded.
    Active,
    /// The last write failed, or was not complete when the session ended.
    Failing(StoreError),
    /// The session has ended, and everything is written.
    Closed,
}
