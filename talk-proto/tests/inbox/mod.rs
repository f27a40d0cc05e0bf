//! Inboxes in virtual time, against a server with conversations and a store in memory.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod bench;

mod acks;
mod commands;
mod failures;
mod fairness;
mod joins;
mod live_messages;
mod property;
mod quarantine;
mod reading;
mod replies;
mod scans;
mod standby;
mod start;
