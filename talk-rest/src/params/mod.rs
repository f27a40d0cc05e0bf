//! The bodies of requests.
//!
//! A [`Patch`](talk_proto::model::Patch) is absent (`Keep`), `null` (`Reset`) or a value (`Set`).
//! `Debug` shows which members are set, and no values.

mod conversation;
mod custom;
mod message;
mod participant;
mod user;

pub use conversation::ConversationParams;
pub use message::{EditMessage, ImportedMessage, NewMessage};
pub use participant::{ParticipantParams, ParticipantPatch, ReadUntil};
pub use user::UserParams;
