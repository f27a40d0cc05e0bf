//! Hash maps with the same order in every run, and the release of memory by empty collections.
//!
//! No behaviour may depend on the order of a hash map. The fixed hasher makes a violation
//! repeatable.

/// A hash map with a fixed hasher.
#[allow(
    clippy::disallowed_types,
    reason = "this alias is the one allowed form"
)]
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, rustc_hash::FxBuildHasher>;

/// A hash set with a fixed hasher.
#[allow(
    clippy::disallowed_types,
    reason = "this alias is the one allowed form"
)]
pub(crate) type HashSet<T> = std::collections::HashSet<T, rustc_hash::FxBuildHasher>;

/// A collection that can release its memory. Standard collections keep their capacity when they
/// become empty, and a process may have thousands of sessions that are mostly idle.
pub(crate) trait ReleaseMemory {
    /// Releases the memory of the collection if it is empty.
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
