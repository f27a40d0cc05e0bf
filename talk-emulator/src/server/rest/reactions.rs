//! Requests about reactions.

use serde::Serialize;

use super::call::Call;
use super::list::{self, Order, PageQuery};
use crate::server::emoji;
use crate::server::reactions;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, done};
use crate::server::request_cx::RequestCx;

/// The members besides the user are our choice.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reactor<'a> {
    user_id: &'a str,
    created_at: u64,
}

/// `GET /conversations/{c}/messages/{m}/reactions/{emoji}`, oldest first (our choice).
pub(super) fn list(cx: &RequestCx<'_>, id: &str, message: &str, emoji: &str, call: &Call) -> Reply {
    let page = PageQuery::read(&call.query)?;
    let emoji = emoji::normalise(emoji)?;
    let message = cx.store.conversation(id)?.messages.get(message);
    let message = message.ok_or_else(Refusal::message_not_found)?;
    let users = message.reactions.get(&*emoji).map(|it| &it.users);
    let after = page.after(|user| users?.get_key_value(user).map(|(id, at)| (*at, id)))?;
    let keys = users
        .into_iter()
        .flatten()
        .map(|(id, at)| (*at, id))
        .collect();
    let page = page.take(keys, Order::Ascending, after.as_ref());
    list::data(page.map(|(created_at, user_id)| Reactor {
        user_id,
        created_at,
    }))
}

/// `PUT /conversations/{c}/messages/{m}/reactions/{emoji}/{user}`
pub(super) fn put(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    emoji: &str,
    user: &str,
) -> Reply {
    cx.acting_as(user, |cx| reactions::put(cx, id, message, emoji))?;
    done()
}

/// `DELETE /conversations/{c}/messages/{m}/reactions/{emoji}/{user}`
pub(super) fn delete(
    cx: &mut RequestCx<'_>,
    id: &str,
    message: &str,
    emoji: &str,
    user: &str,
) -> Reply {
    cx.acting_as(user, |cx| reactions::delete(cx, id, message, emoji))?;
    done()
}
