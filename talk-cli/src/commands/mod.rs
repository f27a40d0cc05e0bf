//! Commands for interactive use and scripts, each with its own session.

mod app;
mod conversation;
mod conversations;
mod fields;
mod list_diff;
mod message;
mod message_log;
mod messages;
mod outbox;
mod participant;
mod reaction;
mod search;
mod send;
mod token;
mod upload;
mod user;

pub(crate) use app::{report_lost_messages, report_problems, report_store};
pub(crate) use conversation::{Options as ConversationOptions, run_conversation};
pub(crate) use conversations::{Options as ConversationsOptions, run_conversations};
pub(crate) use message::{Options as MessageOptions, run_message};
pub(crate) use messages::{Options as MessagesOptions, run_messages};
pub(crate) use outbox::{Options as OutboxOptions, run_outbox};
pub(crate) use participant::{Options as ParticipantOptions, run_participant};
pub(crate) use reaction::{Options as ReactionOptions, run_reaction};
pub(crate) use search::{Options as SearchOptions, filter, run_search};
pub(crate) use send::{Options as SendOptions, run_send};
pub(crate) use token::{Options as TokenOptions, run_token};
pub(crate) use upload::{Options as UploadOptions, run_upload};
pub(crate) use user::{Options as UserOptions, run_user};
