//! Requests about users.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::invalid;
use super::call::Call;
use super::list::{self, Order, PageQuery};
use super::members::{self, Members};
use crate::server::patch::Patch;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, done, reply};
use crate::server::request_cx::RequestCx;
use crate::server::user::{OneOrMany, UserParams};
use crate::server::users;
use crate::server::views::UserView;

/// The maximum length of an ID, in bytes (our choice).
pub(in crate::server) const MAX_ID: usize = 255;

const PUSH_TOKENS: &str = "an object of true and null";

/// The maximum number of users in a request.
const MAX_USERS: usize = 100;

/// `GET /users/{id}`
pub(super) fn get(cx: &RequestCx<'_>, id: &str) -> Reply {
    reply(&UserView::new(cx.store.user(id)?))
}

/// `GET /users`, newest first (our choice).
pub(super) fn list(cx: &RequestCx<'_>, call: &Call) -> Reply {
    let page = PageQuery::read(&call.query)?;
    let users = &cx.store.users;
    let after = page.after(|id| users.get_key_value(id).map(|(id, it)| (it.created_at, id)))?;
    let only_online = call.query.get("isOnline") == Some("true");
    let found = users.iter();
    let found = found.filter(|(id, _)| !only_online || cx.subscribers.is_connected(id));
    let keys = found.map(|(id, user)| (user.created_at, id)).collect();
    let page = page.take(keys, Order::Descending, after.as_ref());
    list::data(page.filter_map(|(_, id)| Some(UserView::new(users.get(id)?))))
}

/// `PUT /users/{id}`
pub(super) fn put(cx: &mut RequestCx<'_>, id: &str, call: &Call) -> Reply {
    let object = call.object("INVALID_USER")?;
    let params =
        check(cx, id, &object).map_err(|reasons| members::refuse("INVALID_USER", &reasons))?;
    users::store(cx, id, params);
    done()
}

/// `PUT /users`. One invalid entry refuses all.
pub(super) fn put_all(cx: &mut RequestCx<'_>, call: &Call) -> Reply {
    let entries = call.object("INVALID_USERS")?;
    if entries.len() > MAX_USERS {
        let reason = format!(
            "At most {MAX_USERS} users at a time, not {}.",
            entries.len()
        );
        return Err(invalid("INVALID_USERS", reason));
    }
    let mut refused = BTreeMap::new();
    let mut accepted = Vec::new();
    for (id, entry) in &entries {
        let params = match entry {
            Value::Object(object) => check(cx, id, object),
            _ => Err(vec!["must be an object".to_owned()]),
        };
        match params {
            Ok(params) => accepted.push((id, params)),
            Err(reasons) => {
                refused.insert(id.clone(), reasons);
            }
        }
    }
    if !refused.is_empty() {
        return Err(Refusal::invalid_items("INVALID_USERS", refused));
    }
    for (id, params) in accepted {
        users::store(cx, id, params);
    }
    done()
}

/// Reads the data of a user, or returns the reasons for a refusal.
fn check(
    cx: &RequestCx<'_>,
    id: &str,
    object: &Map<String, Value>,
) -> Result<UserParams, Vec<String>> {
    let is_new = !cx.store.users.contains_key(id);
    let mut members = Members::new(object);
    if id.is_empty() || id.len() > MAX_ID {
        members.refuse(format!("id: must have 1 to {MAX_ID} bytes"));
    }
    let params = UserParams {
        name: members.string("name"),
        custom: members.custom(),
        locale: members.string("locale"),
        photo_url: members.string("photoUrl"),
        role: members.string("role"),
        welcome_message: members.string("welcomeMessage"),
        email: strings(&mut members, "email"),
        phone: strings(&mut members, "phone"),
        push_tokens: push_tokens(&mut members),
        availability_text: members.string("availabilityText"),
    };
    match params.name {
        Patch::Reset => members.refuse("name: must be a string"),
        Patch::Keep if is_new && !members.has("name") => {
            members.refuse("name: is required for a new user");
        }
        _ => {}
    }
    members.finish(params)
}

/// Reads push tokens: true registers a token, and null removes it.
fn push_tokens(members: &mut Members<'_>) -> Patch<BTreeMap<String, Option<bool>>> {
    let tokens: Patch<BTreeMap<String, Option<bool>>> = members.read("pushTokens", PUSH_TOKENS);
    if let Patch::Set(tokens) = &tokens
        && tokens.values().any(|it| *it == Some(false))
    {
        members.refuse(format!("pushTokens: must be {PUSH_TOKENS}"));
    }
    tokens
}

/// Reads a list of strings. A plain string, which the socket accepts, is refused here.
fn strings(members: &mut Members<'_>, name: &str) -> Patch<OneOrMany> {
    match members.read(name, "a list of strings") {
        Patch::Set(list) => Patch::Set(OneOrMany::Many(list)),
        Patch::Reset => Patch::Reset,
        Patch::Keep => Patch::Keep,
    }
}
