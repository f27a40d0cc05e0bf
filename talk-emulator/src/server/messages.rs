//! Requests about the messages of a conversation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::content::{Attachments, Content};
use super::conversation::{Access, Participation};
use super::events::{Event, MessageDiff};
use super::message::{Message, MessageKind};
use super::page::{self, Cursor, Page, PageRequest};
use super::patch::{CustomDiff, CustomPatch};
use super::read_state;
use super::refusal::Refusal;
use super::reply::{Body, Reply, done, reply};
use super::request_cx::RequestCx;
use super::settings::Scope;
use super::store::Store;
use super::subscribers::Part;
use super::typing;
use super::webhooks;

/// The maximum length of an idempotency key, in bytes. Clients send 20.
pub(super) const MAX_KEY: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewMessage<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(default)]
    custom: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    referenced_message_id: Option<String>,
    #[serde(default)]
    idempotency_key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Edit<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    custom: CustomPatch,
}

#[derive(Debug, serde::Serialize)]
struct Created<'a> {
    id: &'a str,
}

/// `GET /me/conversations/{c}/messages`
pub(super) fn list(cx: &RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let request: PageRequest = body.parse()?;
    let size = request.size(page::MESSAGES)?;
    let before = request.cursor()?.map(|cursor| cursor.after.place());
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let messages = conversation.messages.before(before);
    let views = messages.map(|message| (message.place(), message.view(cx.me)));
    reply(&Page::collect(views, size, Cursor::at))
}

/// `GET /me/conversations/{c}/messages/{m}`
pub(super) fn get(cx: &RequestCx<'_>, id: &str, message: &str) -> Reply {
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let message = conversation
        .messages
        .get(message)
        .ok_or_else(Refusal::message_not_found)?;
    reply(&message.view(cx.me))
}

/// `POST /conversations/{c}/messages`
pub(super) fn create(cx: &mut RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let new: NewMessage<'_> = body.parse_item()?;
    let key = new.idempotency_key;
    if let Some(key) = &key {
        if key.is_empty() || key.len() > MAX_KEY {
            let reason = format!("An idempotency key has 1 to {MAX_KEY} bytes.");
            return Err(Refusal::invalid("INVALID_IDEMPOTENCY_KEY", reason));
        }
        let now = cx.millis();
        // A repeated key returns the first result, even if the conversation has changed since.
        let conversation = cx.store.conversations.get_mut(id);
        if let Some(sent) = conversation.and_then(|it| it.keys.find(now, cx.me, key)) {
            return reply(&Created { id: sent });
        }
    }
    let content = Content::read(new.content, cx.attachments())?;
    let referenced = new.referenced_message_id;
    check_reference(cx, id, referenced.as_deref())?;
    let (_, participation) = cx.store.joined(id, cx.me)?;
    check_write_access(participation)?;
    content.check_allowed(cx.role())?;
    if referenced.is_some() {
        cx.allow(|role| role.reply, "reply to messages")?;
    }

    let custom = new.custom.unwrap_or_default();
    let message = Message {
        custom: custom
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect(),
        referenced,
        ..Message::new(
            cx.random.id("msg_"),
            Some(cx.me.to_owned()),
            cx.store.clock.stamp(cx.millis()),
            content.json,
        )
    };
    let answer = reply(&Created { id: &message.id });
    if let Some(key) = key {
        let now = cx.millis();
        let keys = &mut cx.store.conversation_mut(id)?.keys;
        keys.insert(now, cx.me, key, &message.id);
    }
    post(cx, id, message)?;
    typing::stop(cx, id, cx.me);
    answer
}

fn check_write_access(participation: &Participation) -> Result<(), Refusal> {
    match participation.access {
        Access::ReadWrite => Ok(()),
        Access::Read => Err(Refusal::forbidden(
            "READ_ONLY",
            "You may read this conversation, not write in it.",
        )),
    }
}

/// Refuses a reference to anything but a user's message.
pub(super) fn check_reference(
    cx: &RequestCx<'_>,
    id: &str,
    referenced: Option<&str>,
) -> Result<(), Refusal> {
    let Some(referenced) = referenced else {
        return Ok(());
    };
    let conversation = cx.store.conversations.get(id);
    match conversation.and_then(|conversation| conversation.messages.get(referenced)) {
        Some(message) if message.kind == MessageKind::UserMessage => Ok(()),
        _ => Err(Refusal::invalid(
            "INVALID_REFERENCED_MESSAGE",
            "There is no message of a user with this id in the conversation.",
        )),
    }
}

/// Appends a message to a conversation and notifies its subscribers.
pub(super) fn post(cx: &mut RequestCx<'_>, id: &str, message: Message) -> Result<(), Refusal> {
    let before = read_state::snapshot(cx, id);
    let created_at = message.created_at;
    let to = cx
        .subscribers
        .for_part(id, Part::Messages, cx.store.conversation(id)?);
    // A new message has no reactions, so all receivers get the same event.
    let event = Event::MessageCreated {
        conversation_id: id,
        message_id: &message.id,
        state: message.view(""),
    };
    cx.events.push(to.map(|(connection, _)| connection), &event);

    let conversation = cx.store.conversation_mut(id)?;
    for (user, participation) in &mut conversation.participants {
        if message.is_unread_by(user, participation.read_until) {
            participation.unread += 1;
        }
    }
    let (sender, message_id) = (message.sender.clone(), message.id.clone());
    let mark = sender
        .as_deref()
        .and_then(|user| read_state::mark(cx, id, user));
    cx.store.change_activity(id, |conversation| {
        conversation.messages.insert(message);
        if let Some(sender) = &sender {
            conversation.read(sender, created_at);
        }
    });
    read_state::publish_changes(cx, id, before);
    if let Some(sender) = &sender {
        // The sender has read the conversation up to the message.
        webhooks::messages_read(cx, id, sender, mark);
    }
    webhooks::message_sent(cx, id, &message_id);
    webhooks::schedule_notifications(cx, id, &message_id);
    Ok(())
}

/// `PATCH /conversations/{c}/messages/{m}`
pub(super) fn edit(cx: &mut RequestCx<'_>, id: &str, message: &str, body: Body<'_>) -> Reply {
    let edit: Edit<'_> = body.parse_item()?;
    let content = edit
        .content
        .map(|json| Content::read(json, cx.attachments()))
        .transpose()?;
    check_scope(cx, id, message, cx.role().edit_messages, "edit")?;
    if let Some(content) = &content {
        content.check_allowed(cx.role())?;
    }
    apply_edit(cx, id, message, content, None, edit.custom)?;
    done()
}

/// Changes the content or the custom data of a message. `text` is the new content as a back end
/// sent it.
pub(super) fn apply_edit(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    content: Option<Content>,
    text: Option<String>,
    custom: CustomPatch,
) -> Result<(), Refusal> {
    let now = cx.millis();
    let Store {
        conversations,
        clock,
        ..
    } = &mut *cx.store;
    let conversation = conversations
        .get_mut(id)
        .ok_or_else(Refusal::conversation_not_found)?;
    let edited = conversation
        .messages
        .get_mut(message)
        .ok_or_else(Refusal::message_not_found)?;
    let custom = custom.apply_custom(&mut edited.custom);
    let content = content.filter(|new| new.json.get() != edited.content.get());
    let content_changed = content.is_some();
    if let Some(content) = content {
        edited.content = content.json;
        edited.text = text;
        edited.edited_at = Some(clock.stamp(now));
    }
    if content_changed || custom.is_some() {
        publish_edited(cx, id, message, content_changed, custom.as_ref());
        webhooks::message_updated(cx, id, message);
    }
    Ok(())
}

fn publish_edited(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    content_changed: bool,
    custom: Option<&CustomDiff>,
) {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return;
    };
    let Some(edited) = conversation.messages.get(message) else {
        return;
    };
    let diff = MessageDiff {
        content: content_changed.then_some(&*edited.content),
        custom,
        edited_at: edited.edited_at.filter(|_| content_changed),
        reactions: None,
    };
    let to = cx.subscribers.for_part(id, Part::Messages, conversation);
    let event = Event::MessageEdited {
        conversation_id: id,
        message_id: message,
        diff,
    };
    cx.events.push(to.map(|(connection, _)| connection), &event);
}

/// `DELETE /conversations/{c}/messages/{m}`
pub(super) fn delete(cx: &mut RequestCx<'_>, id: &str, message: &str) -> Reply {
    check_scope(cx, id, message, cx.role().delete_messages, "delete")?;
    remove(cx, id, message)?;
    done()
}

/// Removes a message and notifies the subscribers.
pub(super) fn remove(cx: &mut RequestCx<'_>, id: &str, message: &str) -> Result<(), Refusal> {
    let before = read_state::snapshot(cx, id);
    let data = webhooks::message_of(cx, id, message);
    let mut removed = None;
    let mut was_last = false;
    cx.store.change_activity(id, |conversation| {
        was_last = conversation
            .messages
            .last()
            .is_some_and(|last| last.id == message);
        removed = conversation.messages.remove(message);
    });
    let removed = removed.ok_or_else(Refusal::message_not_found)?;
    let conversation = cx.store.conversation_mut(id)?;
    for (user, participation) in &mut conversation.participants {
        if removed.is_unread_by(user, participation.read_until) {
            participation.unread = participation.unread.saturating_sub(1);
        }
    }
    publish_deleted(cx, id, message, was_last);
    read_state::publish_changes(cx, id, before);
    webhooks::message_deleted(cx, id, data);
    Ok(())
}

fn publish_deleted(cx: &mut RequestCx<'_>, id: &str, message: &str, was_last: bool) {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return;
    };
    let of_messages = cx.subscribers.for_part(id, Part::Messages, conversation);
    let of_reactions = cx.subscribers.for_reactions(id, message, conversation);
    let to: BTreeMap<_, _> = of_messages.chain(of_reactions).collect();
    let last = conversation.messages.last();
    let event = |receiver: &str| Event::MessageDeleted {
        conversation_id: id,
        message_id: message,
        new_last_message: was_last.then(|| last.map(|last| last.view(receiver))),
    };
    if was_last && last.is_some_and(|last| !last.reactions.is_empty()) {
        for (connection, receiver) in to {
            cx.events.push([connection], &event(receiver));
        }
    } else {
        cx.events.push(to.into_keys(), &event(""));
    }
}

/// Refuses an operation on a message outside the role's scope.
fn check_scope(
    cx: &RequestCx<'_>,
    id: &str,
    message: &str,
    scope: Scope,
    what: &str,
) -> Result<(), Refusal> {
    let (conversation, participation) = cx.store.joined(id, cx.me)?;
    let message = conversation
        .messages
        .get(message)
        .ok_or_else(Refusal::message_not_found)?;
    // Our choice: the documentation names only sending.
    check_write_access(participation)?;
    let is_mine = message.sender.as_deref() == Some(cx.me);
    let allowed = match scope {
        Scope::All => true,
        Scope::Own => is_mine,
        Scope::None => false,
    };
    if allowed {
        return Ok(());
    }
    let what = if is_mine {
        format!("{what} messages")
    } else {
        format!("{what} messages of others")
    };
    cx.allow(|_| false, &what)
}

impl RequestCx<'_> {
    /// Returns the files that the user can send.
    pub(super) fn attachments(&self) -> Attachments<'_> {
        Attachments {
            files: &self.store.files,
            app: self.app,
            origin: &self.settings.origin,
        }
    }
}
