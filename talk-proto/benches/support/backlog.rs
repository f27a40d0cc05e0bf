//! Messages that arrived while an inbox was not running.

use serde_json::Value;
use talk_proto::storage::Record;

use super::client::Client;
use super::frames::{self, message_at};
use super::server::{Server, page};

/// Conversations with messages. The first message of each one is older than the inbox.
pub(crate) struct Backlog {
    pub(crate) conversations: u64,
    /// The number of missed messages in each conversation.
    pub(crate) missed: u64,
}

impl Backlog {
    /// Returns the body of the answer to a request for conversations or their messages.
    pub(super) fn body(&self, path: &[&str], query: &Value) -> Option<Value> {
        match path {
            ["me", "conversations"] => {
                Some(page(query, self.conversations, |n| self.conversation(n)))
            }
            ["me", "conversations", id] => Some(self.conversation(number(id)?)),
            ["me", "conversations", id, "messages"] => {
                let conversation = number(id)?;
                let message = |n| message(conversation, n);
                Some(page(query, 1 + self.missed, message))
            }
            _ => None,
        }
    }

    fn conversation(&self, n: u64) -> Value {
        let mut conversation = frames::listed(n);
        conversation["id"] = format!("missed_{n:05}").into();
        conversation["lastMessageAt"] = message_at(self.missed).into();
        conversation["readUntil"] = message_at(0).into();
        conversation["unreadMessageCount"] = self.missed.into();
        conversation["isUnread"] = (self.missed > 0).into();
        conversation
    }
}

/// Returns the number in the ID of a conversation.
fn number(id: &str) -> Option<u64> {
    id.strip_prefix("missed_")?.parse().ok()
}

fn message(conversation: u64, n: u64) -> Value {
    let mut message = frames::message(n + 1);
    message["id"] = format!("msg_{conversation:05}_{n:014}").into();
    message["createdAt"] = message_at(n).into();
    message
}

/// Returns the records of an inbox that was opened and closed before the missed messages of
/// `backlog`.
pub(crate) fn records(backlog: &Backlog) -> Vec<Record> {
    let mut client = Client::restored(
        Server {
            backlog: Some(Backlog {
                conversations: backlog.conversations,
                missed: 0,
            }),
            ..Server::default()
        },
        &[],
    );
    client.keep_records();
    let inbox = client.open_inbox();
    client.close_inbox(inbox);
    client.records()
}

impl Client {
    /// Starts an inbox with these records, and handles all missed messages.
    pub(crate) fn catch_up(server: Server, records: &[Record]) -> Self {
        let backlog = server.backlog.as_ref();
        let missed = backlog.map_or(0, |backlog| backlog.conversations * backlog.missed);
        let mut client = Self::restored(server, records);
        client.open_inbox();
        client.consume(missed);
        client
    }

    /// Starts an inbox with these records whose consumer acknowledges nothing.
    pub(crate) fn stalled(backlog: Backlog, records: &[Record]) -> Self {
        let server = Server {
            backlog: Some(backlog),
            ..Server::default()
        };
        let mut client = Self::restored(server, records);
        client.stall();
        client.open_inbox();
        client
    }
}
