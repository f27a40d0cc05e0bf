//! The data of a chat: users, conversations, participants, messages, and their updates.

mod conversation;
mod custom;
mod id;
mod message;
mod participant;
mod patch;
mod reaction;
#[cfg(test)]
mod tests;
mod typing;
mod unknown_name;
mod user;
mod user_params;

pub(crate) use conversation::{ConversationDiff, ReadStateDiff};
pub use conversation::{ConversationParams, ConversationSnapshot};
pub use custom::Custom;
pub use id::{AppId, ConversationId, Emoji, EmptyId, EntryId, MessageId, UserId};
pub(crate) use message::MessageDiff;
pub use message::{MessageSnapshot, MessageType, Origin};
pub use participant::{Access, Notify, ParticipantParams, ParticipantSnapshot};
pub(crate) use participant::{Participant, ParticipantDiff};
pub use patch::{CustomPatch, Patch};
pub(crate) use reaction::Reaction;
pub use reaction::{ReactionCount, ReactionSnapshot, Reactions, ReactionsSummary};
pub(crate) use typing::{Online, Typing, TypingDiff};
pub use typing::{OnlineSnapshot, TypingSnapshot};
pub use unknown_name::UnknownName;
pub(crate) use user::UserDiff;
pub use user::{DEFAULT_ROLE, User};
pub use user_params::{OneOrMany, UserParams};
