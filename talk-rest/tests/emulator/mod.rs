//! Round trips of the calls with the emulator's pure server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod batches;
mod conversations;
mod lists;
mod messages;
mod users;
mod webhooks;
mod world;
