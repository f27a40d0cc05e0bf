//! Inboxes: durable consumers of new messages, for programs that answer.
//!
//! [`Session::open_inbox`](crate::Session::open_inbox) delivers every new message of other users at
//! least once, in the order of its conversation, and once per process. A
//! [`Delivery`] is acknowledged by [`Session::ack`](crate::Session::ack), or by
//! [`Session::reply`](crate::Session::reply), which puts the answer into the outbox in the same
//! write. Unacknowledged messages are delivered again after a restart.
//!
//! Without a store ([`Session::new`](crate::Session::new)) the positions live in memory: a restart
//! begins at the start of the options. With one ([`Session::restore`](crate::Session::restore)) an
//! inbox continues at its positions.
//!
//! The positions depend on the times and IDs of the server, and not on the read state of
//! conversations, which the messages of the user change. Imported messages from before the position
//! are not delivered.
//!
//! The conversations with traffic are subscribed, so that a message arrives with its event. The
//! messages of the others are read by page. Messages are read at most 10 s before their delivery,
//! so a message that was deleted earlier is skipped.
//!
//! A message that was out when the process ended uncleanly, three times within a minute, may be the
//! cause. It is delivered alone, after the messages of other conversations, until the process has
//! lived for a minute. In the minute after an unclean end, deliveries are stored before they are
//! reported.

mod consumer;
mod context;
mod conversation;
mod delivering;
mod delivery;
mod feeds;
mod inboxes;
mod live_messages;
mod news;
mod options;
mod position;
mod quarantine;
mod reading;
mod record;
mod scan;
mod scan_state;
mod turns;
mod walk;

pub(crate) use context::InboxOutput;
pub use delivery::{Delivery, DeliveryId, InboxEvent, InboxId};
pub(crate) use inboxes::Inboxes;
pub use options::{InboxOptions, InboxStart};
