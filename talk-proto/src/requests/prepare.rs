//! Conversion of calls to requests.

use fastrand::Rng;
use serde::Serialize;

use super::body::{BatchKind, CallBody, ItemDecoder};
use super::content::{edit_message, send};
use super::response::{ResponseDecoder, Tolerated};
use crate::command::{Call, RequestId};
use crate::key::idempotency_key;
use crate::live::interface::Get;
use crate::model::{
    ConversationId, ConversationParams, DEFAULT_ROLE, MessageId, Patch, UserId, UserParams,
};
use crate::timestamp::Timestamp;
use crate::wire::path::path;
use crate::wire::{Method, Request};

/// A call that is ready to be queued.
pub(crate) enum OutboundRequest {
    /// A read, which the live half performs.
    Get(Get),
    /// Requests that must all be answered.
    Requests(Vec<CallBody>),
}

impl From<CallBody> for OutboundRequest {
    fn from(body: CallBody) -> Self {
        Self::Requests(vec![body])
    }
}

/// Converts `call` to its requests.
pub(crate) fn prepare(
    call: Call,
    id: RequestId,
    me: &UserId,
    now: Timestamp,
    rng: &mut Rng,
) -> OutboundRequest {
    let done = |method, pieces: &[&str], tolerated| {
        let request = Request::bare(method, path(pieces));
        CallBody::single(id, request, ResponseDecoder::Done(tolerated)).into()
    };
    match call {
        Call::GetUser { user } => OutboundRequest::Get(Get::User(user)),
        Call::GetConversation { conversation } => {
            OutboundRequest::Get(Get::Conversation(conversation))
        }
        Call::GetParticipant { conversation, user } => {
            OutboundRequest::Get(Get::Participant(conversation, user))
        }
        Call::GetMessage {
            conversation,
            message,
        } => OutboundRequest::Get(Get::Message(conversation, message)),
        Call::GetFirstReactions {
            conversation,
            message,
            emoji,
        } => OutboundRequest::Get(Get::FirstReactions(conversation, message, emoji)),
        Call::CreateUser { user, params } => create_user(id, &user, params).into(),
        Call::SetUser { user, params } => set_user(id, &user, params).into(),
        Call::CreateConversation {
            conversation,
            params,
        } => change_conversation(id, conversation, me, &params, Change::Create),
        Call::SetConversation {
            conversation,
            params,
        } => change_conversation(id, conversation, me, &params, Change::Set),
        Call::MarkAsRead { conversation: c } => {
            let pieces = ["/me/conversations/", c.as_str(), "/read"];
            done(Method::Post, &pieces, Tolerated::None)
        }
        Call::MarkAsUnread { conversation: c } => {
            let pieces = ["/me/conversations/", c.as_str(), "/unread"];
            done(Method::Post, &pieces, Tolerated::None)
        }
        Call::MarkAsTyping { conversation: c } => {
            let pieces = ["/me/conversations/", c.as_str(), "/typing"];
            done(Method::Post, &pieces, Tolerated::None)
        }
        Call::SendMessage {
            conversation,
            message,
        } => send(id, conversation, &message, idempotency_key(now, rng)).into(),
        Call::CreateParticipant {
            conversation,
            user,
            params,
        } => participant(id, conversation, &user, "POST", &params, Tolerated::Exists).into(),
        Call::SetParticipant {
            conversation,
            user,
            params,
        } => participant(id, conversation, &user, "PUT", &params, Tolerated::None).into(),
        Call::EditParticipant {
            conversation,
            user,
            params,
        } => participant(id, conversation, &user, "PATCH", &params, Tolerated::None).into(),
        Call::DeleteParticipant {
            conversation: c,
            user,
        } => {
            let (c, user) = (c.as_str(), user.as_str());
            let pieces = ["/conversations/", c, "/participants/", user];
            done(Method::Delete, &pieces, Tolerated::NotFound)
        }
        Call::EditMessage {
            conversation,
            message,
            edit,
        } => edit_message(id, &conversation, &message, &edit).into(),
        Call::DeleteMessage {
            conversation: c,
            message: m,
        } => {
            let pieces = ["/conversations/", c.as_str(), "/messages/", m.as_str()];
            done(Method::Delete, &pieces, Tolerated::NotFound)
        }
        Call::TranslateMessage {
            conversation,
            message,
            language,
        } => {
            let json = json(&message);
            let kind = BatchKind::Translations { language };
            let decoder = ItemDecoder::Translation(message);
            CallBody::batch_of_one(id, conversation, kind, json, decoder).into()
        }
        Call::AddReaction {
            conversation: c,
            message: m,
            emoji,
        } => {
            let pieces = reaction_pieces(&c, &m, emoji.as_str(), me);
            done(Method::Put, &pieces, Tolerated::None)
        }
        Call::RemoveReaction {
            conversation: c,
            message: m,
            emoji,
        } => {
            let pieces = reaction_pieces(&c, &m, emoji.as_str(), me);
            done(Method::Delete, &pieces, Tolerated::NotFound)
        }
    }
}

fn reaction_pieces<'a>(
    conversation: &'a ConversationId,
    message: &'a MessageId,
    emoji: &'a str,
    me: &'a UserId,
) -> [&'a str; 8] {
    let (c, m) = (conversation.as_str(), message.as_str());
    let (a, b, d) = ("/conversations/", "/messages/", "/reactions/");
    [a, c, b, m, d, emoji, "/", me.as_str()]
}

fn create_user(id: RequestId, user: &UserId, mut params: UserParams) -> CallBody {
    if params.role.as_set().is_none() {
        params.role = Patch::Set(DEFAULT_ROLE.to_owned());
    }
    let request = Request::new(Method::Post, path(&["/users/", user.as_str()]), &params);
    CallBody::single(id, request, ResponseDecoder::Done(Tolerated::Exists))
}

fn set_user(id: RequestId, user: &UserId, mut params: UserParams) -> CallBody {
    if params.role == Patch::Reset {
        params.role = Patch::Set(DEFAULT_ROLE.to_owned());
    }
    let request = Request::new(Method::Put, path(&["/users/", user.as_str()]), &params);
    CallBody::single(id, request, ResponseDecoder::Done(Tolerated::None))
}

#[derive(Clone, Copy)]
enum Change {
    Create,
    Set,
}

/// Returns two requests: one for the conversation, and one for the current user's participation.
/// Both contain all parameters, and the server ignores the ones that do not belong to the request.
fn change_conversation(
    id: RequestId,
    conversation: ConversationId,
    me: &UserId,
    params: &ConversationParams,
    change: Change,
) -> OutboundRequest {
    let unless = |is_given: bool, tolerated| if is_given { Tolerated::None } else { tolerated };
    let (method, verb, of_conversation, of_participant) = match change {
        Change::Create => (Method::Post, "POST", Tolerated::Exists, Tolerated::Exists),
        Change::Set => (
            Method::Put,
            "PUT",
            unless(
                params.has_conversation_attributes(),
                Tolerated::UneditableConversation,
            ),
            unless(
                params.has_participant_attributes(),
                Tolerated::UneditableParticipant,
            ),
        ),
    };
    let path = path(&["/conversations/", conversation.as_str()]);
    let request = Request::new(method, path, params);
    OutboundRequest::Requests(vec![
        CallBody::single(id, request, ResponseDecoder::Done(of_conversation)),
        participant(id, conversation, me, verb, params, of_participant),
    ])
}

fn participant(
    id: RequestId,
    conversation: ConversationId,
    user: &UserId,
    method: &'static str,
    params: &impl Serialize,
    tolerated: Tolerated,
) -> CallBody {
    #[derive(Serialize)]
    struct Action<'a, P> {
        id: &'a UserId,
        method: &'static str,
        params: &'a P,
    }

    let action = Action {
        id: user,
        method,
        params,
    };
    let decoder = ItemDecoder::Participant(tolerated);
    CallBody::batch_of_one(
        id,
        conversation,
        BatchKind::Participants,
        json(&action),
        decoder,
    )
}

/// Returns the request that asks the server to accept a file.
pub(crate) fn upload_check(id: RequestId, filename: &str, size: u64) -> CallBody {
    let data = serde_json::json!({ "filename": filename, "filesize": size });
    let request = Request::new(Method::Post, "/files/validate".to_owned(), &data);
    CallBody::single(id, request, ResponseDecoder::Done(Tolerated::None))
}

/// Serialises a type of this crate, which cannot fail.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
