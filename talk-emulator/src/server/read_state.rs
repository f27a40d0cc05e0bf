//! Read receipts, and events about changed sides of a conversation.

use super::conversation::SideState;
use super::events::{Event, SideDiff};
use super::patch::Diff;
use super::refusal::Refusal;
use super::reply::{Reply, done};
use super::request_cx::RequestCx;
use super::webhooks;

/// The sides of a conversation before a change, for all subscribed participants.
#[derive(Debug)]
pub(super) struct SideSnapshot(Vec<(String, SideState)>);

/// Returns a snapshot of the sides. Take it before a change and pass it to [`publish_changes`].
pub(super) fn snapshot(cx: &RequestCx<'_>, conversation: &str) -> SideSnapshot {
    let Some(conversation) = cx.store.conversations.get(conversation) else {
        return SideSnapshot(Vec::new());
    };
    let states = conversation
        .participants
        .iter()
        .filter(|(user, _)| cx.subscribers.has_side_subscription(user))
        .map(|(user, participation)| (user.to_owned(), conversation.side_state(participation)));
    SideSnapshot(states.collect())
}

/// Returns the maximum of a participant's read positions up to now.
pub(super) fn mark(cx: &RequestCx<'_>, id: &str, user: &str) -> Option<u64> {
    let (_, participation) = cx.store.joined(id, user).ok()?;
    Some(participation.furthest_read())
}

/// Notifies each participant of the changes of its side. Joins and leaves have their own events.
pub(super) fn publish_changes(cx: &mut RequestCx<'_>, id: &str, before: SideSnapshot) {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return;
    };
    for (user, old) in before.0 {
        let Some(participation) = conversation.participants.get(&user) else {
            continue;
        };
        let diff = SideDiff::between(&old, &conversation.side_state(participation));
        if !diff.is_empty() {
            let to = cx.subscribers.for_side(id, &user);
            cx.events.push(
                to,
                &Event::SideEdited {
                    conversation_id: id,
                    diff,
                },
            );
        }
    }
}

impl SideDiff {
    fn between(old: &SideState, new: &SideState) -> Self {
        fn changed<T: Copy + PartialEq>(old: T, new: T) -> Option<T> {
            (old != new).then_some(new)
        }
        Self {
            last_message_at: changed(old.last_message_at, new.last_message_at),
            unread_message_count: changed(old.unread_message_count, new.unread_message_count),
            is_unread: changed(old.is_unread, new.is_unread),
            read_until: changed(old.read_until, new.read_until),
            everyone_read_until: changed(old.everyone_read_until, new.everyone_read_until),
        }
    }
}

/// `POST /me/conversations/{c}/read`
pub(super) fn mark_read(cx: &mut RequestCx<'_>, id: &str) -> Reply {
    let (conversation, _) = cx.store.joined(id, cx.me)?;
    let last = conversation
        .messages
        .last()
        .map_or(0, |message| message.created_at);
    let read_until = cx.millis().max(last);
    let before = snapshot(cx, id);
    let read_before = mark(cx, id, cx.me);
    // A message in the same millisecond must be newer than the read position.
    cx.store.clock.advance_past(read_until);
    cx.store.conversation_mut(id)?.read(cx.me, read_until);
    publish_changes(cx, id, before);
    webhooks::messages_read(cx, id, cx.me, read_before);
    done()
}

/// Sets a participant's read position, for a back end. It may go back. A time in the future becomes
/// now.
pub(super) fn set_read_until(
    cx: &mut RequestCx<'_>,
    id: &str,
    user: &str,
    read_until: u64,
) -> Result<(), Refusal> {
    let (conversation, _) = cx.store.joined(id, user)?;
    let last = conversation
        .messages
        .last()
        .map_or(0, |message| message.created_at);
    let read_until = read_until.min(cx.millis().max(last));
    let before = snapshot(cx, id);
    let read_before = mark(cx, id, user);
    cx.store.clock.advance_past(read_until);
    cx.store
        .conversation_mut(id)?
        .set_read_until(user, read_until);
    publish_changes(cx, id, before);
    webhooks::messages_read(cx, id, user, read_before);
    Ok(())
}

/// `POST /me/conversations/{c}/unread`
pub(super) fn mark_unread(cx: &mut RequestCx<'_>, id: &str) -> Reply {
    cx.store.joined(id, cx.me)?;
    cx.allow(|role| role.mark_unread, "mark conversations as unread")?;
    let before = snapshot(cx, id);
    if let Some(participation) = cx.store.conversation_mut(id)?.participants.get_mut(cx.me) {
        participation.marked_unread = true;
    }
    publish_changes(cx, id, before);
    done()
}
