//! Code that the benchmarks of the core share.

#![allow(
    dead_code,
    clippy::expect_used,
    reason = "each benchmark needs a part of it, and one that cannot be set up has to stop"
)]

pub(crate) mod backlog;
pub(crate) mod client;
mod consumer;
pub(crate) mod frames;
pub(crate) mod server;
pub(crate) mod store;
pub(crate) mod table;
