//! The state that handles and driver share.

mod call;
mod command;
mod command_queue;
mod shared;
mod termination;

pub use self::call::CallFuture;
pub(crate) use self::command::{Command, LocalId, ReplySender, Sleeper};
pub(crate) use self::shared::{Handle, Shared};
#[cfg(all(test, shuttle))]
pub(crate) use self::{command_queue::CommandQueue, termination::Termination};
