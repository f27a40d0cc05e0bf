//! The content of messages and edits in the outbox.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::{EditMessage, MessageBody};
use crate::content::{ContentBlock, MarkupSource, parse_markup};
use crate::json;
use crate::model::{ConversationId, Custom, CustomPatch, EntryId, MessageId, Patch};

/// The content of a message or an edit.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Content {
    #[serde(deserialize_with = "json::list")]
    pub(crate) blocks: Arc<[ContentBlock]>,
    /// Set if the blocks were parsed from markup. Their node types are sent in lower case.
    #[serde(default)]
    pub(crate) is_markup: bool,
}

impl Content {
    pub(super) fn new(body: MessageBody, source: MarkupSource) -> Self {
        match body {
            MessageBody::Text(text) => Self {
                blocks: parse_markup(&text, source).into(),
                is_markup: true,
            },
            MessageBody::Content(blocks) => Self {
                blocks: blocks.into(),
                is_markup: false,
            },
        }
    }
}

/// The message of an entry, ready to be sent.
pub(crate) struct OutgoingEntry {
    pub(crate) conversation: ConversationId,
    pub(crate) content: Content,
    pub(crate) custom: Custom,
    pub(crate) referenced: Option<MessageId>,
    pub(crate) key: EntryId,
}

/// A change of a message after it was sent.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FollowUp {
    Edit {
        content: Option<Content>,
        #[serde(default, skip_serializing_if = "Patch::is_keep")]
        custom: Patch<CustomPatch>,
    },
    Delete,
}

impl From<EditMessage> for FollowUp {
    fn from(edit: EditMessage) -> Self {
        Self::Edit {
            content: edit.body.map(|body| Content::new(body, MarkupSource::Edit)),
            custom: edit.custom,
        }
    }
}
