//! The outbox of the client, with a store and without one, against the emulator.

#![allow(clippy::unwrap_used, clippy::panic)]

mod entries;
mod opening;
mod restarts;
mod standby;
mod support;
