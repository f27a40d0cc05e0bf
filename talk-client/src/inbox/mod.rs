//! A durable consumer of new messages. It misses no message across connection losses and restarts.
//!
//! [`Session::inbox`](crate::Session::inbox) opens an inbox under a name. The [`Inbox`] is a stream
//! of the messages of other users in all conversations of the user. It begins at the
//! [start](InboxBuilder::start) of the inbox, and yields the messages of each conversation in
//! order. An open inbox delivers each message once. A message that is not
//! [acknowledged](Delivery::ack) is delivered again to the next inbox of this name, so that each
//! message is delivered **at least once**.
//!
//! [`Delivery::reply`] stores the answer in the [outbox](crate::outbox) and acknowledges the
//! message in one step, so that each message is answered **once**, even if the process crashes.
//!
//! [`Inbox::run`] calls a function for each message, and retries failures. Messages of one
//! conversation are handled one after the other, and several conversations at the same time.
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
//! With a [store](crate::TalkOptions::store), the positions of an inbox and its unsent answers
//! survive the process. **Without a store, they are kept in memory**: the inbox continues after a
//! connection loss, but begins at its start again after a restart of the process. With
//! [`InboxStart::Now`], messages that arrived while the process was not running are not delivered.
//! With the other starts, all messages are delivered again.

mod builder;
mod delivery;
mod lanes;
mod log;
mod run;
mod run_options;
mod stream;

pub use self::builder::InboxBuilder;
pub use self::delivery::Delivery;
pub use self::run_options::{Failure, HandlerError, RunOptions};
pub use self::stream::Inbox;
pub use talk_proto::inbox::InboxStart;
