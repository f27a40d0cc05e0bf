//! The lock of a store.

use std::fmt;

use crate::transport::MaybeSend;

/// The lock of the records of one session. Dropping it releases the lock.
#[must_use = "dropping a lease releases the lock"]
pub struct Lease(#[expect(dead_code, reason = "held until dropped")] Box<dyn Guard>);

/// A value that releases the lock on drop.
trait Guard: MaybeSend {}

impl<G: MaybeSend> Guard for G {}

impl Lease {
    /// Creates a lease that lasts until `guard` is dropped.
    pub fn new(guard: impl MaybeSend + 'static) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
