//! The pieces of work whose instructions are counted.

use std::hint::black_box;

use serde::Deserialize;
use serde_json::Value;
use talk_proto::{
    Topic,
    content::{MarkupSource, parse_markup},
    filter::ConversationFilter,
    model::{MessageId, MessageSnapshot},
};

use crate::durable::Start;
use crate::input;
use crate::lists::Kind;
use crate::support::client::{Client, messages};
use crate::support::frames;

/// The work on every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Text messages into a session that shows 30 messages.
    ApplyText,
    /// Reads frames with text messages into [`Value`] and drops them.
    ValueText,
    /// Reads frames with text messages into the types of this crate and drops them.
    TypedText,
    /// Every kind of event into a session that shows 30 messages.
    ApplyMix,
    /// Reads frames with every kind of event into [`Value`] and drops them.
    ValueMix,
    /// Every kind of event into a session that shows this many messages.
    Loaded(u64),
    /// Text messages into a session with this many subscriptions to other conversations.
    Beside(u64),
    /// Parses this many KiB of text with all kinds of markup.
    Markup(u64),
    /// Reads and normalises a filter with this many alternatives.
    Filter(u64),
    /// Handles a search response with this many conversations in small parts.
    Search(u64),
    /// Events of a list of this many items.
    List(Kind, u64),
    /// Messages into an outbox with this many entries.
    Enqueue(u64),
    /// Starts from records, with this many entries or conversations.
    Start(Start, u64),
}

impl Work {
    /// Returns the name of the work on the command line, with its number if it has one.
    pub(crate) fn name(self) -> String {
        match self {
            Self::ApplyText => "apply-text".to_owned(),
            Self::ValueText => "value-text".to_owned(),
            Self::TypedText => "typed-text".to_owned(),
            Self::ApplyMix => "apply-mix".to_owned(),
            Self::ValueMix => "value-mix".to_owned(),
            Self::Loaded(count) => format!("loaded-{count}"),
            Self::Beside(count) => format!("beside-{count}"),
            Self::Markup(kib) => format!("markup-{kib}"),
            Self::Filter(count) => format!("filter-{count}"),
            Self::Search(count) => format!("search-{count}"),
            Self::List(kind, count) => format!("{}-{count}", kind.name()),
            Self::Enqueue(count) => format!("enqueue-{count}"),
            Self::Start(start, count) => format!("{}-{count}", start.name()),
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let fixed = [
            Self::ApplyText,
            Self::ValueText,
            Self::TypedText,
            Self::ApplyMix,
            Self::ValueMix,
        ];
        if let Some(work) = fixed.into_iter().find(|work| work.name() == name) {
            return Some(work);
        }
        let (kind, count) = name.split_once('-')?;
        let count = count.parse().ok()?;
        match kind {
            "loaded" => Some(Self::Loaded(count)),
            "beside" => Some(Self::Beside(count)),
            "markup" => Some(Self::Markup(count)),
            "filter" => Some(Self::Filter(count)),
            "search" => Some(Self::Search(count)),
            "enqueue" => Some(Self::Enqueue(count)),
            _ => match Start::parse(kind) {
                Some(start) => Some(Self::Start(start, count)),
                None => Some(Self::List(Kind::parse(kind)?, count)),
            },
        }
    }

    /// Creates `2 * frames` frames, and processes the first `received` of them.
    pub(crate) fn run(self, frames: u64, received: u64) {
        match self {
            Self::Markup(_) | Self::Filter(_) | Self::Search(_) => self.repeat(received),
            Self::List(kind, count) => kind.run(count, frames, received),
            Self::Enqueue(count) => {
                let mut client = Client::queueing(count);
                client.queue(received);
                // Dropping the entries is not part of a message's cost.
                std::mem::forget(client);
            }
            Self::Start(start, count) => start.run(count, received),
            _ => self.receive(frames, received),
        }
    }

    /// Processes one long input this number of times.
    fn repeat(self, times: u64) {
        let input = input::of(self);
        let mut searcher = Client::connected(0);
        for _ in 0..times {
            match self {
                Self::Filter(_) => {
                    let filter = serde_json::from_str::<ConversationFilter>(&input);
                    drop(black_box(filter.expect("a filter").normalized()));
                }
                Self::Search(_) => searcher.search(&input),
                _ => drop(black_box(parse_markup(&input, MarkupSource::Send))),
            }
        }
    }

    fn receive(self, frames: u64, received: u64) {
        let loaded = match self {
            Self::Loaded(count) => count,
            _ => 30,
        };
        let event = match self {
            Self::ApplyMix | Self::ValueMix | Self::Loaded(_) => frames::any,
            _ => frames::created,
        };
        let publishes = frames::publishes(loaded, 2 * frames, event);
        let received = publishes
            .iter()
            .take(usize::try_from(received).unwrap_or(usize::MAX));
        match self {
            Self::ValueText | Self::ValueMix => received.for_each(|frame| read::<Value>(frame)),
            Self::TypedText => received.for_each(|frame| read::<(u64, &str, Created)>(frame)),
            _ => {
                let mut client = self.client(loaded);
                received.for_each(|frame| client.receive(frame));
                // Dropping the loaded data is not part of an event's cost.
                std::mem::forget(client);
            }
        }
    }

    fn client(self, loaded: u64) -> Client {
        let mut client = Client::connected(loaded);
        let id = client.subscribe(messages());
        client.load(id, loaded);
        if let Self::Beside(count) = self {
            for n in 0..count {
                let name = format!("other_{n:05}");
                let conversation = name.try_into().expect("an ID");
                client.subscribe(Topic::Messages { conversation });
            }
        }
        client
    }
}

/// An event with only the members that a program for messages needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the reading of it counts")]
struct Created {
    #[serde(rename = "type")]
    kind: String,
    conversation_id: String,
    message_id: MessageId,
    state: MessageSnapshot,
}

fn read<'a, T: Deserialize<'a>>(frame: &'a str) {
    drop(black_box(serde_json::from_str::<T>(frame)));
}
