//! The state that handles and driver share.

mod call;
mod command;
mod command_queue;
mod entry_slot;
mod inbox_command;
mod inbox_slot;
mod outbox_command;
mod shared;
mod termination;

pub use self::call::CallFuture;
pub(crate) use self::command::{Command, LocalId, ReplySender, Sleeper};
pub(crate) use self::entry_slot::{EntrySlot, EntryStatus};
pub(crate) use self::inbox_command::InboxCommand;
pub(crate) use self::inbox_slot::InboxSlot;
pub(crate) use self::outbox_command::OutboxCommand;
pub(crate) use self::shared::{Handle, Shared};
#[cfg(all(test, shuttle))]
pub(crate) use self::{command_queue::CommandQueue, termination::Termination};
