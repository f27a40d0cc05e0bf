//! Requests about conversations and the list of conversations.

use serde::Deserialize;

use super::conversation::Conversation;
use super::events::{ConversationDiff, Event};
use super::filter::Filter;
use super::page::{self, Cursor, Page, PageRequest};
use super::patch::{CustomPatch, Diff, Patch};
use super::refusal::Refusal;
use super::reply::{Body, Reply, done, reply};
use super::request_cx::RequestCx;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConversationParams {
    subject: Patch<String>,
    photo_url: Patch<String>,
    welcome_messages: Patch<Vec<String>>,
    custom: CustomPatch,
}

/// `GET /me/conversations`
pub(super) fn list(cx: &RequestCx<'_>, body: Body<'_>) -> Reply {
    let request: PageRequest = body.parse()?;
    let size = request.size(page::CONVERSATIONS)?;
    let cursor = request.cursor()?;
    let (before, filter) = match cursor {
        Some(cursor) => (cursor.after, cursor.filter),
        None => (u64::MAX, request.filter),
    };
    let matches = Filter::read(filter.as_ref())?;
    cx.store.user(cx.me)?;
    let sides = cx
        .store
        .inbox(cx.me, before)
        .filter_map(|(at, id)| {
            let (conversation, participation) = cx.store.joined(id, cx.me).ok()?;
            Some((at, conversation.side(id, participation)))
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
    if let Some(conversation) = cx.store.conversations.get_mut(id) {
        let diff = conversation.apply(params);
        publish_edited(cx, id, &diff);
    } else {
        // A creator that does not exist could not join, and would leave an empty conversation.
        cx.store.user(cx.me)?;
        let mut conversation = Conversation::default();
        conversation.created_at = cx.store.clock.stamp(cx.millis());
        conversation.apply(params);
        cx.store.conversations.insert(id.to_owned(), conversation);
    }
    done()
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
