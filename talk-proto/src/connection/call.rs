//! Calls: the requests that they make, and what the answers mean.

use fastrand::Rng;
use serde::Serialize;
use serde_json::value::RawValue;

use super::key::idempotency_key;
use crate::command::{Call, EditMessage, MessageBody, Reply, RequestId, SendMessage, Translation};
use crate::content::{ContentBlock, ForWire, MarkupSource, parse_markup, plaintext};
use crate::error::{Refused, RequestError, TransportError};
use crate::live::Get;
use crate::model::{
    ConversationId, ConversationParams, CustomPatch, DEFAULT_ROLE, MessageId, Patch, UserId,
    UserParams,
};
use crate::time::Time;
use crate::upload::Upload;
use crate::wire::path::path;
use crate::wire::{Method, Request};

/// A call, ready to be queued.
pub(crate) enum Prepared {
    /// It reads what the live half may hold already.
    Get(Get),
    /// It is made of these requests; all of them must be answered.
    Requests(Vec<CallBody>),
}

/// One request of the queue, before it has a number. A batch serves several calls.
pub(crate) enum CallBody {
    /// One request of one call.
    Single {
        of: RequestId,
        request: Request,
        answer: Answer,
        lane: Option<ConversationId>,
    },
    /// Changes of participants of one conversation.
    Participants {
        conversation: ConversationId,
        actions: Vec<Action>,
    },
    /// Translations of messages of one conversation into one language.
    Translate {
        conversation: ConversationId,
        language: String,
        wanted: Vec<Wanted>,
    },
}

/// How a single request's answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is nothing in it.
    Done(Forgiven),
    /// It tells the ID of the message.
    Sent,
}

/// Refusals that count as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgiven {
    Nothing,
    /// What is to go is gone.
    NotFound,
    /// What is to be exists.
    Exists,
    /// The conversation may not be edited, and nothing of it was to change.
    NothingToEdit,
    /// The participant may not be edited, and nothing of them was to change.
    NobodyToEdit,
}

impl Forgiven {
    fn forgives(self, refused: &Refused) -> bool {
        match self {
            Self::Nothing => false,
            Self::NotFound => refused.status == 404,
            Self::Exists => refused.status == 409,
            Self::NothingToEdit => {
                refused.status == 403 && refused.error_code == "UNAUTHORIZED_TO_EDIT"
            }
            Self::NobodyToEdit => {
                refused.status == 403 && refused.error_code == "UNAUTHORIZED_TO_EDIT_PARTICIPANT"
            }
        }
    }
}

/// One change of a participant.
pub(crate) struct Action {
    of: RequestId,
    user: UserId,
    method: &'static str,
    params: serde_json::Value,
    forgiven: Forgiven,
    cancelled: bool,
}

/// One wanted translation.
pub(crate) struct Wanted {
    of: RequestId,
    message: MessageId,
    cancelled: bool,
}

/// What became of one request of one call.
pub(crate) type Outcome = (RequestId, Result<Reply, RequestError>);

/// The most actions that a frame may carry.
const MAX_ACTIONS: usize = 100;
/// The most messages that a frame may ask translations of.
const MAX_TRANSLATIONS: usize = 100;

/// Turns `call` into what is to be sent for it.
pub(crate) fn prepare(
    call: Call,
    of: RequestId,
    me: &UserId,
    now: Time,
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

fn single(of: RequestId, request: Request, answer: Answer) -> Prepared {
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

fn send(
    of: RequestId,
    conversation: ConversationId,
    message: &SendMessage,
    idempotency_key: String,
) -> Prepared {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        content: WireContent<'a>,
        #[serde(skip_serializing_if = "Patch::is_keep")]
        custom: &'a Patch<CustomPatch>,
        #[serde(skip_serializing_if = "Option::is_none")]
        referenced_message_id: Option<&'a MessageId>,
        idempotency_key: String,
    }

    let path = path(&["/conversations/", conversation.as_str(), "/messages"]);
    let data = Data {
        content: WireContent::of(&message.body, MarkupSource::Send),
        custom: &message.custom,
        referenced_message_id: message.referenced_message.as_ref(),
        idempotency_key,
    };
    let request = Request::new(Method::Post, path, &data);
    let lane = Some(conversation);
    Prepared::Requests(vec![CallBody::Single {
        of,
        request,
        answer: Answer::Sent,
        lane,
    }])
}

fn edit_message(
    of: RequestId,
    conversation: &ConversationId,
    message: &MessageId,
    edit: &EditMessage,
) -> Prepared {
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<WireContent<'a>>,
        #[serde(skip_serializing_if = "Patch::is_keep")]
        custom: &'a Patch<CustomPatch>,
    }

    let path = path(&[
        "/conversations/",
        conversation.as_str(),
        "/messages/",
        message.as_str(),
    ]);
    let content = edit.body.as_ref();
    let content = content.map(|body| WireContent::of(body, MarkupSource::Edit));
    let request = Request::new(
        Method::Patch,
        path,
        &Data {
            content,
            custom: &edit.custom,
        },
    );
    single(of, request, Answer::Done(Forgiven::Nothing))
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

/// What a message says, as it goes out: parsed text in the spelling of the published client,
/// blocks as they were given.
enum WireContent<'a> {
    Parsed(Vec<ContentBlock>),
    Given(&'a [ContentBlock]),
}

impl<'a> WireContent<'a> {
    fn of(body: &'a MessageBody, source: MarkupSource) -> Self {
        match body {
            MessageBody::Text(text) => Self::Parsed(parse_markup(text, source)),
            MessageBody::Content(blocks) => Self::Given(blocks),
        }
    }
}

impl Serialize for WireContent<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Parsed(blocks) => ForWire(blocks).serialize(serializer),
            Self::Given(blocks) => blocks.serialize(serializer),
        }
    }
}

impl CallBody {
    /// Takes in `other` if one frame can carry both; gives it back otherwise.
    pub(crate) fn join(&mut self, other: Self) -> Result<(), Self> {
        match (self, other) {
            (
                Self::Participants {
                    conversation,
                    actions,
                },
                Self::Participants {
                    conversation: same,
                    actions: mut more,
                },
            ) if *conversation == same && actions.len() + more.len() <= MAX_ACTIONS => {
                actions.append(&mut more);
                Ok(())
            }
            (
                Self::Translate {
                    conversation,
                    language,
                    wanted,
                },
                Self::Translate {
                    conversation: same,
                    language: too,
                    wanted: mut more,
                },
            ) if *conversation == same
                && *language == too
                && wanted.len() + more.len() <= MAX_TRANSLATIONS =>
            {
                wanted.append(&mut more);
                Ok(())
            }
            (_, other) => Err(other),
        }
    }

    /// The request to send now; what was cancelled is not in it.
    pub(crate) fn request(&mut self) -> Request {
        #[derive(Serialize)]
        struct WireAction<'a> {
            id: &'a UserId,
            method: &'static str,
            params: &'a serde_json::Value,
        }

        match self {
            Self::Single { request, .. } => request.clone(),
            Self::Participants {
                conversation,
                actions,
            } => {
                actions.retain(|action| !action.cancelled);
                let actions: Vec<_> = actions
                    .iter()
                    .map(|a| WireAction {
                        id: &a.user,
                        method: a.method,
                        params: &a.params,
                    })
                    .collect();
                let data = serde_json::json!({ "actions": actions });
                let pieces = ["/conversations/", conversation.as_str(), "/participants"];
                Request::new(Method::Post, path(&pieces), &data)
            }
            Self::Translate {
                conversation,
                language,
                wanted,
            } => {
                wanted.retain(|wanted| !wanted.cancelled);
                let mut ids: Vec<&MessageId> = Vec::new();
                for Wanted { message, .. } in wanted.iter() {
                    if !ids.contains(&message) {
                        ids.push(message);
                    }
                }
                let data = serde_json::json!({ "ids": ids, "lang": language });
                let pieces = ["/me/conversations/", conversation.as_str(), "/translate"];
                Request::new(Method::Get, path(&pieces), &data)
            }
        }
    }

    /// The conversation in which sends keep their order, if this is a send.
    pub(crate) fn lane(&self) -> Option<&ConversationId> {
        match self {
            Self::Single { lane, .. } => lane.as_ref(),
            Self::Participants { .. } | Self::Translate { .. } => None,
        }
    }

    /// Forgets the part of one call. Whether nothing is left.
    pub(crate) fn cancel(&mut self, request: RequestId) -> bool {
        match self {
            Self::Single { of, .. } => *of == request,
            Self::Participants { actions, .. } => {
                for action in actions.iter_mut().filter(|action| action.of == request) {
                    action.cancelled = true;
                }
                actions.iter().all(|action| action.cancelled)
            }
            Self::Translate { wanted, .. } => {
                for wanted in wanted.iter_mut().filter(|wanted| wanted.of == request) {
                    wanted.cancelled = true;
                }
                wanted.iter().all(|wanted| wanted.cancelled)
            }
        }
    }

    /// The same failure for every call that this serves.
    pub(crate) fn fail(self, error: &RequestError) -> Vec<Outcome> {
        self.callers()
            .into_iter()
            .map(|of| (of, Err(error.clone())))
            .collect()
    }

    fn callers(&self) -> Vec<RequestId> {
        match self {
            Self::Single { of, .. } => vec![*of],
            Self::Participants { actions, .. } => actions
                .iter()
                .filter(|a| !a.cancelled)
                .map(|a| a.of)
                .collect(),
            Self::Translate { wanted, .. } => wanted
                .iter()
                .filter(|w| !w.cancelled)
                .map(|w| w.of)
                .collect(),
        }
    }

    /// What a refusal means for the calls that this serves.
    pub(crate) fn refuse(self, refused: Refused) -> Vec<Outcome> {
        match self {
            Self::Single {
                of,
                answer: Answer::Done(forgiven),
                ..
            } if forgiven.forgives(&refused) => {
                vec![(of, Ok(Reply::Done))]
            }
            other => other.fail(&RequestError::Refused(refused)),
        }
    }

    /// What a body says to the calls that this serves.
    pub(crate) fn answer(self, body: Option<&RawValue>) -> Vec<Outcome> {
        match self {
            Self::Single {
                of,
                answer: Answer::Done(_),
                ..
            } => vec![(of, Ok(Reply::Done))],
            Self::Single {
                of,
                answer: Answer::Sent,
                ..
            } => vec![(of, read_sent(body))],
            Self::Participants { actions, .. } => read_participants(actions, body),
            Self::Translate { wanted, .. } => read_translations(wanted, body),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(body: Option<&RawValue>) -> Result<T, RequestError> {
    body.and_then(|body| serde_json::from_str(body.get()).ok())
        .ok_or(RequestError::Transport(TransportError::Malformed))
}

fn read_sent(body: Option<&RawValue>) -> Result<Reply, RequestError> {
    #[derive(serde::Deserialize)]
    struct Body {
        id: MessageId,
    }

    read::<Body>(body).map(|body| Reply::Sent(body.id))
}

fn read_participants(actions: Vec<Action>, body: Option<&RawValue>) -> Vec<Outcome> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Body {
        responses: Vec<Response>,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Response {
        status: u16,
        #[serde(default)]
        error_code: String,
        #[serde(default)]
        reasons: Vec<String>,
    }

    // A server that has nothing to say about an action has carried it out.
    let mut responses = read::<Body>(body).unwrap_or_default().responses.into_iter();
    let answered = actions.into_iter().map(|action| (action, responses.next()));
    answered
        .filter(|(action, _)| !action.cancelled)
        .map(|(action, response)| {
            let refused = response
                .filter(|response| response.status != 200)
                .map(|r| Refused::new(r.status, r.error_code, r.reasons))
                .filter(|refused| !action.forgiven.forgives(refused));
            (
                action.of,
                refused.map_or(Ok(Reply::Done), |refused| Err(refused.into())),
            )
        })
        .collect()
}

fn read_translations(wanted: Vec<Wanted>, body: Option<&RawValue>) -> Vec<Outcome> {
    #[derive(serde::Deserialize)]
    struct Body {
        data: std::collections::BTreeMap<MessageId, Option<Translated>>,
    }

    #[derive(serde::Deserialize)]
    struct Translated {
        content: Option<Vec<ContentBlock>>,
        markup: Option<String>,
    }

    let body = read::<Body>(body);
    let translation = |message: &MessageId| -> Result<Reply, RequestError> {
        let translated = body.as_ref().map_err(Clone::clone)?.data.get(message);
        let content = translated.and_then(Option::as_ref).and_then(|translated| {
            let parse = |markup: &String| parse_markup(markup, MarkupSource::Translation);
            let parsed = || translated.markup.as_ref().map(parse);
            translated.content.clone().or_else(parsed)
        });
        Ok(Reply::Translation(content.map(|content| Translation {
            plaintext: plaintext(&content),
            content: content.into(),
        })))
    };
    let kept = wanted.into_iter().filter(|wanted| !wanted.cancelled);
    kept.map(|wanted| (wanted.of, translation(&wanted.message)))
        .collect()
}
