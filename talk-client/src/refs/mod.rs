//! Refs: IDs of entities with the calls that concern them.
//!
//! A ref is immutable and cheap to clone. Two refs with the same session and IDs are equal. The
//! entity need not exist.

mod conversation;
mod history;
mod message;
mod outbox_entry;
mod participant;
mod reactions;
mod send_file;
mod typing_guard;
mod user;

pub use self::conversation::ConversationRef;
pub use self::history::History;
pub use self::message::MessageRef;
pub use self::outbox_entry::OutboxEntry;
pub use self::participant::ParticipantRef;
pub use self::reactions::ReactionsRef;
pub use self::send_file::SendFileFuture;
pub use self::typing_guard::TypingGuard;
pub use self::user::UserRef;
