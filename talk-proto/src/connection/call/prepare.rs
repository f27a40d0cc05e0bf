//! From a call to its requests.

use fastrand::Rng;
use serde::Serialize;

use super::answer::{Answer, Forgiven};
use super::message::{edit_message, send};
use super::{Action, CallBody, Prepared, Wanted};
use crate::command::{Call, RequestId};
use crate::connection::key::idempotency_key;
use crate::live::interface::Get;
use crate::model::{
    ConversationId, ConversationParams, DEFAULT_ROLE, MessageId, Patch, UserId, UserParams,
};
use crate::timestamp::Timestamp;
use crate::upload::file::Upload;
use crate::wire::path::path;
use crate::wire::{Method, Request};

/// Turns `call` into what is to be sent for it.
pub(crate) fn prepare(
    call: Call,
    of: RequestId,
    me: &UserId,
    now: Timestamp,
    rng: &mut Rng,
) -> Prepared {
    let done = |method, pieces: &[&str], forgiven| {
        let request = Request::bare(method, path(pieces));
        single(of, request, Answer::Done(forgiven))
    };
    match call {
        Call::GetUser { user } => Prepared::Get(Get::User(user)),
        Call::GetConversation { conversation } => Prepared::Get(Get::Conversation(conversation)),
        Call::GetParticipant { conversation, user } => {
            Prepared::Get(Get::Participant(conversation, user))
        }
        Call::GetMessage {
            conversation,
            message,
        } => Prepared::Get(Get::Message(conversation, message)),
        Call::GetFirstReactions {
            conversation,
            message,
            emoji,
        } => Prepared::Get(Get::FirstReactions(conversation, message, emoji)),
        Call::CreateUser { user, params } => create_user(of, &user, params),
        Call::SetUser { user, params } => set_user(of, &user, params),
        Call::CreateConversation {
            conversation,
            params,
        } => change_conversation(of, conversation, me, &params, Change::Create),
        Call::SetConversation {
            conversation,
            params,
        } => change_conversation(of, conversation, me, &params, Change::Set),
        Call::MarkAsRead { conversation: c } => {
            let pieces = ["/me/conversations/", c.as_str(), "/read"];
            done(Method::Post, &pieces, Forgiven::Nothing)
        }
        Call::MarkAsUnread { conversation: c } => {
            let pieces = ["/me/conversations/", c.as_str(), "/unread"];
            done(Method::Post, &pieces, Forgiven::Nothing)
        }
        Call::MarkAsTyping { conversation: c } => {
            let pieces = ["/me/conversations/", c.as_str(), "/typing"];
            done(Method::Post, &pieces, Forgiven::Nothing)
        }
        Call::SendMessage {
            conversation,
            message,
        } => send(of, conversation, &message, idempotency_key(now, rng)),
        Call::CreateParticipant {
            conversation,
            user,
            params,
        } => participant(of, conversation, user, "POST", &params, Forgiven::Exists),
        Call::SetParticipant {
            conversation,
            user,
            params,
        } => participant(of, conversation, user, "PUT", &params, Forgiven::Nothing),
        Call::EditParticipant {
            conversation,
            user,
            params,
        } => participant(of, conversation, user, "PATCH", &params, Forgiven::Nothing),
        Call::DeleteParticipant {
            conversation: c,
            user,
        } => {
            let pieces = [
                "/conversations/",
                c.as_str(),
                "/participants/",
                user.as_str(),
            ];
            done(Method::Delete, &pieces, Forgiven::NotFound)
        }
        Call::EditMessage {
            conversation,
            message,
            edit,
        } => edit_message(of, &conversation, &message, &edit),
        Call::DeleteMessage {
            conversation: c,
            message: m,
        } => {
            let pieces = ["/conversations/", c.as_str(), "/messages/", m.as_str()];
            done(Method::Delete, &pieces, Forgiven::NotFound)
        }
        Call::TranslateMessage {
            conversation,
            message,
            language,
        } => {
            let wanted = vec![Wanted {
                of,
                message,
                cancelled: false,
            }];
            Prepared::Requests(vec![CallBody::Translate {
                conversation,
                language,
                wanted,
            }])
        }
        Call::AddReaction {
            conversation: c,
            message: m,
            emoji,
        } => {
            let pieces = reaction_pieces(&c, &m, emoji.as_str(), me);
            done(Method::Put, &pieces, Forgiven::Nothing)
        }
        Call::RemoveReaction {
            conversation: c,
            message: m,
            emoji,
        } => {
            let pieces = reaction_pieces(&c, &m, emoji.as_str(), me);
            done(Method::Delete, &pieces, Forgiven::NotFound)
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
    [
        "/conversations/",
        c,
        "/messages/",
        m,
        "/reactions/",
        emoji,
        "/",
        me.as_str(),
    ]
}

pub(super) fn single(of: RequestId, request: Request, answer: Answer) -> Prepared {
    Prepared::Requests(vec![CallBody::Single {
        of,
        request,
        answer,
        lane: None,
    }])
}

fn create_user(of: RequestId, user: &UserId, mut params: UserParams) -> Prepared {
    if params.role.as_set().is_none() {
        params.role = Patch::Set(DEFAULT_ROLE.to_owned());
    }
    let request = Request::new(Method::Post, path(&["/users/", user.as_str()]), &params);
    single(of, request, Answer::Done(Forgiven::Exists))
}

fn set_user(of: RequestId, user: &UserId, mut params: UserParams) -> Prepared {
    if params.role == Patch::Reset {
        params.role = Patch::Set(DEFAULT_ROLE.to_owned());
    }
    let request = Request::new(Method::Put, path(&["/users/", user.as_str()]), &params);
    single(of, request, Answer::Done(Forgiven::Nothing))
}

#[derive(Clone, Copy)]
enum Change {
    Create,
    Set,
}

/// Two requests: one for the conversation, one for the current user's participation. Both carry
/// all parameters; the server takes from each what belongs there.
fn change_conversation(
    of: RequestId,
    conversation: ConversationId,
    me: &UserId,
    params: &ConversationParams,
    change: Change,
) -> Prepared {
    let (method, verb, forgive_conversation, forgive_participant) = match change {
        Change::Create => (Method::Post, "POST", Forgiven::Exists, Forgiven::Exists),
        Change::Set => {
            let edits = params.has_conversation_attributes();
            let participates = params.has_participant_attributes();
            (
                Method::Put,
                "PUT",
                if edits {
                    Forgiven::Nothing
                } else {
                    Forgiven::NothingToEdit
                },
                if participates {
                    Forgiven::Nothing
                } else {
                    Forgiven::NobodyToEdit
                },
            )
        }
    };
    let request = Request::new(
        method,
        path(&["/conversations/", conversation.as_str()]),
        params,
    );
    let answer = Answer::Done(forgive_conversation);
    Prepared::Requests(vec![
        CallBody::Single {
            of,
            request,
            answer,
            lane: None,
        },
        participant_body(
            of,
            conversation,
            me.clone(),
            verb,
            params,
            forgive_participant,
        ),
    ])
}

fn participant(
    of: RequestId,
    conversation: ConversationId,
    user: UserId,
    method: &'static str,
    params: &impl Serialize,
    forgiven: Forgiven,
) -> Prepared {
    let body = participant_body(of, conversation, user, method, params, forgiven);
    Prepared::Requests(vec![body])
}

fn participant_body(
    of: RequestId,
    conversation: ConversationId,
    user: UserId,
    method: &'static str,
    params: &impl Serialize,
    forgiven: Forgiven,
) -> CallBody {
    let params = serde_json::to_value(params).unwrap_or_default();
    let action = Action {
        of,
        user,
        method,
        params,
        forgiven,
        cancelled: false,
    };
    CallBody::Participants {
        conversation,
        actions: vec![action],
    }
}

/// Asks whether a file may be uploaded.
pub(crate) fn validation(of: RequestId, upload: &Upload) -> CallBody {
    let data = serde_json::json!({ "filename": upload.filename, "filesize": upload.size });
    let request = Request::new(Method::Post, "/files/validate".to_owned(), &data);
    let answer = Answer::Done(Forgiven::Nothing);
    CallBody::Single {
        of,
        request,
        answer,
        lane: None,
    }
}
