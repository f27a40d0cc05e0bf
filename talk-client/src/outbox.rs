//! Durable messages: sent once, in order, across losses and restarts.
//!
//! [`ConversationRef::enqueue`](crate::ConversationRef::enqueue) accepts a message at any time and
//! returns an [`OutboxEntry`]. The entry is stored, shown at once as
//! [`pending`](crate::Window::pending) in the windows of its conversation, and sent as soon as the
//! connection allows. Entries of one conversation are sent one after the other. An entry that is
//! refused, too old, or whose outcome is unknown is [held](Stage::Held) until the user decides.
//!
//! With a [store](crate::TalkOptions::store), entries survive the process: the next session of the
//! user sends them. Without one, [`TalkOptions::outbox`](crate::TalkOptions::outbox) keeps them in
//! memory, and they are lost with the session.

pub use crate::refs::OutboxEntry;
pub use talk_proto::model::EntryId;
pub use talk_proto::outbox::{
    Enqueue, Entry, HeldReason, OnRefusal, OutboxOptions, Reference, Settled, Stage,
};
