//! The documented Data API. Each module covers a table or section of the documentation, and each
//! test a row. The tests use a client and an emulator over a real connection.
//!
//! Behaviour that depends on time, such as the ten seconds of typing, is tested in virtual time by
//! the two cores' own tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod contract;
mod conveniences;
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
mod whole_lists;
