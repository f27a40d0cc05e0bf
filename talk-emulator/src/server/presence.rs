//! Online state: a user is online while any connection is authenticated.

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

/// Notifies the subscribers of this user's online state.
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

/// Notifies the subscribers if the user exists. Users that do not exist have no online state.
pub(super) fn publish_if_exists(cx: &mut RequestCx<'_>, user: &str) {
    if cx.store.users.contains_key(user) {
        publish(cx, user);
    }
}
