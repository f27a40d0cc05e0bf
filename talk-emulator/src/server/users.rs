//! Requests about users.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::events::Event;
use super::patch::{Diff, Patch};
use super::presence;
use super::refusal::Refusal;
use super::reply::{Body, Reply, done, reply};
use super::request_cx::RequestCx;
use super::subscribers::Topic;
use super::user::{Profile, User, UserParams};
use super::webhooks;

/// The maximum number of users in a request.
const MAX_IDS: usize = 1000;

#[derive(Debug, Deserialize)]
struct Ids {
    ids: Vec<String>,
}

/// `GET /users`
pub(super) fn get(cx: &RequestCx<'_>, body: Body<'_>) -> Reply {
    let ids = ids(body)?;
    let found: BTreeMap<&str, &Profile> = ids
        .iter()
        .filter_map(|id| Some((id.as_str(), &cx.store.users.get(id)?.profile)))
        .collect();
    reply(&found)
}

/// Returns the topics of `SUBSCRIBE /users` and `UNSUBSCRIBE /users`.
pub(super) fn topics(body: Body<'_>) -> Result<Vec<Topic>, Refusal> {
    Ok(ids(body)?.into_iter().map(Topic::User).collect())
}

fn ids(body: Body<'_>) -> Result<Vec<String>, Refusal> {
    let Ids { ids } = body.parse()?;
    if ids.len() > MAX_IDS {
        let reason = format!("At most {MAX_IDS} users at a time, not {}.", ids.len());
        return Err(Refusal::invalid("INVALID_REQUEST", reason));
    }
    Ok(ids)
}

/// `POST /users/{id}`
pub(super) fn create(cx: &mut RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let params: UserParams = body.parse_item()?;
    check_name(&params, true)?;
    if cx.store.users.contains_key(id) {
        return Err(Refusal::new(
            409,
            "USER_ALREADY_EXISTS",
            "There is a user with this id.",
        ));
    }
    put(cx, id, params)
}

/// `PUT /users/{id}`
pub(super) fn set(cx: &mut RequestCx<'_>, id: &str, body: Body<'_>) -> Reply {
    let params: UserParams = body.parse_item()?;
    check_name(&params, !cx.store.users.contains_key(id))?;
    put(cx, id, params)
}

fn check_name(params: &UserParams, is_new: bool) -> Result<(), Refusal> {
    match params.name {
        Patch::Reset => Err(Refusal::invalid(
            "INVALID_NAME",
            "A user's name cannot be null.",
        )),
        Patch::Keep if is_new => Err(Refusal::invalid("INVALID_NAME", "A new user needs a name.")),
        _ => Ok(()),
    }
}

fn put(cx: &mut RequestCx<'_>, id: &str, params: UserParams) -> Reply {
    if !cx.settings.sync.users {
        return Err(Refusal::forbidden(
            "CLIENT_SIDE_SYNC_DISABLED",
            "Clients may not create or change users of this app.",
        ));
    }
    store(cx, id, params);
    done()
}

/// Creates or updates a user, and notifies the subscribers.
pub(super) fn store(cx: &mut RequestCx<'_>, id: &str, params: UserParams) {
    let now = cx.millis();
    if let Some(user) = cx.store.users.get_mut(id) {
        let private = user.private.clone();
        let diff = user.apply(params);
        let is_changed = !diff.is_empty() || user.private != private;
        if !diff.is_empty() {
            let to = cx
                .subscribers
                .for_topic(&Topic::User(id.to_owned()))
                .map(|(connection, _)| connection);
            cx.events.push(
                to,
                &Event::UserEdited {
                    user_id: id,
                    diff: &diff,
                },
            );
        }
        if is_changed {
            webhooks::user_updated(cx, id);
        }
    } else {
        let mut user = User::new(id, now);
        user.apply(params);
        publish_created(cx, &user);
        cx.store.users.insert(id.to_owned(), user);
        webhooks::user_created(cx, id);
    }
}

fn publish_created(cx: &mut RequestCx<'_>, user: &User) {
    let id = &user.profile.id;
    let entry = cx.subscribers.for_topic(&Topic::User(id.clone()));
    let mine = cx.subscribers.for_topic(&Topic::Conversations(id.clone()));
    let to: BTreeSet<_> = entry
        .chain(mine)
        .map(|(connection, _)| connection)
        .collect();
    cx.events.push(
        to,
        &Event::UserCreated {
            user_id: id,
            state: &user.profile,
        },
    );
    // Subscribers of a user that did not exist learn its online state now.
    presence::publish(cx, id);
}
