//! The cache: the last windows of lists, shown until the server has answered.
//!
//! A session with a store and [`SessionOptions::cache`](crate::SessionOptions::cache) stores the
//! newest items of the lists of messages and conversations that it shows. The next session shows
//! them at once, marked as [`Freshness::Cached`], also without a connection. The first window from
//! the server replaces them in one update, and covers at least the same range unless the two do not
//! overlap. Items that are equal keep their allocation.
//!
//! The cache keeps at most 30 conversations of a list, 50 messages of a conversation, and the
//! messages of 30 conversations. It contains neither typing users nor the online status of users,
//! and a cached window is never [complete](crate::Window::loaded_all).

mod freshness;
mod items;
mod machine;
mod record;

pub(crate) use freshness::CachedAt;
pub use freshness::Freshness;
pub(crate) use items::CachedItems;
pub(crate) use machine::Cache;
pub(crate) use record::is_cache_key;
