//! Common complaints of users of chat SDKs, tested in virtual time. `tests/COMPLAINTS.md` lists
//! them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod chat;
mod leaks;
mod reconnect;
mod sends;
mod snapshots;
mod teardown;
mod tokens;
