//! The data of a chat: what the server tells, what callers set, what snapshots show.

mod conversation;
mod custom;
mod id;
mod message;
mod participant;
mod patch;
mod reaction;
mod reactions;
mod typing;
mod unknown_name;
mod user;
mod user_params;

pub use conversation::{
    ConversationDiff, ConversationParams, ConversationSnapshot, Side, SideDiff,
};
pub use custom::Custom;
pub use id::{AppId, ConversationId, Emoji, EmptyId, MessageId, UserId};
pub use message::{
    Message, MessageDiff, MessageSnapshot, MessageType, Origin, ReferencedMessageSnapshot,
};
pub use participant::{
    Access, Notify, Participant, ParticipantDiff, ParticipantParams, ParticipantSnapshot,
};
pub use patch::{CustomPatch, Patch};
pub use reaction::{
    Reaction, ReactionCount, ReactionCountDiff, ReactionSnapshot, ReactionsSummary,
};
pub use reactions::Reactions;
pub use typing::{Online, OnlineSnapshot, Typing, TypingDiff, TypingSnapshot};
pub use unknown_name::UnknownName;
pub use user::{DEFAULT_ROLE, User, UserDiff};
pub use user_params::{OneOrMany, UserParams};
