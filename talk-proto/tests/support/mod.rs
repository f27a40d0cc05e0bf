//! A session in virtual time, against a scripted server. The invariants are checked at every step.
//!
//! The [`World`] is a driver without I/O: it drains the session after every input, simulates the
//! network and the server, and advances the time to the next event.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

pub(crate) mod data;
pub(crate) mod form;
pub(crate) mod found;
pub(crate) mod history;
pub(crate) mod inbox_server;
mod inboxes;
mod invariants;
pub(crate) mod junk;
mod log;
mod mail;
mod over_http;
pub(crate) mod script;
pub(crate) mod store;
mod transcript;
mod world;
pub(crate) mod written;

use std::time::Duration;

pub(crate) use invariants::Invariants;
pub(crate) use log::{HttpAsked, Request, SocketLog};
pub(crate) use script::{Answer, Network, Script, TokenSource};
use talk_proto::{
    Addresses, Call, Pacing, SessionOptions, Timestamp,
    command::SendMessage,
    model::{ConversationId, MessageId, UserId},
};
pub(crate) use transcript::Transcript;
pub(crate) use world::World;

/// The start time of a world.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Returns the options of alice with a token callback and the address of an emulator.
pub(crate) fn options() -> SessionOptions {
    let mut options = SessionOptions::new("app".try_into().unwrap(), "alice".try_into().unwrap());
    options.addresses = Addresses::of_host("127.0.0.1:4000");
    options.authentication.can_fetch_token = true;
    options
}

/// Returns the options without pacing.
pub(crate) fn unpaced() -> SessionOptions {
    let mut options = options();
    options.pacing = Pacing::Off;
    options
}

pub(crate) fn conversation(id: &str) -> ConversationId {
    id.try_into().unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    id.try_into().unwrap()
}

pub(crate) fn message(id: &str) -> MessageId {
    id.try_into().unwrap()
}

/// Returns a call that sends `text` to conversation `to`.
pub(crate) fn send(to: &str, text: &str) -> Call {
    Call::SendMessage {
        conversation: conversation(to),
        message: SendMessage::text(text),
    }
}

/// Returns a call without data.
pub(crate) fn mark_as_read(id: &str) -> Call {
    Call::MarkAsRead {
        conversation: conversation(id),
    }
}
