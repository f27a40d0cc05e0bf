//! Events in lists of any length.

use std::hint::black_box;
use std::mem::forget;

use serde_json::Value;
use talk_proto::Topic;
use talk_proto::filter::ConversationFilter;

use crate::support::client::{Client, messages, participants};
use crate::support::frames::{self, publish};
use crate::support::server::Server;

/// A kind of event of a list, or of a reconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message to a conversation of a list, which moves to the front.
    Move,
    /// A message to a conversation of a list with a filter.
    MoveFiltered,
    /// The frames of [`Kind::Move`], decoded into [`Value`] and dropped.
    MoveValue,
    /// A change of a conversation that stays at its place.
    Edit,
    /// A new name of a participant.
    Participant,
    /// A new name of the sender of every eighth message.
    Frequent,
    /// A new name of the sender of one message.
    Rare,
    /// Changes in the middle of the messages.
    Middle,
    /// A reconnect with a conversation list.
    Reconnect,
    /// The answers of a reconnect, decoded into [`Value`] and dropped.
    ReconnectValue,
}

impl Kind {
    const ALL: [(Self, &str); 10] = [
        (Self::Move, "move"),
        (Self::MoveFiltered, "filtered"),
        (Self::MoveValue, "move_value"),
        (Self::Edit, "edit"),
        (Self::Participant, "participant"),
        (Self::Frequent, "frequent"),
        (Self::Rare, "rare"),
        (Self::Middle, "middle"),
        (Self::Reconnect, "reconnect"),
        (Self::ReconnectValue, "reconnect_value"),
    ];

    pub(crate) fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, other)| *other == name).map(|(kind, _)| *kind)
    }

    /// Loads a list of `count` items, creates `2 * frames` frames, and processes the first
    /// `received` of them, or reconnects that many times.
    pub(crate) fn run(self, count: u64, frames: u64, received: u64) {
        let mut client = self.client(count);
        if let Self::Reconnect | Self::ReconnectValue = self {
            self.reconnect(&mut client, received);
        } else {
            let publishes = self.publishes(count, 2 * frames);
            let received = publishes
                .iter()
                .take(usize::try_from(received).unwrap_or(usize::MAX));
            for frame in received {
                if self == Self::MoveValue {
                    drop(black_box(serde_json::from_str::<Value>(frame)));
                } else {
                    client.receive(frame);
                }
            }
        }
        // Dropping the loaded items is not part of an event.
        forget(client);
    }

    fn reconnect(self, client: &mut Client, times: u64) {
        // The server stores its answers to the first reconnect, and repeats them for later ones.
        client.server().remember_answers();
        client.reconnect();
        for _ in 0..times {
            if self == Self::Reconnect {
                client.reconnect();
            } else {
                for body in client.server().bodies() {
                    drop(black_box(serde_json::from_str::<Value>(body)));
                }
            }
        }
    }

    fn publishes(self, count: u64, frames: u64) -> Vec<String> {
        let numbers = 1..=frames;
        match self {
            Self::Edit => numbers
                .map(|k| publish(k, frames::edit_in_list(k, count)))
                .collect(),
            Self::Participant => numbers
                .map(|k| publish(k, frames::participant_renamed(k, count)))
                .collect(),
            Self::Frequent => numbers
                .map(|k| publish(k, frames::frequent_renamed(k)))
                .collect(),
            Self::Rare => numbers
                .map(|k| publish(k, frames::rare_renamed(k)))
                .collect(),
            Self::Middle => {
                let events = frames::in_the_middle(frames, count);
                numbers
                    .zip(events)
                    .map(|(k, event)| publish(k, [event]))
                    .collect()
            }
            _ => numbers
                .map(|k| publish(k, frames::message_in_list(k, count)))
                .collect(),
        }
    }

    /// Returns a client that shows the list.
    fn client(self, count: u64) -> Client {
        match self {
            Self::MoveValue => Client::connected(0),
            Self::Move | Self::Edit | Self::Reconnect | Self::ReconnectValue => {
                with_conversations(count, None)
            }
            Self::MoveFiltered => {
                let filter = r#"{"custom": {"category": ["oneOf", ["support", "sales"]]}}"#;
                with_conversations(count, serde_json::from_str(filter).ok())
            }
            Self::Participant => {
                let mut client = Client::connected_to(Server {
                    participants: count,
                    ..Server::default()
                });
                let id = client.subscribe(participants());
                client.load_pages(id, 10, 50, count);
                client
            }
            Self::Frequent | Self::Rare | Self::Middle => {
                let mut client = Client::connected(count);
                let id = client.subscribe(messages());
                client.load(id, count);
                client
            }
        }
    }
}

fn with_conversations(count: u64, filter: Option<ConversationFilter>) -> Client {
    let mut client = Client::connected_to(Server {
        conversations: count,
        ..Server::default()
    });
    let id = client.subscribe(Topic::Conversations { filter });
    client.load_pages(id, 20, 30, count);
    client
}
