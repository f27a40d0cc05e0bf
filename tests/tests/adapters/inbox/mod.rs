//! Inboxes of sessions, with the emulator.

mod deliveries;
mod handlers;
mod restarts;
mod support;
