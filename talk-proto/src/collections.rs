//! Hash maps whose order is the same in every run.
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
