//! Requests with message content: sends and edits.

use serde::Serialize;

use super::body::CallBody;
use super::response::{ResponseDecoder, Tolerated};
use crate::command::{EditMessage, MessageBody, RequestId, SendMessage};
use crate::content::{ContentBlock, MarkupSource, for_wire, parse_markup};
use crate::model::{ConversationId, CustomPatch, MessageId, Patch};
use crate::wire::path::path;
use crate::wire::{Method, Request};

pub(super) fn send(
    call: RequestId,
    conversation: ConversationId,
    message: &SendMessage,
    idempotency_key: String,
) -> CallBody {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        content: WireContent<'a>,
        #[serde(skip_serializing_if = "Patch::is_keep")]
        custom: &'a Patch<CustomPatch>,
        #[serde(skip_serializing_if = "Option::is_none")]
        referenced_message_id: Option<&'a MessageId>,
        idempotency_key: String,
    }

    let path = path(&["/conversations/", conversation.as_str(), "/messages"]);
    let data = Data {
        content: WireContent::of(&message.body, MarkupSource::Send),
        custom: &message.custom,
        referenced_message_id: message.referenced_message.as_ref(),
        idempotency_key,
    };
    let request = Request::new(Method::Post, path, &data);
    CallBody::Single {
        call,
        request,
        decoder: ResponseDecoder::Sent,
        lane: Some(conversation),
    }
}

pub(super) fn edit_message(
    call: RequestId,
    conversation: &ConversationId,
    message: &MessageId,
    edit: &EditMessage,
) -> CallBody {
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<WireContent<'a>>,
        #[serde(skip_serializing_if = "Patch::is_keep")]
        custom: &'a Patch<CustomPatch>,
    }

    let path = path(&[
        "/conversations/",
        conversation.as_str(),
        "/messages/",
        message.as_str(),
    ]);
    let content = edit.body.as_ref();
    let content = content.map(|body| WireContent::of(body, MarkupSource::Edit));
    let request = Request::new(
        Method::Patch,
        path,
        &Data {
            content,
            custom: &edit.custom,
        },
    );
    CallBody::single(call, request, ResponseDecoder::Done(Tolerated::None))
}

/// The content of a message on the wire: parsed text in the spelling of the published client, or
/// unchanged blocks.
enum WireContent<'a> {
    Parsed(Vec<ContentBlock>),
    Given(&'a [ContentBlock]),
}

impl<'a> WireContent<'a> {
    fn of(body: &'a MessageBody, source: MarkupSource) -> Self {
        match body {
            MessageBody::Text(text) => Self::Parsed(parse_markup(text, source)),
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
