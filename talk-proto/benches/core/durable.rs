//! The start of a session from its records: its outbox, or an inbox with missed messages.

use std::hint::black_box;
use std::mem::{forget, take};

use serde_json::Value;
use talk_proto::storage::Record;

use crate::support::backlog::{self, Backlog};
use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::store;

/// The number of missed messages of an inbox.
pub(crate) const MISSED: u64 = 10_000;

/// A kind of start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A session with entries in its outbox.
    Outbox,
    /// The records of [`Start::Outbox`], decoded into [`Value`] and dropped.
    OutboxValue,
    /// An inbox with [`MISSED`] messages in some conversations.
    Inbox,
    /// The answers of [`Start::Inbox`], each decoded once into [`Value`] and dropped.
    InboxValue,
}

impl Start {
    const ALL: [(Self, &str); 4] = [
        (Self::Outbox, "outbox"),
        (Self::OutboxValue, "outbox_value"),
        (Self::Inbox, "inbox"),
        (Self::InboxValue, "inbox_value"),
    ];

    pub(crate) fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(start, _)| *start == self)
            .map_or("", |(_, name)| name)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, other)| *other == name)
            .map(|(start, _)| *start)
    }

    /// Starts this number of sessions one after the other, with `count` entries or conversations.
    pub(crate) fn run(self, count: u64, times: u64) {
        match self {
            Self::Outbox | Self::OutboxValue => self.restore(count, times),
            Self::Inbox | Self::InboxValue => self.catch_up(count, times),
        }
    }

    fn restore(self, entries: u64, times: u64) {
        let records = store::entries(entries);
        for _ in 0..times {
            if self == Self::Outbox {
                // Dropping the entries is not part of a start.
                forget(Client::restored(Server::default(), &records));
            } else {
                read(records.iter().map(|record| record.value.as_str()));
            }
        }
    }

    fn catch_up(self, conversations: u64, times: u64) {
        let backlog = Backlog {
            conversations,
            missed: MISSED / conversations,
        };
        let records = backlog::records(&backlog);
        let mut server = Server {
            backlog: Some(backlog),
            ..Server::default()
        };
        // The server stores its answers at the first start, and repeats them for later ones.
        server.remember_answers();
        let mut server = catch_up(server, &records);
        for _ in 0..times {
            if self == Self::Inbox {
                server = catch_up(server, &records);
            } else {
                read(server.bodies());
            }
        }
    }
}

/// Handles all missed messages and returns the server.
fn catch_up(server: Server, records: &[Record]) -> Server {
    let mut client = Client::catch_up(server, records);
    take(client.server())
}

fn read<'a>(texts: impl Iterator<Item = &'a str>) {
    for text in texts {
        drop(black_box(serde_json::from_str::<Value>(text)));
    }
}
