//! Requests about reactions to messages.

use std::collections::BTreeMap;

use serde::Serialize;

use super::emoji;
use super::events::{Event, MessageDiff, ReactionDiff};
use super::message::{Message, Reactions};
use super::page::{self, Cursor, Page, PageRequest};
use super::refusal::Refusal;
use super::reply::{Body, Reply, done, reply};
use super::request_cx::RequestCx;
use super::subscribers::{Part, Topic};

/// The maximum number of different emoji on a message.
const MAX_EMOJI: usize = 50;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReactionItem<'a> {
    user_id: &'a str,
    created_at: u64,
}

/// `GET /me/conversations/{c}/messages/{m}/reactions/{emoji}`
pub(super) fn list(
    cx: &RequestCx<'_>,
    id: &str,
    message: &str,
    emoji: &str,
    body: Body<'_>,
) -> Reply {
    let request: PageRequest = body.parse()?;
    let size = request.size(page::REACTIONS)?;
    let after = request
        .cursor()?
        .map_or(0, |cursor| cursor.after.at.saturating_add(1));
    let emoji = emoji::normalise(emoji)?;
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let message = conversation
        .messages
        .get(message)
        .ok_or_else(Refusal::message_not_found)?;
    let items = message
        .reactions
        .get(&*emoji)
        .into_iter()
        .flat_map(|reactions| {
            reactions.by_time.range(after..).map(|(at, user)| {
                (
                    *at,
                    ReactionItem {
                        user_id: user,
                        created_at: *at,
                    },
                )
            })
        });
    reply(&Page::collect(items, size, Cursor::at))
}

/// Returns the topic for reactions with one emoji. A topic for an invalid emoji never has events.
pub(super) fn topic(id: &str, message: &str, emoji: &str) -> Topic {
    let emoji =
        emoji::normalise(emoji).map_or_else(|_| emoji.to_owned(), |emoji| emoji.into_owned());
    Topic::part(
        id,
        Part::Reactions {
            message: message.to_owned(),
            emoji,
        },
    )
}

/// `PUT /conversations/{c}/messages/{m}/reactions/{emoji}/{me}`
pub(super) fn add(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    emoji: &str,
    user: &str,
) -> Reply {
    let emoji = emoji::normalise(emoji)?;
    check_new(cx, id, message, &emoji)?;
    check_allowed(cx, user)?;
    insert(cx, id, message, &emoji)?;
    done()
}

/// Refuses an emoji above the limit, and users that are no participants.
fn check_new(cx: &RequestCx<'_>, id: &str, message: &str, emoji: &str) -> Result<(), Refusal> {
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let reacted_to = conversation
        .messages
        .get(message)
        .ok_or_else(Refusal::message_not_found)?;
    if reacted_to.reactions.len() >= MAX_EMOJI && !reacted_to.reactions.contains_key(emoji) {
        let reason = format!("A message has at most {MAX_EMOJI} different reactions.");
        return Err(Refusal::invalid("INVALID_REACTION_LIMIT", reason));
    }
    Ok(())
}

/// Adds the user's reaction for a back end, to which no role applies.
pub(super) fn put(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    emoji: &str,
) -> Result<(), Refusal> {
    let emoji = emoji::normalise(emoji)?;
    check_new(cx, id, message, &emoji)?;
    insert(cx, id, message, &emoji)
}

fn insert(cx: &mut RequestCx<'_>, id: &str, message: &str, emoji: &str) -> Result<(), Refusal> {
    let user = cx.me;
    let created_at = cx.store.clock.stamp(cx.millis());
    let reacted_to = cx.store.conversation_mut(id)?.messages.get_mut(message);
    let reacted_to = reacted_to.ok_or_else(Refusal::message_not_found)?;
    if reacted_to.add_reaction(emoji, user, created_at) {
        let event = Event::ReactionAdded {
            conversation_id: id,
            message_id: message,
            emoji,
            user_id: user,
            created_at,
        };
        publish(cx, id, message, emoji, &event);
    }
    Ok(())
}

/// `DELETE /conversations/{c}/messages/{m}/reactions/{emoji}/{me}`
pub(super) fn remove(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    emoji: &str,
    user: &str,
) -> Reply {
    let emoji = emoji::normalise(emoji)?;
    check_message(cx, id, message)?;
    check_allowed(cx, user)?;
    if take(cx, id, message, &emoji)? {
        return done();
    }
    Err(Refusal::new(
        404,
        "REACTION_NOT_FOUND",
        "You have not reacted with this emoji.",
    ))
}

/// Removes the user's reaction for a back end. An absent reaction stays absent.
pub(super) fn delete(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    emoji: &str,
) -> Result<(), Refusal> {
    let emoji = emoji::normalise(emoji)?;
    check_message(cx, id, message)?;
    take(cx, id, message, &emoji).map(drop)
}

/// Refuses an unknown message, and users that are no participants.
fn check_message(cx: &RequestCx<'_>, id: &str, message: &str) -> Result<(), Refusal> {
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let known = conversation.messages.get(message);
    known.map(drop).ok_or_else(Refusal::message_not_found)
}

/// Removes the user's reaction. Returns `false` if there was none.
fn take(cx: &mut RequestCx<'_>, id: &str, message: &str, emoji: &str) -> Result<bool, Refusal> {
    let user = cx.me;
    let reacted_to = cx.store.conversation_mut(id)?.messages.get_mut(message);
    let reacted_to = reacted_to.ok_or_else(Refusal::message_not_found)?;
    if !reacted_to.remove_reaction(emoji, user) {
        return Ok(false);
    }
    let event = Event::ReactionRemoved {
        conversation_id: id,
        message_id: message,
        emoji,
        user_id: user,
    };
    publish(cx, id, message, emoji, &event);
    Ok(true)
}

fn check_allowed(cx: &RequestCx<'_>, user: &str) -> Result<(), Refusal> {
    if user != cx.me {
        return Err(Refusal::forbidden(
            "NOT_YOUR_REACTION",
            "You can only react for yourself.",
        ));
    }
    cx.allow(|role| role.react, "react to messages")
}

/// Notifies the subscribers of this emoji, and the subscribers of messages with the new totals.
fn publish(cx: &mut RequestCx<'_>, id: &str, message: &str, emoji: &str, event: &Event<'_>) {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return;
    };
    let Some(reacted_to) = conversation.messages.get(message) else {
        return;
    };
    let part = Part::Reactions {
        message: message.to_owned(),
        emoji: emoji.to_owned(),
    };
    let to = cx
        .subscribers
        .for_part(id, part, conversation)
        .map(|(connection, _)| connection);
    cx.events.push(to, event);

    let reactions = reacted_to.reactions.get(emoji);
    let (mine, others) = cx
        .subscribers
        .for_part(id, Part::Messages, conversation)
        .partition::<Vec<_>, _>(|(_, user)| ***user == *cx.me);
    for (to, is_me) in [(mine, true), (others, false)] {
        let diff = MessageDiff {
            reactions: Some(BTreeMap::from([(
                emoji,
                reactions.map(|it| it.diff(cx.me, is_me)),
            )])),
            ..MessageDiff::default()
        };
        let event = Event::MessageEdited {
            conversation_id: id,
            message_id: message,
            diff,
        };
        cx.events
            .push(to.into_iter().map(|(connection, _)| connection), &event);
    }
}

impl Message {
    /// Adds a reaction. Returns `false` if it was present.
    fn add_reaction(&mut self, emoji: &str, user: &str, at: u64) -> bool {
        let reactions = self
            .reactions
            .entry(emoji.to_owned())
            .or_insert_with(|| Reactions {
                created_at: at,
                ..Reactions::default()
            });
        if reactions.users.contains_key(user) {
            return false;
        }
        reactions.users.insert(user.to_owned(), at);
        reactions.by_time.insert(at, user.to_owned());
        true
    }

    /// Removes a reaction. Returns `false` if it was absent.
    fn remove_reaction(&mut self, emoji: &str, user: &str) -> bool {
        let Some(reactions) = self.reactions.get_mut(emoji) else {
            return false;
        };
        let Some(at) = reactions.users.remove(user) else {
            return false;
        };
        reactions.by_time.remove(&at);
        if reactions.users.is_empty() {
            self.reactions.remove(emoji);
        }
        true
    }
}

impl Reactions {
    /// Returns the event diff of the last change, for its author or for other users.
    fn diff(&self, changed_by: &str, for_them: bool) -> ReactionDiff {
        let is_new = self.users.len() == 1 && self.users.get(changed_by) == Some(&self.created_at);
        let current_user_reacted = if for_them {
            Some(self.users.contains_key(changed_by))
        } else {
            is_new.then_some(false)
        };
        ReactionDiff {
            created_at: is_new.then_some(self.created_at),
            count: self.users.len() as u64,
            current_user_reacted,
        }
    }
}
