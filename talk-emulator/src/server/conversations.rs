//! Requests about conversations and the list of conversations.

use serde::Deserialize;

use super::conversation::Conversation;
use super::events::{ConversationDiff, Event};
use super::filter::Filter;
use super::page::{self, Cursor, ListPlace, Page, PageRequest};
use super::patch::{CustomPatch, Diff, Patch};
use super::refusal::Refusal;
use super::reply::{Body, Reply, done, reply};
use super::request_cx::RequestCx;
use super::typing;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ConversationParams {
    pub(super) subject: Patch<String>,
    pub(super) photo_url: Patch<String>,
    pub(super) welcome_messages: Patch<Vec<String>>,
    pub(super) custom: CustomPatch,
}

/// `GET /me/conversations`
pub(super) fn list(cx: &RequestCx<'_>, body: Body<'_>) -> Reply {
    let request: PageRequest = body.parse()?;
    let size = request.size(page::CONVERSATIONS)?;
    let cursor = request.cursor()?;
    let (before, filter) = match cursor {
        Some(cursor) => (cursor.after, cursor.filter),
        None => (ListPlace::from(u64::MAX), request.filter),
    };
    let matches = Filter::read(filter.as_ref())?;
    cx.store.user(cx.me)?;
    let sides = cx
        .store
        .inbox(cx.me, before)
        .filter_map(|(at, id)| {
            let (conversation, participation) = cx.store.joined(id, cx.me).ok()?;
            let place = ListPlace::of_conversation(at, id);
            Some((place, conversation.side(id, participation)))
        })
        .filter(|(_, side)| matches.matches(side));
    reply(&Page::collect(sides, size, |after| Cursor {
        after,
        filter: filter.clone(),
        search: None,
    }))
}

/// `GET /me/conversations/{c}`
pub(super) fn get(cx: &RequestCx<'_>, id: &str) -> Reply {
    let (conversation, participation) = cx.store.joined(id, cx.me)?;
    reply(&conversation.side(id, participation))
}

/// `POST /conversations/{c}`
pub(super) fn create(cx: &mut RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let params: ConversationParams = body.parse_item()?;
    if cx.store.conversations.contains_key(id) {
        return Err(Refusal::new(
            409,
            "CONVERSATION_ALREADY_EXISTS",
            "There is a conversation with this id.",
        ));
    }
    put(cx, id, params)
}

/// `PUT /conversations/{c}`
pub(super) fn set(cx: &mut RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let params = body.parse_item()?;
    put(cx, id, params)
}

fn put(cx: &mut RequestCx<'_>, id: &str, params: ConversationParams) -> Reply {
    if !cx.settings.sync.conversations {
        return Err(Refusal::forbidden(
            "UNAUTHORIZED_TO_EDIT",
            "Clients may not create or change conversations of this app.",
        ));
    }
    if !cx.store.conversations.contains_key(id) {
        // A creator that does not exist could not join, and would leave an empty conversation.
        cx.store.user(cx.me)?;
    }
    store(cx, id, params);
    done()
}

/// Creates or updates a conversation, and notifies the subscribers.
pub(super) fn store(cx: &mut RequestCx<'_>, id: &str, params: ConversationParams) {
    if let Some(conversation) = cx.store.conversations.get_mut(id) {
        let diff = conversation.apply(params);
        publish_edited(cx, id, &diff);
    } else {
        let mut conversation = Conversation::default();
        conversation.created_at = cx.store.clock.stamp(cx.millis());
        conversation.apply(params);
        cx.store.conversations.insert(id.to_owned(), conversation);
    }
}

/// Deletes a conversation with all its messages. Its participants are notified as if they left.
pub(super) fn delete(cx: &mut RequestCx<'_>, id: &str) -> Result<(), Refusal> {
    let conversation = cx.store.conversation(id)?;
    let users: Vec<String> = conversation.participants.keys().cloned().collect();
    typing::forget(cx, id);
    for user in &users {
        cx.store.remove_from_inbox(id, user);
        let to = cx.subscribers.for_any_part(id, user);
        let event = Event::SideDeleted {
            conversation_id: id,
        };
        cx.events.push(to, &event);
    }
    cx.store.delete_conversation(id);
    Ok(())
}

fn publish_edited(cx: &mut RequestCx<'_>, id: &str, diff: &ConversationDiff) {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return;
    };
    if diff.is_empty() {
        return;
    }
    let to = conversation
        .participants
        .keys()
        .filter(|user| cx.subscribers.is_connected(user))
        .flat_map(|user| cx.subscribers.for_side(id, user));
    cx.events.push(
        to,
        &Event::ConversationEdited {
            conversation_id: id,
            diff,
        },
    );
}

impl Conversation {
    fn apply(&mut self, params: ConversationParams) -> ConversationDiff {
        ConversationDiff {
            subject: params.subject.apply(&mut self.subject),
            photo_url: params.photo_url.apply(&mut self.photo_url),
            welcome_messages: params
                .welcome_messages
                .apply_or(&mut self.welcome_messages, Vec::new()),
            custom: params.custom.apply_custom(&mut self.custom),
        }
    }
}
