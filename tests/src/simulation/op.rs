//! What happens in a life: what people do, and what goes wrong.

use serde::{Deserialize, Serialize};

use super::fault_kind::FaultKind;
use super::phase::Phase;

/// One thing that is done. Together with the seed of its world, a list of these is a whole life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Op {
    /// How long nothing was done before, in milliseconds.
    pub after_ms: u32,
    /// Which session does it, or meets it.
    pub session: usize,
    /// What.
    pub kind: OpKind,
    /// Decides the details.
    pub details: u32,
}

/// The kinds of what is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// Somebody does something.
    Command(Command),
    /// Something goes wrong once the session is in this phase, or after a while in any.
    Fault(FaultKind, Phase),
    /// Everything becomes well, and is compared.
    Quiesce,
    /// The same, then one session wants nothing any more and must become idle.
    Leave,
}

/// What people do.
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
}

/// How often people do what, out of the sum.
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
