use std::collections::BTreeMap;

use serde::Serialize;
use talk_proto::content::{ContentBlock, FileBlock};

use super::markup;
use crate::server::conversation::Conversation;
use crate::server::message::{ContentJson, Message, MessageKind, Origin};
use crate::server::patch::Custom;

/// The number of participants above which `readBy` is empty.
const MAX_READERS: usize = 300;

/// A message with its older members `text`, `attachment` and `location`. Those that do not fit the
/// content are null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct MessageView<'a> {
    id: &'a str,
    conversation_id: &'a str,
    #[serde(rename = "type")]
    kind: MessageKind,
    sender_id: Option<&'a str>,
    origin: Origin,
    text: Option<String>,
    attachment: Option<Attachment>,
    /// Latitude and longitude.
    location: Option<[f64; 2]>,
    content: &'a ContentJson,
    custom: &'a Custom,
    /// The participants except the sender whose read position has reached the message (our
    /// choice).
    read_by: Vec<&'a str>,
    reactions: BTreeMap<&'a str, ReactionView>,
    referenced_message_id: Option<&'a str>,
    created_at: u64,
    edited_at: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Attachment {
    url: Option<String>,
    size: Option<u64>,
}

/// The members are our choice.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReactionView {
    count: usize,
    created_at: u64,
}

impl<'a> MessageView<'a> {
    pub(in crate::server) fn new(
        conversation_id: &'a str,
        conversation: &'a Conversation,
        message: &'a Message,
    ) -> Self {
        let blocks: Vec<ContentBlock> =
            serde_json::from_str(message.content.get()).unwrap_or_default();
        let reactions = message.reactions.iter().map(|(emoji, reactions)| {
            let view = ReactionView {
                count: reactions.users.len(),
                created_at: reactions.created_at,
            };
            (emoji.as_str(), view)
        });
        Self {
            id: &message.id,
            conversation_id,
            kind: message.kind,
            sender_id: message.sender.as_deref(),
            origin: message.origin,
            text: message.text.clone().or_else(|| text_of(&blocks)),
            attachment: blocks.iter().find_map(|block| match block {
                ContentBlock::File(file) => Some(Attachment::new(file)),
                _ => None,
            }),
            location: blocks.iter().find_map(|block| match block {
                ContentBlock::Location(it) => Some([it.latitude, it.longitude]),
                _ => None,
            }),
            content: &message.content,
            custom: &message.custom,
            read_by: readers(conversation, message),
            reactions: reactions.collect(),
            referenced_message_id: message.referenced.as_deref(),
            created_at: message.created_at,
            edited_at: message.edited_at,
        }
    }

    pub(in crate::server) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// Returns the content as markup (our choice).
fn text_of(blocks: &[ContentBlock]) -> Option<String> {
    blocks.iter().find_map(|block| match block {
        ContentBlock::Text(text) => Some(markup::of_nodes(&text.children)),
        _ => None,
    })
}

fn readers<'a>(conversation: &'a Conversation, message: &Message) -> Vec<&'a str> {
    let participants = &conversation.participants;
    if participants.len() > MAX_READERS {
        return Vec::new();
    }
    let readers = participants.iter().filter(|(user, participation)| {
        participation.read_until >= message.created_at
            && message.sender.as_deref() != Some(user.as_str())
    });
    readers.map(|(user, _)| user.as_str()).collect()
}

impl Attachment {
    fn new(file: &FileBlock) -> Self {
        Self {
            url: file.url.as_deref().map(str::to_owned),
            size: file.size,
        }
    }
}
