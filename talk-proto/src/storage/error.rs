//! Failures of a store.

/// The failure of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another session uses the records of the app and user.
    #[error("the store is in use by another session: end that session, or try again later")]
    InUse,
    /// The content of the store cannot be read.
    #[error("the store cannot be read: {0}")]
    Unreadable(String),
    /// The store cannot be opened or written.
    #[error("the store cannot be opened or written: {0}")]
    Io(String),
    /// The lock was lost, for example because it was not renewed in time.
    #[error("the lock of the store was lost, and another session may use the store")]
    Lost,
    /// A shared session of the same app and user is active and has no store.
    #[error("a session of this user without a store is active: shut it down, or use a private one")]
    SharedWithoutStore,
}
