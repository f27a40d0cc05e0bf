//! The pure server, frame by frame and in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

pub(crate) mod support;

mod access;
mod conversations;
mod faults;
mod filters;
mod garbage;
mod http;
mod inspector;
mod messages;
mod mirror;
mod participants;
mod reactions;
mod read_state;
mod reads;
mod restore;
mod search;
mod seed;
mod sessions;
mod snapshots;
mod translate;
mod typing;
mod users;
