//! The outbox in virtual time, against a scripted server and a store in memory.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod bench;

mod caps;
mod echoes;
mod edits;
mod entries;
mod key_lifetime;
mod order;
mod retries;
mod standby;
mod storage;
mod topic;
mod uploads;
