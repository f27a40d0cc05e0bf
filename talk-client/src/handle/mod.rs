//! The state that handles and driver share.

mod call;
mod command;
mod end;
mod mailbox;
mod shared;

pub use self::call::CallFuture;
pub(crate) use self::command::{Answer, Command, Ticket};
pub(crate) use self::shared::{Handle, Shared};
#[cfg(all(test, shuttle))]
pub(crate) use self::{end::End, mailbox::Mailbox};
