//! Hash maps whose order is the same in every run, and collections that keep nothing while they are
//! empty.
//!
//! Nothing may be decided by a hash map's order; the fixed hasher only makes a mistake repeatable.

/// A hash map with a fixed hasher.
#[allow(
    clippy::disallowed_types,
    reason = "this alias is the one allowed form"
)]
pub type HashMap<K, V> = std::collections::HashMap<K, V, rustc_hash::FxBuildHasher>;

/// A hash set with a fixed hasher.
#[allow(
    clippy::disallowed_types,
    reason = "this alias is the one allowed form"
)]
pub type HashSet<T> = std::collections::HashSet<T, rustc_hash::FxBuildHasher>;

/// Collections keep their room when they become empty, a map that of eleven entries. A process may
/// have thousands of sessions, of which most are quiet.
pub(crate) trait ReleaseMemory {
    /// Gives the memory back unless there is something in it.
    fn release_memory(&mut self);
}

impl<C: Default> ReleaseMemory for C
where
    for<'a> &'a C: IntoIterator,
{
    fn release_memory(&mut self) {
        if (&*self).into_iter().size_hint() == (0, Some(0)) {
            *self = Self::default();
        }
    }
}
