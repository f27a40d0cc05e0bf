//! The outbox: messages that are sent once, in order, across losses and restarts.
//!
//! [`Session::enqueue`](crate::Session::enqueue) accepts a message at any time. The entry is
//! stored, shown at once as [`pending`](crate::Window::pending) in the windows of its conversation,
//! and sent as soon as the connection allows. Entries of one conversation are sent one after the
//! other. An entry that is refused, too old, or whose outcome is unknown is [held](Stage::Held)
//! until the user decides. Files are uploaded while earlier entries wait.
//!
//! Without a store ([`Session::new`](crate::Session::new)) the outbox is kept only in memory,
//! and its entries are never [`durable`](Entry::durable). With one
//! ([`Session::restore`](crate::Session::restore)) no entry is sent before its state is stored.

mod candidate;
mod commands;
mod content;
mod echo;
mod entry;
mod file;
mod item;
mod lanes;
mod list;
mod machine;
mod normal_form;
mod options;
mod progress;
mod receipts;
mod record;
mod search;
mod send;
mod standby;
mod step;
mod upload;

pub(crate) use candidate::Candidate;
pub(crate) use content::{Content, FollowUp, OutgoingEntry};
pub use echo::Settled;
pub(crate) use echo::{Echo, EchoChange, Pending};
pub use entry::{Entry, HeldReason, Reference, Stage};
pub use file::{FileSource, OutboxFile, PendingFile};
pub(crate) use machine::{Outbox, OutboxOutput};
pub use options::{Enqueue, EntryAction, OnRefusal, OutboxOptions};
pub use receipts::Receipt;

pub use crate::model::EntryId;
