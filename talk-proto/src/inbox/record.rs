//! The records of inboxes: one for the start, and one for the position of each conversation.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::position::Position;
use super::quarantine::Run;
use crate::model::{ConversationId, MessageId};
use crate::storage::{Record, StorageEvent, versioned};
use crate::timestamp::Timestamp;
use crate::wire::path::path;

/// The prefix of the keys of starts and positions.
const PREFIX: &str = "inbox/";
/// The prefix of the keys of runs and their deliveries.
const RUN_PREFIX: &str = "inbox-run/";

/// The start of an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    /// The earliest time of a message, in conversations that the user was in.
    pub(super) from: Timestamp,
    /// The server time at the start. The user joins other conversations later.
    pub(super) began: Timestamp,
    /// The low-water mark: all conversations with messages before this time are known.
    pub(super) mark: Timestamp,
}

/// The position of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedPosition {
    pub(super) from: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) seen: Vec<MessageId>,
    /// Messages after the position that are acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) acked: Vec<MessageId>,
    /// Set if the conversation has messages after the position.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) behind: bool,
}

impl SavedPosition {
    pub(super) fn position(&self) -> Position {
        Position {
            from: self.from,
            seen: self.seen.clone(),
        }
    }
}

/// The records of one inbox.
#[derive(Default)]
pub(super) struct Saved {
    pub(super) start: Option<Start>,
    /// Set if the start is in the store.
    pub(super) is_stored: bool,
    pub(super) positions: BTreeMap<ConversationId, SavedPosition>,
    pub(super) run: Run,
    /// Set if a record cannot be read.
    pub(super) is_unreadable: bool,
}

pub(super) fn start_key(name: &str) -> String {
    path(&[PREFIX, name])
}

/// Returns the key of a run, or of a message that it has delivered.
pub(super) fn run_key(name: &str, message: Option<&MessageId>) -> String {
    match message {
        None => path(&[RUN_PREFIX, name]),
        Some(message) => path(&[RUN_PREFIX, name, "/", message.as_str()]),
    }
}

pub(super) fn position_key(name: &str, conversation: &ConversationId) -> String {
    path(&[PREFIX, name, "/", conversation.as_str()])
}

/// Reads the records of all inboxes by their names, and reports the records that cannot be read.
pub(super) fn decode_all(
    records: &[Record],
    mut report: impl FnMut(StorageEvent),
) -> BTreeMap<String, Saved> {
    let mut all: BTreeMap<String, Saved> = BTreeMap::new();
    for Record { key, value } in records {
        if let Some(path) = key.strip_prefix(RUN_PREFIX) {
            let (name, message) = split(path);
            let run = &mut all.entry(decode_component(name)).or_default().run;
            let id = message.map(|id| MessageId::new(decode_component(id)));
            let result = match id {
                None => versioned::decode(key, value, |_| true).map(|head| run.head = head),
                Some(Ok(id)) => versioned::decode(key, value, |_| true).map(|message| {
                    run.out.insert(id, message);
                }),
                Some(Err(_)) => Err(StorageEvent::Unreadable { key: key.clone() }),
            };
            // It has no effect on the positions.
            result.unwrap_or_else(&mut report);
            continue;
        }
        let Some(path) = key.strip_prefix(PREFIX) else {
            continue;
        };
        let (name, conversation) = split(path);
        let saved = all.entry(decode_component(name)).or_default();
        let result = match conversation.map(decode_component) {
            None => versioned::decode(key, value, |_| true).map(|start| {
                saved.start = Some(start);
                saved.is_stored = true;
            }),
            Some(id) => versioned::decode(key, value, |_| true).and_then(|position| {
                let key = key.clone();
                let id = ConversationId::new(id);
                let id = id.map_err(|_| StorageEvent::Unreadable { key })?;
                saved.positions.insert(id, position);
                Ok(())
            }),
        };
        if let Err(event) = result {
            saved.is_unreadable = true;
            report(event);
        }
    }
    all
}

/// Returns the name of an inbox, and the rest of a path.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    }
}

fn decode_component(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
