//! Requests about the messages of a conversation.

use super::answer::invalid;
use super::call::Call;
use super::content::{NO_LOCATION, NewContent};
use super::list::{self, PageQuery};
use super::members::{self, Members};
use crate::server::message::Message;
use crate::server::messages;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, done, reply};
use crate::server::request_cx::RequestCx;
use crate::server::views::MessageView;

/// `GET /conversations/{c}/messages`, newest first.
pub(super) fn list(cx: &RequestCx<'_>, id: &str, call: &Call) -> Reply {
    let page = PageQuery::read(&call.query)?;
    let conversation = cx.store.conversation(id)?;
    let messages = &conversation.messages;
    let before = page.after(|id| messages.get(id).map(Message::place))?;
    let found = messages.before(before).take(page.limit);
    list::data(found.map(|message| MessageView::new(id, conversation, message)))
}

/// `GET /conversations/{c}/messages/{m}`
pub(super) fn get(cx: &RequestCx<'_>, id: &str, message: &str) -> Reply {
    let conversation = cx.store.conversation(id)?;
    let message = conversation.messages.get(message);
    let message = message.ok_or_else(Refusal::message_not_found)?;
    reply(&MessageView::new(id, conversation, message))
}

/// `PUT /conversations/{c}/messages/{m}`. Other members than the content and the custom data are
/// ignored.
pub(super) fn put(cx: &mut RequestCx<'_>, id: &str, message: &str, call: &Call) -> Reply {
    let object = call.object("INVALID_MESSAGE")?;
    let mut members = Members::new(&object);
    let content = NewContent::read(&mut members);
    let custom = members.custom();
    let (content, custom) = members
        .finish((content, custom))
        .map_err(|reasons| members::refuse("INVALID_MESSAGE", &reasons))?;
    let is_location = content.as_ref().is_some_and(NewContent::is_location);
    let text = content
        .as_ref()
        .and_then(NewContent::text)
        .map(str::to_owned);
    let content = content
        .map(|content| content.check(cx.attachments()))
        .transpose()?;
    let before = cx.store.conversation(id)?.messages.get(message);
    let before = before.ok_or_else(Refusal::message_not_found)?;
    if before.sender.is_none() && is_location {
        return Err(invalid("INVALID_MESSAGE", NO_LOCATION));
    }
    messages::apply_edit(cx, id, message, content, text, custom)?;
    done()
}

/// `DELETE /conversations/{c}/messages/{m}`. An absent message is refused (our choice).
pub(super) fn delete(cx: &mut RequestCx<'_>, id: &str, message: &str) -> Reply {
    cx.store.conversation(id)?;
    messages::remove(cx, id, message)?;
    done()
}
