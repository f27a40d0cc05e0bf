//! Requests about typing users.

use std::time::Duration;

use super::events::Event;
use super::reply::{Reply, done, reply};
use super::request_cx::{RequestCx, role_of};
use super::subscribers::Part;
use super::timers::Timer;
use super::typing_users::{TypingDiff, TypingUsers};

/// The time after which a user stops typing.
const TYPING_TIMEOUT: Duration = Duration::from_secs(10);

/// `GET /me/conversations/{c}/typing`
pub(super) fn get(cx: &RequestCx<'_>, conversation: &str) -> Reply {
    cx.store.joined(conversation, cx.me)?;
    cx.allow(|role| role.typing_indicators, "see who is typing")?;
    reply(&cx.typing.view(conversation, cx.me))
}

/// `POST /me/conversations/{c}/typing`
pub(super) fn start(cx: &mut RequestCx<'_>, conversation: &str) -> Reply {
    cx.store.joined(conversation, cx.me)?;
    cx.allow(|role| role.typing_indicators, "be shown as typing")?;
    let until = cx.now + TYPING_TIMEOUT;
    let timer = timer(cx, conversation, cx.me);
    cx.timers.set(until, timer.clone());
    match cx.typing.extend(conversation, cx.me, until) {
        Some(before) if before == until => {}
        Some(before) => cx.timers.cancel(before, timer),
        None => {
            let since = cx.store.clock.stamp(cx.millis());
            cx.typing.insert(conversation, cx.me, since, until);
            publish(cx, conversation, cx.me, TypingUsers::started);
        }
    }
    done()
}

/// Ends the typing state of a user: on expiry, after a message, or on leaving.
pub(super) fn stop(cx: &mut RequestCx<'_>, conversation: &str, user: &str) {
    let Some(until) = cx.typing.remove(conversation, user) else {
        return;
    };
    let timer = timer(cx, conversation, user);
    cx.timers.cancel(until, timer);
    publish(cx, conversation, user, TypingUsers::stopped);
}

/// Ends all typing states of a conversation without notice, because it is deleted.
pub(super) fn forget(cx: &mut RequestCx<'_>, conversation: &str) {
    for (user, until) in cx.typing.remove_all(conversation) {
        let timer = timer(cx, conversation, &user);
        cx.timers.cancel(until, timer);
    }
}

fn timer(cx: &RequestCx<'_>, conversation: &str, user: &str) -> Timer {
    Timer::TypingEnds {
        app: cx.app.to_owned(),
        conversation: conversation.to_owned(),
        user: user.to_owned(),
    }
}

type Change = for<'a> fn(&'a TypingUsers, &str, &'a str, &'a str) -> Option<TypingDiff<'a>>;

/// Notifies each subscriber of the change in the subscriber's own view.
fn publish(cx: &mut RequestCx<'_>, id: &str, user: &str, change: Change) {
    let Some(conversation) = cx.store.conversations.get(id) else {
        return;
    };
    for (connection, receiver) in cx.subscribers.for_part(id, Part::Typing, conversation) {
        if **receiver == *user || !role_of(cx.store, cx.settings, receiver).typing_indicators {
            continue;
        }
        if let Some(diff) = change(cx.typing, id, user, receiver) {
            cx.events.push(
                [connection],
                &Event::TypingChanged {
                    conversation_id: id,
                    diff,
                },
            );
        }
    }
}
