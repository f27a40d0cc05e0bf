//! Decoding of responses to the results of calls.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::body::{BatchItem, BatchKind, CallBody, ItemDecoder};
use crate::command::{Reply, RequestId, Translation};
use crate::content::{ContentBlock, MarkupSource, parse_markup, plaintext};
use crate::error::{RequestError, ServerError, TransportError};
use crate::model::MessageId;

/// The way in which the response to a single request is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseDecoder {
    /// The body is ignored.
    Done(Tolerated),
    /// The body contains the ID of the new message.
    Sent,
}

/// Refusals that count as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tolerated {
    None,
    /// The entity to delete does not exist.
    NotFound,
    /// The entity to create exists already.
    Exists,
    /// The conversation may not be edited, but the call changes none of its attributes.
    UneditableConversation,
    /// The participant may not be edited, but the call changes none of its attributes.
    UneditableParticipant,
}

impl Tolerated {
    pub(super) fn includes(self, refused: &ServerError) -> bool {
        let (status, error_code) = match self {
            Self::None => return false,
            Self::NotFound => (404, None),
            Self::Exists => (409, None),
            Self::UneditableConversation => (403, Some("UNAUTHORIZED_TO_EDIT")),
            Self::UneditableParticipant => (403, Some("UNAUTHORIZED_TO_EDIT_PARTICIPANT")),
        };
        refused.status == status && error_code.is_none_or(|code| refused.error_code == code)
    }
}

/// The result of a request for one of its calls.
pub(super) type Outcome = (RequestId, Result<Reply, RequestError>);

impl CallBody {
    /// Returns the result of each call.
    pub(super) fn decode(self, response: Result<Option<&RawValue>, RequestError>) -> Vec<Outcome> {
        let body = match response {
            Err(mut error) if !self.tolerates(&error) => {
                if let RequestError::Server(refused) = &mut error {
                    self.annotate(refused);
                }
                let callers = self.callers().into_iter();
                return callers.map(|call| (call, Err(error.clone()))).collect();
            }
            Err(_) => None,
            Ok(body) => body,
        };
        match self {
            Self::Single { call, decoder, .. } => match decoder {
                ResponseDecoder::Done(_) => vec![(call, Ok(Reply::Done))],
                ResponseDecoder::Sent => vec![(call, read_sent(body))],
            },
            Self::Batch { kind, items, .. } => match kind {
                BatchKind::Participants => read_participants(items, body),
                BatchKind::Translations { .. } => read_translations(items, body),
            },
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

fn read_participants(items: Vec<BatchItem>, body: Option<&RawValue>) -> Vec<Outcome> {
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

    // An action without a response counts as successful.
    let mut responses = read::<Body>(body).unwrap_or_default().responses.into_iter();
    let answered = items.into_iter().map(|item| (item, responses.next()));
    let active = answered.filter(|(item, _)| !item.is_cancelled);
    let outcome = |(item, response): (BatchItem, Option<Response>)| {
        let refused = response
            .filter(|response| response.status != 200)
            .map(|r| {
                let mut refused = ServerError::new(r.status, r.error_code, r.reasons);
                refused.mask_json(&item.json);
                refused
            })
            .filter(|refused| match item.decoder {
                ItemDecoder::Participant(tolerated) => !tolerated.includes(refused),
                ItemDecoder::Translation(_) => true,
            });
        let result = refused.map_or(Ok(Reply::Done), |refused| Err(refused.into()));
        (item.call, result)
    };
    active.map(outcome).collect()
}

fn read_translations(items: Vec<BatchItem>, body: Option<&RawValue>) -> Vec<Outcome> {
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
    let translation = |decoder: &ItemDecoder| -> Result<Reply, RequestError> {
        let data = &body.as_ref().map_err(Clone::clone)?.data;
        let translated = match decoder {
            ItemDecoder::Translation(message) => data.get(message).and_then(Option::as_ref),
            ItemDecoder::Participant(_) => None,
        };
        let content = translated.and_then(|translated| {
            let parse = |markup: &String| parse_markup(markup, MarkupSource::Translation);
            let parsed = || translated.markup.as_ref().map(parse);
            translated.content.clone().or_else(parsed)
        });
        Ok(Reply::Translation(content.map(|content| Translation {
            plaintext: plaintext(&content),
            content: content.into(),
        })))
    };
    let active = items.into_iter().filter(|item| !item.is_cancelled);
    active
        .map(|item| (item.call, translation(&item.decoder)))
        .collect()
}
