//! The events that webhooks report, and their data.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::delivery::Subject;
use super::kind::WebhookKind;
use super::mentions;
use crate::server::conversation::Conversation;
use crate::server::message::Message;
use crate::server::request_cx::RequestCx;
use crate::server::store::Store;
use crate::server::views::{ConversationView, MessageView, UserView};

/// The maximum number of participants of a conversation for which `message.read` is reported.
const MAX_READERS: usize = 300;

/// The maximum number of messages that are reported when a read position moves (our choice).
const MAX_READ: usize = 100;

#[derive(Serialize)]
struct UserData<'a> {
    user: UserView<'a>,
}

#[derive(Serialize)]
struct ConversationData<'a> {
    conversation: ConversationView<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<UserView<'a>>,
    /// Null for system messages.
    sender: Option<UserView<'a>>,
    conversation: ConversationView<'a>,
    message: MessageView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentioned_user_ids: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: WebhookKind,
    /// Unix milliseconds (our choice).
    created_at: u64,
    data: &'a RawValue,
}

/// The data of an event. It is created before a deletion if the event reports the deletion.
pub(in crate::server) type EventData = Box<RawValue>;

impl<'a> MessageData<'a> {
    fn new(store: &'a Store, id: &'a str, conversation: &'a Conversation, it: &'a Message) -> Self {
        let sender = it.sender.as_deref();
        Self {
            recipient: None,
            sender: sender.and_then(|sender| user_view(store, sender)),
            conversation: ConversationView::new(id, conversation),
            message: MessageView::new(id, conversation, it),
            mentioned_user_ids: None,
        }
    }
}

pub(super) fn user_view<'a>(store: &'a Store, id: &str) -> Option<UserView<'a>> {
    store.users.get(id).map(UserView::new)
}

/// Queues `user.created`.
pub(in crate::server) fn user_created(cx: &mut RequestCx<'_>, id: &str) {
    user_changed(cx, WebhookKind::UserCreated, id);
}

/// Queues `user.updated`.
pub(in crate::server) fn user_updated(cx: &mut RequestCx<'_>, id: &str) {
    user_changed(cx, WebhookKind::UserUpdated, id);
}

fn user_changed(cx: &mut RequestCx<'_>, kind: WebhookKind, id: &str) {
    if !cx.settings.webhooks.is_selected(kind) {
        return;
    }
    let user = user_view(cx.store, id);
    let data = user.and_then(|user| raw(&UserData { user }));
    queue(cx, kind, Subject::User(id.to_owned()), data);
}

/// Queues `message.sent`.
pub(in crate::server) fn message_sent(cx: &mut RequestCx<'_>, id: &str, message: &str) {
    let data = message_data(
        cx,
        WebhookKind::MessageSent,
        id,
        message,
        |data, message| {
            data.mentioned_user_ids = Some(mentions::of_message(message));
        },
    );
    queue_in(cx, WebhookKind::MessageSent, id, data);
}

/// Queues `message.updated`.
pub(in crate::server) fn message_updated(cx: &mut RequestCx<'_>, id: &str, message: &str) {
    let data = message_data(cx, WebhookKind::MessageUpdated, id, message, |_, _| {});
    queue_in(cx, WebhookKind::MessageUpdated, id, data);
}

/// Returns the data of `message.deleted`, for [`message_deleted`].
pub(in crate::server) fn message_of(
    cx: &RequestCx<'_>,
    id: &str,
    message: &str,
) -> Option<EventData> {
    message_data(cx, WebhookKind::MessageDeleted, id, message, |_, _| {})
}

/// Queues `message.deleted`, with the data from before the deletion.
pub(in crate::server) fn message_deleted(
    cx: &mut RequestCx<'_>,
    id: &str,
    before: Option<EventData>,
) {
    queue_in(cx, WebhookKind::MessageDeleted, id, before);
}

/// Queues `conversation.deleted`. Call this before the deletion.
pub(in crate::server) fn conversation_deleted(cx: &mut RequestCx<'_>, id: &str) {
    let kind = WebhookKind::ConversationDeleted;
    if !cx.settings.webhooks.is_selected(kind) {
        return;
    }
    let conversation = cx.store.conversations.get(id);
    let data = conversation.and_then(|conversation| {
        raw(&ConversationData {
            conversation: ConversationView::new(id, conversation),
        })
    });
    queue_in(cx, kind, id, data);
}

/// Queues `message.read` for the messages that a participant has read for the first time, oldest
/// first. These are the messages after `mark`, the previous maximum of the read position.
pub(in crate::server) fn messages_read(
    cx: &mut RequestCx<'_>,
    id: &str,
    reader: &str,
    mark: Option<u64>,
) {
    let kind = WebhookKind::MessageRead;
    let Some(mark) = mark.filter(|_| cx.settings.webhooks.is_selected(kind)) else {
        return;
    };
    let Ok((conversation, participation)) = cx.store.joined(id, reader) else {
        return;
    };
    if conversation.participants.len() > MAX_READERS {
        return;
    }
    let until = participation.read_until;
    let messages = conversation.messages.before(None);
    let passed = messages
        .skip_while(|message| message.created_at > until)
        .take_while(|message| message.created_at > mark)
        .filter(|message| message.is_unread_by(reader, mark))
        .take(MAX_READ);
    let mut read: Vec<_> = passed
        .filter_map(|message| {
            let mut data = MessageData::new(cx.store, id, conversation, message);
            data.recipient = user_view(cx.store, reader);
            raw(&data)
        })
        .collect();
    read.reverse();
    for data in read {
        queue_in(cx, kind, id, Some(data));
    }
}

/// Returns the data of an event about a message, if its type is selected.
fn message_data(
    cx: &RequestCx<'_>,
    kind: WebhookKind,
    id: &str,
    message: &str,
    complete: impl FnOnce(&mut MessageData<'_>, &Message),
) -> Option<EventData> {
    if !cx.settings.webhooks.is_selected(kind) {
        return None;
    }
    let conversation = cx.store.conversations.get(id)?;
    let message = conversation.messages.get(message)?;
    let mut data = MessageData::new(cx.store, id, conversation, message);
    complete(&mut data, message);
    raw(&data)
}

pub(super) fn queue_in(
    cx: &mut RequestCx<'_>,
    kind: WebhookKind,
    id: &str,
    data: Option<EventData>,
) {
    queue(cx, kind, Subject::Conversation(id.to_owned()), data);
}

/// Queues an event in its envelope.
fn queue(cx: &mut RequestCx<'_>, kind: WebhookKind, subject: Subject, data: Option<EventData>) {
    let Some(data) = data else {
        return;
    };
    let id = cx.random.id("evt_");
    let envelope = Envelope {
        id: &id,
        kind,
        created_at: cx.millis(),
        data: &data,
    };
    // Infallible: the envelope holds strings, numbers and JSON.
    if let Ok(body) = serde_json::to_string(&envelope) {
        cx.webhooks.push(cx.now, cx.app, kind, subject, id, body);
    }
}

pub(super) fn raw(data: &impl Serialize) -> Option<EventData> {
    to_raw_value(data).ok()
}
