//! The objects in answers and webhooks.
//!
//! Every type keeps the members that this version does not know. Only IDs are required: the service
//! has added members over time, and old apps may not have all of them. `null` and an absent member
//! are equal.

mod app;
mod conversation;
mod message;
mod participant;
mod presence;
mod user;

pub use app::App;
pub use conversation::Conversation;
pub use message::{Attachment, Message, MessageReactions, Reactor, SentMessage};
pub use participant::{Access, ConversationParticipant};
pub use presence::{Presence, Presences, Widget};
pub use user::{User, UserSession};
