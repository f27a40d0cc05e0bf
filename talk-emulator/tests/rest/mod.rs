//! The REST API of the pure server, and its events to connected clients, in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

mod auth;
mod batch;
mod conversation_lists;
mod conversations;
mod import;
mod messages;
mod participants;
mod presences;
mod routing;
mod users;
mod webhook_delivery;
mod webhook_events;
mod webhook_faults;
mod webhook_notifications;
