//! The objects of the REST API and of webhooks.

mod conversation;
mod markup;
mod message;
mod user;

pub(super) use conversation::{ConversationView, UserConversationView};
pub(super) use message::MessageView;
pub(super) use user::UserView;
