//! The table of socket requests.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::output::ConnectionId;
use super::refusal::Refusal;
use super::reply::{Body, Reply, done};
use super::request_cx::RequestCx;
use super::subscribers::{Part, Topic};
use super::{
    conversations, files, messages, participants, presence, reactions, read_state, translate,
    typing, users,
};

/// The maximum number of subscriptions of a connection, far above the needs of any client.
const MAX_SUBSCRIPTIONS: usize = 100_000;

/// Returns the decoded segments of a path, or `None` if it is malformed.
pub(super) fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let segments = path.strip_prefix('/')?.split('/');
    segments
        .map(|segment| percent_decode_str(segment).decode_utf8().ok())
        .collect()
}

/// Handles a request of an authenticated connection.
pub(super) fn dispatch(
    cx: &mut RequestCx<'_>,
    connection: ConnectionId,
    method: &str,
    path: &str,
    body: Body<'_>,
) -> Reply {
    let path = segments(path).ok_or_else(Refusal::route_not_found)?;
    if path.iter().any(|segment| segment.is_empty()) {
        return Err(Refusal::route_not_found());
    }
    let path: Vec<&str> = path.iter().map(|segment| &**segment).collect();
    match (method, path.as_slice()) {
        ("SUBSCRIBE", path) => subscribe(cx, connection, path, body),
        ("UNSUBSCRIBE", path) => unsubscribe(cx, connection, path, body),

        ("GET", ["ping"]) => done(),

        ("GET", ["users"]) => users::get(cx, body),
        ("POST", ["users", user]) => users::create(cx, user, body),
        ("PUT", ["users", user]) => users::set(cx, user, body),
        ("GET", ["users", user, "online"]) => presence::get(cx, user),

        ("GET", ["me", "conversations"]) => conversations::list(cx, body),
        ("GET", ["me", "conversations", c]) => conversations::get(cx, c),
        ("POST", ["conversations", c]) => conversations::create(cx, c, body),
        ("PUT", ["conversations", c]) => conversations::set(cx, c, body),
        ("POST", ["me", "conversations", c, "read"]) => read_state::mark_read(cx, c),
        ("POST", ["me", "conversations", c, "unread"]) => read_state::mark_unread(cx, c),
        ("GET", ["me", "conversations", c, "translate"]) => translate::get(cx, c, body),
        ("GET", ["me", "conversations", c, "typing"]) => typing::get(cx, c),
        ("POST", ["me", "conversations", c, "typing"]) => typing::start(cx, c),

        ("GET", ["me", "conversations", c, "participants"]) => participants::list(cx, c, body),
        ("GET", ["me", "conversations", c, "participants", user]) => participants::get(cx, c, user),
        ("POST", ["conversations", c, "participants"]) => participants::batch(cx, c, body),
        ("DELETE", ["conversations", c, "participants", user]) => participants::remove(cx, c, user),

        ("GET", ["me", "conversations", c, "messages"]) => messages::list(cx, c, body),
        ("GET", ["me", "conversations", c, "messages", m]) => messages::get(cx, c, m),
        ("POST", ["conversations", c, "messages"]) => messages::create(cx, c, body),
        ("PATCH", ["conversations", c, "messages", m]) => messages::edit(cx, c, m, body),
        ("DELETE", ["conversations", c, "messages", m]) => messages::delete(cx, c, m),

        ("GET", ["me", "conversations", c, "messages", m, "reactions", emoji]) => {
            reactions::list(cx, c, m, emoji, body)
        }
        ("PUT", ["conversations", c, "messages", m, "reactions", emoji, user]) => {
            reactions::add(cx, c, m, emoji, user)
        }
        ("DELETE", ["conversations", c, "messages", m, "reactions", emoji, user]) => {
            reactions::remove(cx, c, m, emoji, user)
        }

        ("POST", ["files", "validate"]) => files::validate(cx, body),

        _ => Err(Refusal::route_not_found()),
    }
}

fn subscribe(
    cx: &mut RequestCx<'_>,
    connection: ConnectionId,
    path: &[&str],
    body: Body<'_>,
) -> Reply {
    for topic in topics(cx.me, path, body)? {
        if cx.subscribers.count(connection) >= MAX_SUBSCRIPTIONS {
            let reason = format!("A connection holds at most {MAX_SUBSCRIPTIONS} subscriptions.");
            return Err(Refusal::invalid("INVALID_SUBSCRIPTION", reason));
        }
        cx.subscribers.subscribe(connection, topic);
    }
    done()
}

fn unsubscribe(
    cx: &mut RequestCx<'_>,
    connection: ConnectionId,
    path: &[&str],
    body: Body<'_>,
) -> Reply {
    for topic in topics(cx.me, path, body)? {
        cx.subscribers.unsubscribe(connection, &topic);
    }
    done()
}

/// Returns the topics for a subscription path.
fn topics(me: &str, path: &[&str], body: Body<'_>) -> Result<Vec<Topic>, Refusal> {
    let topic = match path {
        ["users"] => return users::topics(body),
        ["users", user, "online"] => Topic::Online((*user).to_owned()),
        ["me", "conversations"] => Topic::Conversations(me.to_owned()),
        ["me", "conversations", c] => Topic::side(c, me),
        ["me", "conversations", c, "messages"] => Topic::part(c, Part::Messages),
        ["me", "conversations", c, "participants"] => Topic::part(c, Part::Participants),
        ["me", "conversations", c, "participants", user] => {
            Topic::part(c, Part::Participant((*user).to_owned()))
        }
        ["me", "conversations", c, "typing"] => Topic::part(c, Part::Typing),
        ["me", "conversations", c, "messages", m, "reactions", emoji] => {
            reactions::topic(c, m, emoji)
        }
        _ => return Err(Refusal::route_not_found()),
    };
    Ok(vec![topic])
}
