//! Requests about single conversations.

use super::answer::invalid;
use super::call::Call;
use super::members::{self, Members};
use super::users::MAX_ID;
use crate::server::conversations::{self, ConversationParams};
use crate::server::participants;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, done, reply};
use crate::server::request_cx::RequestCx;
use crate::server::views::ConversationView;
use crate::server::webhooks;

/// `GET /conversations/{c}`
pub(super) fn get(cx: &RequestCx<'_>, id: &str) -> Reply {
    reply(&ConversationView::new(id, cx.store.conversation(id)?))
}

/// `DELETE /conversations/{c}`. An absent conversation is refused (our choice).
pub(super) fn delete(cx: &mut RequestCx<'_>, id: &str) -> Reply {
    webhooks::conversation_deleted(cx, id);
    conversations::delete(cx, id)?;
    done()
}

/// `PUT /conversations/{c}`. `participants` are added, never removed. A conversation may have none
/// (our choice).
pub(super) fn put(cx: &mut RequestCx<'_>, id: &str, call: &Call) -> Reply {
    let object = call.object("INVALID_CONVERSATION")?;
    let mut members = Members::new(&object);
    if id.len() > MAX_ID {
        members.refuse(format!("id: must have 1 to {MAX_ID} bytes"));
    }
    let params = ConversationParams {
        subject: members.string("subject"),
        photo_url: members.string("photoUrl"),
        welcome_messages: members.read("welcomeMessages", "a list of strings"),
        custom: members.custom(),
    };
    let users: Option<Vec<String>> = members.optional("participants", "a list of user ids");
    let (params, users) = members
        .finish((params, users.unwrap_or_default()))
        .map_err(|reasons| members::refuse("INVALID_CONVERSATION", &reasons))?;

    let new = new_participants(cx, id, users)?;
    conversations::store(cx, id, params);
    for user in new {
        participants::add(cx, id, &user)?;
    }
    done()
}

/// Returns the users that are no participants yet. Refuses unknown users and too many
/// participants (our choice).
fn new_participants(
    cx: &RequestCx<'_>,
    id: &str,
    users: Vec<String>,
) -> Result<Vec<String>, Refusal> {
    let conversation = cx.store.conversations.get(id);
    let mut new: Vec<String> = Vec::new();
    for user in users {
        if !cx.store.users.contains_key(&user) {
            let reason = "A participant is no user: create the user first.";
            return Err(invalid("USER_NOT_FOUND", reason));
        }
        let is_in = conversation.is_some_and(|it| it.participants.contains_key(&user));
        if !is_in && !new.contains(&user) {
            new.push(user);
        }
    }
    let max = cx.settings.limits.participants;
    if conversation.map_or(0, |it| it.participants.len()) + new.len() > max {
        let reason = format!("A conversation has at most {max} participants.");
        return Err(invalid("TOO_MANY_PARTICIPANTS", reason));
    }
    Ok(new)
}
