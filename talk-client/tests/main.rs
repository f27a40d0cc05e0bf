//! The tests of the client without a network.

// With this flag, futures belong to one thread.
#[cfg(not(talk_local_futures))]
mod auto_traits;
mod custom_transport;
mod file_store;
mod outbox;
mod support;
