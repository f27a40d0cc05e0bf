//! Who is online: everybody with at least one authenticated connection.

use super::events::{Event, Online};
use super::reply::{Reply, reply};
use super::request_cx::{RequestCx, role_of};
use super::subscribers::Topic;

/// `GET /users/{id}/online`
pub(super) fn get(cx: &RequestCx<'_>, user: &str) -> Reply {
    cx.store.user(user)?;
    cx.allow(|role| role.online_status, "see who is online")?;
    reply(&Online {
        is_connected: cx.subscribers.is_connected(user),
    })
}

/// Tells those who watch this user whether they are online.
pub(super) fn publish(cx: &mut RequestCx<'_>, user: &str) {
    let diff = Online {
        is_connected: cx.subscribers.is_connected(user),
    };
    let may_see = |receiver: &str| role_of(cx.store, cx.settings, receiver).online_status;
    let to = cx
        .subscribers
        .for_topic(&Topic::Online(user.to_owned()))
        .filter(|(_, receiver)| may_see(receiver))
        .map(|(connection, _)| connection);
    cx.events.push(
        to,
        &Event::UserOnlineChanged {
            user_id: user,
            diff,
        },
    );
}

/// As [`tell`], of a user who exists: nobody can watch one who does not.
pub(super) fn publish_if_exists(cx: &mut RequestCx<'_>, user: &str) {
    if cx.store.users.contains_key(user) {
        publish(cx, user);
    }
}
