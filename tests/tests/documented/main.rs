//! The documented Data API, row by row: each module is a table of the documentation or a section of
//! it, and each test a row. A client and an emulator stand at the ends of a real connection.
//!
//! What needs the clock, such as the ten seconds of typing, is proved in virtual time by the tests
//! of the two cores.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod contract;
mod conversation_ref;
mod message_ref;
mod participant_ref;
mod permission_switches;
mod reactions_ref;
mod rejections;
mod search;
mod sending;
mod session;
mod subscriptions;
mod support;
mod typing;
mod user_ref;
