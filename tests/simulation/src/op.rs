//! The operations of a run: commands of users, and faults.

use serde::{Deserialize, Serialize};

use super::bots::people::PeopleCommand;
use super::fault_kind::FaultKind;
use super::phase::Phase;

/// An operation. A list of these and the seed of a world determine a whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Op {
    /// The pause before the operation, in milliseconds.
    pub after_ms: u32,
    /// The session that the operation concerns.
    pub session: usize,
    /// The kind of the operation.
    pub kind: OpKind,
    /// The seed for the details.
    pub details: u32,
}

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// Executes a user's command.
    Command(Command),
    /// Injects a fault once the session is in this phase, or after a while in any phase.
    Fault(FaultKind, Phase),
    /// Ends all faults and compares all sessions with the server.
    Quiesce,
    /// Does the same as `Quiesce`; then one session unsubscribes from everything and must become
    /// idle.
    Leave,
    /// Gives a store and an outbox to every session.
    AddStores,
    /// Executes a command of the people in a world of bots.
    People(PeopleCommand),
}

/// A command of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are the calls of the API")]
pub enum Command {
    Send,
    SendMany,
    Reply,
    SendFile,
    EditMessage,
    DeleteMessage,
    AddReaction,
    RemoveReaction,
    MarkAsRead,
    MarkAsUnread,
    MarkAsTyping,
    CreateConversation,
    SetConversation,
    CreateUser,
    SetUser,
    CreateParticipant,
    SetParticipant,
    EditParticipant,
    DeleteParticipant,
    Get,
    Translate,
    Subscribe,
    Unsubscribe,
    LoadMore,
    Cancel,
    SetToken,
    NetworkChanged,
    Release,
    Search,
    SearchMore,
    EndSearch,
    Upload,
    Enqueue,
    EnqueueReply,
    ChangeEntry,
    RetryAll,
    Pause,
    Resume,
}

/// The commands of outboxes, with their weights.
pub const OUTBOX_COMMANDS: [(u32, Command); 6] = [
    (16, Command::Enqueue),
    (4, Command::EnqueueReply),
    (6, Command::ChangeEntry),
    (1, Command::RetryAll),
    (1, Command::Pause),
    (2, Command::Resume),
];

/// The other commands with their weights.
pub const COMMANDS: [(u32, Command); 32] = [
    (22, Command::Send),
    (4, Command::SendMany),
    (5, Command::Reply),
    (2, Command::SendFile),
    (6, Command::EditMessage),
    (3, Command::DeleteMessage),
    (8, Command::AddReaction),
    (4, Command::RemoveReaction),
    (4, Command::MarkAsRead),
    (2, Command::MarkAsUnread),
    (4, Command::MarkAsTyping),
    (2, Command::CreateConversation),
    (4, Command::SetConversation),
    (2, Command::CreateUser),
    (4, Command::SetUser),
    (2, Command::CreateParticipant),
    (4, Command::SetParticipant),
    (3, Command::EditParticipant),
    (3, Command::DeleteParticipant),
    (6, Command::Get),
    (1, Command::Translate),
    (12, Command::Subscribe),
    (8, Command::Unsubscribe),
    (6, Command::LoadMore),
    (3, Command::Cancel),
    (1, Command::SetToken),
    (1, Command::NetworkChanged),
    (1, Command::Release),
    (2, Command::Search),
    (2, Command::SearchMore),
    (1, Command::EndSearch),
    (2, Command::Upload),
];
