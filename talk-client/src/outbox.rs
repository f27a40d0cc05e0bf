//! Durable messages: sent once and in order, across connection losses and restarts.
//!
//! [`ConversationRef::enqueue`](crate::ConversationRef::enqueue) accepts a message at any time and
//! returns an [`OutboxEntry`]. The entry is stored, is visible at once as
//! [`pending`](crate::Window::pending) in the windows of its conversation, and is sent as soon as
//! the session is connected. Entries of one conversation are sent one after the other. An entry
//! that was refused, is too old, could not be stored, or has an unknown outcome is
//! [held](Stage::Held) until the application retries, edits or discards it.
//!
//! A message may have files, from [`file_at`] or [`file_of_bytes`]. They are uploaded while their
//! message still waits for earlier ones. A later process repeats an interrupted upload.
//!
//! With a [store](crate::TalkOptions::store), entries survive the process: the next session of the
//! user sends them. Without one, [`TalkOptions::outbox`](crate::TalkOptions::outbox) keeps them in
//! memory, and they are lost with the session.

pub use crate::refs::OutboxEntry;
pub use crate::upload::queued::{file_at, file_of_bytes};
pub use talk_proto::model::EntryId;
pub use talk_proto::outbox::{
    Enqueue, Entry, FileSource, HeldReason, OnRefusal, OutboxFile, OutboxOptions, PendingFile,
    Reference, Settled, Stage,
};
