//! Requests with message content: sends and edits.

use std::borrow::Cow;

use serde::Serialize;

use super::body::CallBody;
use super::response::{ResponseDecoder, Tolerated};
use crate::command::{EditMessage, MessageBody, RequestId, SendMessage};
use crate::content::{ContentBlock, MarkupSource, for_wire, parse_markup};
use crate::model::{ConversationId, CustomPatch, MessageId, Patch};
use crate::outbox::{Content, FollowUp, OutgoingEntry};
use crate::wire::path::path;
use crate::wire::{Method, Request};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a, C: Serialize> {
    content: WireContent<'a>,
    #[serde(skip_serializing_if = "Patch::is_keep")]
    custom: &'a Patch<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referenced_message_id: Option<&'a MessageId>,
    idempotency_key: &'a str,
}

pub(super) fn send(
    call: RequestId,
    conversation: ConversationId,
    message: &SendMessage,
    idempotency_key: String,
) -> CallBody {
    let data = Data {
        content: WireContent::of(&message.body, MarkupSource::Send),
        custom: &message.custom,
        referenced_message_id: message.referenced_message.as_ref(),
        idempotency_key: &idempotency_key,
    };
    CallBody::Single {
        call,
        request: Request::new(Method::Post, messages_path(&conversation), &data),
        decoder: ResponseDecoder::Sent,
        lane: Some(conversation),
    }
}

/// Returns the send of an outbox entry. The outbox keeps the order of its entries.
pub(crate) fn send_entry(call: RequestId, entry: &OutgoingEntry) -> CallBody {
    let custom = Some(&entry.custom).filter(|custom| !custom.is_empty());
    let data = Data {
        content: WireContent::new(&entry.content),
        custom: &custom.map_or(Patch::Keep, Patch::Set),
        referenced_message_id: entry.referenced.as_ref(),
        idempotency_key: entry.key.as_str(),
    };
    let path = messages_path(&entry.conversation);
    let request = Request::new(Method::Post, path, &data);
    CallBody::single(call, request, ResponseDecoder::Sent)
}

/// Returns the edit or deletion that follows the send of an outbox entry.
pub(crate) fn follow_up(
    call: RequestId,
    conversation: &ConversationId,
    message: &MessageId,
    change: &FollowUp,
) -> CallBody {
    match change {
        FollowUp::Delete => {
            let request = Request::bare(Method::Delete, message_path(conversation, message));
            CallBody::single(call, request, ResponseDecoder::Done(Tolerated::NotFound))
        }
        FollowUp::Edit { content, custom } => {
            let content = content.as_ref().map(WireContent::new);
            edit_to(call, conversation, message, content, custom)
        }
    }
}

fn messages_path(conversation: &ConversationId) -> String {
    path(&["/conversations/", conversation.as_str(), "/messages"])
}

fn message_path(conversation: &ConversationId, message: &MessageId) -> String {
    let pieces = [
        "/conversations/",
        conversation.as_str(),
        "/messages/",
        message.as_str(),
    ];
    path(&pieces)
}

pub(super) fn edit_message(
    call: RequestId,
    conversation: &ConversationId,
    message: &MessageId,
    edit: &EditMessage,
) -> CallBody {
    let content = edit.body.as_ref();
    let content = content.map(|body| WireContent::of(body, MarkupSource::Edit));
    edit_to(call, conversation, message, content, &edit.custom)
}

fn edit_to(
    call: RequestId,
    conversation: &ConversationId,
    message: &MessageId,
    content: Option<WireContent<'_>>,
    custom: &Patch<CustomPatch>,
) -> CallBody {
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<WireContent<'a>>,
        #[serde(skip_serializing_if = "Patch::is_keep")]
        custom: &'a Patch<CustomPatch>,
    }

    let path = message_path(conversation, message);
    let request = Request::new(Method::Patch, path, &Data { content, custom });
    CallBody::single(call, request, ResponseDecoder::Done(Tolerated::None))
}

/// The content of a message on the wire: parsed text in the spelling of the published client, or
/// unchanged blocks.
enum WireContent<'a> {
    Parsed(Cow<'a, [ContentBlock]>),
    Given(&'a [ContentBlock]),
}

impl<'a> WireContent<'a> {
    fn new(content: &'a Content) -> Self {
        if content.is_markup {
            Self::Parsed(Cow::Borrowed(&content.blocks))
        } else {
            Self::Given(&content.blocks)
        }
    }

    fn of(body: &'a MessageBody, source: MarkupSource) -> Self {
        match body {
            MessageBody::Text(text) => Self::Parsed(parse_markup(text, source).into()),
            MessageBody::Content(blocks) => Self::Given(blocks),
        }
    }
}

impl Serialize for WireContent<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Parsed(blocks) => for_wire(blocks).serialize(serializer),
            Self::Given(blocks) => blocks.serialize(serializer),
        }
    }
}
