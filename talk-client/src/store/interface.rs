//! The interface of a store.

use talk_proto::storage::{Change, Record, StoreError};

use super::key::StoreKey;
use super::lease::Lease;
use crate::transport::{BoxFuture, MaybeSend, MaybeSync};

/// A durable store of records. The value is a handle that the sessions of a process share.
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
    /// Batches are applied in the order of the calls. A batch is applied even if its future is
    /// dropped.
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

    /// Deletes all records, for example at logout. Call it only while no session uses the records.
    ///
    /// # Errors
    /// [`StoreError::Io`], or [`StoreError::InUse`] from stores that know of a lock elsewhere.
    fn clear(&self, key: &StoreKey) -> BoxFuture<'static, Result<(), StoreError>>;
}
