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

use crate::input;
use crate::support::client::{Client, messages};
use crate::support::frames;

/// What is done with every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Text messages into a session that shows 30 messages.
    ApplyText,
    /// The same frames, read into [`Value`] and dropped.
    ValueText,
    /// The same frames, read into the types of this crate and dropped.
    TypedText,
    /// Every kind of event into a session that shows 30 messages.
    ApplyMix,
    /// The same frames, read into [`Value`] and dropped.
    ValueMix,
    /// Every kind of event into a session that shows this many messages.
    Loaded(u64),
    /// Text messages into a session with this many subscriptions to other conversations.
    Beside(u64),
    /// Reading a text of this many KiB, with all kinds of markup in it.
    Markup(u64),
    /// Reading a filter of this many alternatives, and bringing it into its normal form.
    Filter(u64),
    /// Taking the answer to a search that found this many conversations, in small pieces.
    Search(u64),
}

impl Work {
    /// How the work is named on the command line: a word, or a word and a number.
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
            _ => None,
        }
    }

    /// Makes `2 * frames` frames, and does the work with the first `heard` of them.
    pub(crate) fn run(self, frames: u64, heard: u64) {
        match self {
            Self::Markup(_) | Self::Filter(_) | Self::Search(_) => self.repeat(heard),
            _ => self.hear(frames, heard),
        }
    }

    /// Does the work with one long input, so many times.
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

    fn hear(self, frames: u64, heard: u64) {
        let loaded = match self {
            Self::Loaded(count) => count,
            _ => 30,
        };
        let event = match self {
            Self::ApplyMix | Self::ValueMix | Self::Loaded(_) => frames::any,
            _ => frames::created,
        };
        let publishes = frames::publishes(loaded, 2 * frames, event);
        let heard = publishes
            .iter()
            .take(usize::try_from(heard).unwrap_or(usize::MAX));
        match self {
            Self::ValueText | Self::ValueMix => heard.for_each(|frame| read::<Value>(frame)),
            Self::TypedText => heard.for_each(|frame| read::<(u64, &str, Created)>(frame)),
            _ => {
                let mut client = self.client(loaded);
                heard.for_each(|frame| client.hear(frame));
                // To let go of all that was loaded is no part of an event.
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

/// One event as a program would read it that needs only messages.
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
