//! What the answers to requests say to the calls that made them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Action, CallBody, Outcome, Wanted};
use crate::command::{Reply, Translation};
use crate::content::{ContentBlock, MarkupSource, parse_markup, plaintext};
use crate::error::{RequestError, ServerError, TransportError};
use crate::model::MessageId;

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
    fn forgives(self, refused: &ServerError) -> bool {
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

impl CallBody {
    /// What a refusal means for the calls that this serves.
    pub(crate) fn refuse(self, refused: ServerError) -> Vec<Outcome> {
        match self {
            Self::Single {
                of,
                answer: Answer::Done(forgiven),
                ..
            } if forgiven.forgives(&refused) => {
                vec![(of, Ok(Reply::Done))]
            }
            other => other.fail(&RequestError::Server(refused)),
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

fn read<T: DeserializeOwned>(body: Option<&RawValue>) -> Result<T, RequestError> {
    body.and_then(|body| serde_json::from_str(body.get()).ok())
        .ok_or(RequestError::Transport(TransportError::Malformed))
}

fn read_sent(body: Option<&RawValue>) -> Result<Reply, RequestError> {
    #[derive(Deserialize)]
    struct Body {
        id: MessageId,
    }

    read::<Body>(body).map(|body| Reply::Sent(body.id))
}

fn read_participants(actions: Vec<Action>, body: Option<&RawValue>) -> Vec<Outcome> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        responses: Vec<Response>,
    }

    #[derive(Deserialize)]
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
                .map(|r| ServerError::new(r.status, r.error_code, r.reasons))
                .filter(|refused| !action.forgiven.forgives(refused));
            (
                action.of,
                refused.map_or(Ok(Reply::Done), |refused| Err(refused.into())),
            )
        })
        .collect()
}

fn read_translations(wanted: Vec<Wanted>, body: Option<&RawValue>) -> Vec<Outcome> {
    #[derive(Deserialize)]
    struct Body {
        data: BTreeMap<MessageId, Option<Translated>>,
    }

    #[derive(Deserialize)]
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
