//! A durable consumer of new messages: each message is handled, across losses and restarts.
//!
//! [`Session::inbox`](crate::Session::inbox) opens an inbox under a name. The [`Inbox`] is a stream
//! of each message of other users in every conversation that the user is in, in the order of each
//! conversation, from the [start](InboxBuilder::start) of the inbox on. A message that is
//! [acknowledged](Delivery::ack) is done. All others are delivered again to the next inbox of this
//! name, so that each message is delivered **at least once**, and once per process.
//!
//! [`Delivery::reply`] stores the answer in the [outbox](crate::outbox) and acknowledges the
//! message in one step, so that each message is answered **once**, also if the process crashes.
//!
//! [`Inbox::run`] calls a function for each message: one after the other in each conversation,
//! several conversations at the same time, with retries.
//!
//! ```no_run
//! use talk_client::inbox::Delivery;
//!
//! # async fn answer(question: String) -> Result<String, std::io::Error> { Ok(question) }
//! # async fn example(session: talk_client::Session) -> Result<(), talk_client::Error> {
//! let inbox = session.inbox("support-bot").open().await?;
//! inbox
//!     .run(8, |delivery: Delivery| async move {
//!         let answer = answer(delivery.message.plaintext()).await?;
//!         delivery.reply(answer).await?;
//!         Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//!     })
//!     .await
//! # }
//! ```
//!
//! # With a store and without
//!
//! With a [store](crate::TalkOptions::store) the positions of an inbox survive the process.
//! **Without a store they live in memory**: the inbox delivers across losses of the connection, but
//! after a restart it begins at its start again. With [`InboxStart::Now`], messages that arrived
//! meanwhile are not delivered, and with the other starts, all are delivered again.

mod builder;
mod delivery;
mod lanes;
mod run;
mod run_options;
mod stream;

pub use self::builder::InboxBuilder;
pub use self::delivery::Delivery;
pub use self::run_options::{Failure, HandlerError, RunOptions};
pub use self::stream::Inbox;
pub use talk_proto::inbox::InboxStart;
