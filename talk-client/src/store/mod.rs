//! Durable storage of a session.
//!
//! [`TalkOptions::store`](crate::TalkOptions::store) adds a store to a session. The session locks
//! and loads the store before it connects, unless it is a [standby](crate::TalkOptions::standby).
//! It keeps its [outbox](crate::outbox) and the positions of its [inboxes](crate::inbox) in the
//! store, and releases the lock when it ends. Keys and values of records are opaque to the store.

#[cfg(feature = "store")]
mod database;
#[cfg(feature = "store")]
mod file;
mod interface;
mod key;
mod lease;
mod memory;

#[cfg(feature = "store")]
pub use file::FileStore;
pub use interface::Store;
pub use key::StoreKey;
pub use lease::Lease;
pub use memory::MemoryStore;
pub use talk_proto::storage::{Change, Record, StoreError};

/// The state of a session's store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreState {
    /// The session has no store. Its outbox and the positions of its inboxes are kept in memory,
    /// and are lost with the session.
    InMemory,
    /// The session waits for the lock, or loads the records.
    Opening,
    /// Another session has the lock. This session waits; see
    /// [`TalkOptions::standby`](crate::TalkOptions::standby).
    Standby,
    /// The store cannot be opened. The session tries again, as in [`Standby`](Self::Standby).
    Unavailable(StoreError),
    /// The session has lost the lock, and waits for it as in [`Standby`](Self::Standby).
    Lost,
    /// The store is in use, and the last write succeeded.
    Active,
    /// The last write failed, or was not complete when the session ended.
    Failing(StoreError),
    /// The session has ended, and everything is written.
    Closed,
}
