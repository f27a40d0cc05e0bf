//! The forms of a message's content.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use talk_proto::content::{ContentBlock, MarkupSource, parse_markup};

use super::members::Members;
use crate::server::content::{Attachments, Content};
use crate::server::refusal::Refusal;

/// The maximum length of `text`, in bytes (our choice).
const MAX_TEXT: usize = 64 * 1024;

/// The reason for the refusal of a location in a system message.
pub(super) const NO_LOCATION: &str = "a system message has no location";

/// The content of a message as a back end sends it.
#[derive(Debug, PartialEq)]
pub(super) enum NewContent {
    /// Markup, and optionally a file after it.
    Text(String, Option<String>),
    /// A file.
    File(String),
    /// Latitude and longitude.
    Location([f64; 2]),
    /// A list of one block, as on the socket.
    Blocks(Value),
}

impl NewContent {
    /// Reads the content of an object, if it has any. `text` and a file may come together;
    /// otherwise two forms exclude each other (our choice).
    pub(super) fn read(members: &mut Members<'_>) -> Option<Self> {
        let text: Option<String> = members.optional("text", "a string");
        let file: Option<String> = members.optional("attachmentToken", "a string");
        let blocks: Option<Value> = members.optional("content", "a list of one block");
        let location: Option<[f64; 2]> =
            members.optional("location", "a list of latitude and longitude");
        if blocks.as_ref().is_some_and(is_empty_text) {
            members.refuse("content: must not be empty");
        }
        if let Some(text) = &text {
            if text.is_empty() {
                members.refuse("text: must not be empty");
            }
            if text.len() > MAX_TEXT {
                members.refuse(format!("text: must have at most {MAX_TEXT} bytes"));
            }
        }
        match (text, file, blocks, location) {
            (Some(text), file, None, None) => Some(Self::Text(text, file)),
            (None, Some(file), None, None) => Some(Self::File(file)),
            (None, None, Some(blocks), None) => Some(Self::Blocks(blocks)),
            (None, None, None, Some(location)) => Some(Self::Location(location)),
            (None, None, None, None) => None,
            _ => {
                members
                    .refuse("only one of text, content, attachmentToken and location is allowed");
                None
            }
        }
    }

    /// Returns `true` for a location, which system messages cannot have.
    pub(super) fn is_location(&self) -> bool {
        let is_location = |block: &Map<String, Value>| {
            block.get("type").and_then(Value::as_str) == Some("location")
        };
        match self {
            Self::Location(_) => true,
            Self::Blocks(blocks) => {
                let blocks = blocks.as_array().into_iter().flatten();
                blocks.filter_map(Value::as_object).any(is_location)
            }
            Self::Text(..) | Self::File(_) => false,
        }
    }

    /// Returns the text as it was sent.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// Validates the content. Links and actions are allowed (our choice).
    pub(super) fn check(&self, attachments: Attachments<'_>) -> Result<Content, Refusal> {
        let blocks = match self {
            Self::Text(text, file) => {
                let mut blocks = parse_markup(text, MarkupSource::Translation);
                blocks.extend(file.as_deref().map(ContentBlock::file));
                blocks
            }
            Self::File(file) => vec![ContentBlock::file(file.as_str())],
            Self::Location([latitude, longitude]) => {
                vec![ContentBlock::location(*latitude, *longitude)]
            }
            Self::Blocks(blocks) => return Content::read(&raw(blocks)?, attachments),
        };
        Content::of_back_end(&blocks, attachments)
    }
}

/// Returns `true` for a block of text without characters.
fn is_empty_text(blocks: &Value) -> bool {
    let is_empty = |node: &Value| node.as_str() == Some("");
    let children = |block: &Value| Some(block.get("children")?.as_array()?.iter().all(is_empty));
    let blocks = blocks.as_array().map(Vec::as_slice).unwrap_or_default();
    matches!(blocks, [block] if block["type"] == "text" && children(block) == Some(true))
}

fn raw(value: &Value) -> Result<Box<RawValue>, Refusal> {
    to_raw_value(value)
        .map_err(|error| super::answer::invalid("INVALID_MESSAGE", error.to_string()))
}
