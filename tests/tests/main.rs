//! The suites that need no process of their own.

mod adapters;
mod complaints;
mod cut_sends;
mod differential;
mod documented;
mod event_loops;
mod inspector;
mod interop;
mod interop_both;
mod interop_texts;
mod interop_uploads;
mod outbox;
mod paced_sends;
mod rest_client;
mod ui;
mod uploads;
