//! A message in the list of a send or an import.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::invalid;
use super::call::Call;
use super::content::{NO_LOCATION, NewContent};
use super::members::{self, Members};
use crate::server::content::Content;
use crate::server::message::Message;
use crate::server::patch::{Custom, Patch};
use crate::server::refusal::Refusal;
use crate::server::request_cx::RequestCx;

/// A message with a valid body. Its sender and its conversation may be unknown.
#[derive(Debug)]
pub(super) struct NewMessage {
    /// The sender; absent for a system message.
    pub(super) sender: Option<String>,
    pub(super) content: Content,
    pub(super) text: Option<String>,
    pub(super) custom: Custom,
}

/// Reads the body as a list of 1 to `max` objects.
pub(super) fn objects(call: &Call, max: usize) -> Result<Vec<Map<String, Value>>, Refusal> {
    let list: Vec<_> = call.parse("INVALID_MESSAGE", "a list of messages")?;
    if list.is_empty() || list.len() > max {
        let reason = format!("A list has 1 to {max} messages, not {}.", list.len());
        return Err(invalid("INVALID_MESSAGE", reason));
    }
    Ok(list)
}

impl NewMessage {
    /// Reads the members that sends and imports have in common.
    pub(super) fn read(cx: &RequestCx<'_>, object: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut members = Members::new(object);
        let kind: Option<String> = members.optional("type", "a string");
        let sender: Option<String> = members.optional("sender", "a string");
        match (kind.as_deref(), &sender) {
            (Some("UserMessage"), Some(_)) | (Some("SystemMessage"), None) => {}
            (Some("UserMessage"), None) => members.refuse("sender: is required"),
            (Some("SystemMessage"), Some(_)) => {
                members.refuse("sender: a system message has none");
            }
            _ => members.refuse("type: must be UserMessage or SystemMessage"),
        }
        let content = NewContent::read(&mut members);
        let custom = match members.custom() {
            Patch::Set(custom) => custom,
            Patch::Keep | Patch::Reset => BTreeMap::new(),
        };
        match &content {
            None => members.refuse("one of text, content, attachmentToken or location is required"),
            Some(content) if sender.is_none() && content.is_location() => {
                members.refuse(NO_LOCATION);
            }
            Some(_) => {}
        }
        let content = members
            .finish(content)
            .map_err(|reasons| members::refuse("INVALID_MESSAGE", &reasons))?;
        let content =
            content.ok_or_else(|| invalid("INVALID_MESSAGE", "The content is missing."))?;
        Ok(Self {
            sender,
            text: content.text().map(str::to_owned),
            content: content.check(cx.attachments())?,
            custom: custom
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .collect(),
        })
    }

    /// Checks that the sender is a participant. The access does not matter, because the API stands
    /// above it (our choice).
    pub(super) fn check_sender(&self, cx: &RequestCx<'_>, id: &str) -> Result<(), Refusal> {
        match &self.sender {
            Some(sender) => cx.store.joined(id, sender).map(drop),
            None => Ok(()),
        }
    }

    /// Returns the message with a new ID.
    pub(super) fn create(self, cx: &mut RequestCx<'_>, created_at: u64) -> Message {
        let id = cx.random.id("msg_");
        Message {
            custom: self.custom,
            text: self.text,
            ..Message::new(id, self.sender, created_at, self.content.json)
        }
    }
}
