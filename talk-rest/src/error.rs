//! Errors of calls, and of answers.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use talk_proto::RetrySafety;

use crate::json;

/// The maximum length of a reason in an error message, in characters.
const MAX_REASON: usize = 200;

/// A call that cannot be made. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCall {
    /// The number of items is out of range.
    #[error("{count} {items} were given: a call takes 1 to {max}")]
    Count {
        /// The kind of item.
        items: &'static str,
        /// The number of items.
        count: usize,
        /// The maximum.
        max: usize,
    },
    /// The `limit` of a list is out of range.
    #[error("the limit is {limit}: it must be 1 to {max}")]
    Limit {
        /// The limit.
        limit: usize,
        /// The maximum.
        max: usize,
    },
    /// The chunks of an import are empty or too large.
    #[error("the chunk size is {size}: it must be 1 to {max}")]
    ChunkSize {
        /// The size.
        size: usize,
        /// The maximum.
        max: usize,
    },
    /// The batch has an operation with this number already.
    #[error("the batch has an operation with the number {seq} already")]
    DuplicateSeq {
        /// The number.
        seq: u64,
    },
    /// Uploads and batches cannot be operations of a batch.
    #[error("uploads and batches cannot be part of a batch: send them on their own")]
    NotForBatch,
    /// The address of the service is not a URL, or an ID is too long for one, or an ID is `.` or
    /// `..`.
    #[error(
        "the URL of the call is invalid: check the address of the service and the IDs, which \
         cannot be `.` or `..`"
    )]
    Url,
    /// The key or token is empty, or contains characters that a header cannot contain.
    #[error(
        "the key or token is empty or contains invalid characters: give it alone, without spaces"
    )]
    Credentials,
}

/// A call without a result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RestError {
    /// The service refused the call.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The service answered with a success that cannot be read.
    #[error("the answer of the service cannot be read: {cause}")]
    Unreadable {
        /// The reason.
        cause: String,
        /// The body of the answer.
        body: HiddenBody,
        /// The effect of a repetition.
        retry_safety: RetrySafety,
    },
}

impl RestError {
    /// Returns the effect of making the same call again.
    pub fn retry_safety(&self) -> RetrySafety {
        match self {
            Self::Refused(refusal) => refusal.retry_safety,
            Self::Unreadable { retry_safety, .. } => *retry_safety,
        }
    }

    /// Returns the status, if the service refused the call.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::Unreadable { .. } => None,
        }
    }

    /// Returns `true` if the entity does not exist. For a repeated deletion this means success.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Returns the time to wait before the next call, if the service gave one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Unreadable { .. } => None,
        }
    }
}

/// The refusal of a call. Only the status is certain: the service documents no format of the body.
///
/// `Display` shows the reasons. Reasons may quote the call, so `Debug` shows only their number.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// The status: 400 for invalid arguments, 401 for credentials, 404 for absent entities, 429 for
    /// too many requests, 5xx for a failure of the service.
    pub status: StatusCode,
    /// The member `errorCode`, if the body has one.
    pub error_code: Option<String>,
    /// The reasons, if the body has any.
    pub reasons: Vec<Reason>,
    /// The time to wait, from the header `Retry-After` in seconds.
    pub retry_after: Option<Duration>,
    /// The body as received.
    pub body: HiddenBody,
    /// The effect of making the same call again.
    pub retry_safety: RetrySafety,
}

/// A reason of a refusal. `Debug` hides it, because it may quote the call.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The member or entity that the reason is about, if the service names one.
    pub subject: Option<String>,
    /// The reason.
    pub text: String,
}

/// The body of an answer. `Debug` shows only its length, because it may contain message text.
#[derive(Clone, PartialEq, Eq)]
pub struct HiddenBody(pub(crate) Bytes);

impl HiddenBody {
    /// Returns the bytes as received.
    pub fn expose(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for HiddenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HiddenBody({} bytes)", self.0.len())
    }
}

impl Refusal {
    /// Reads a refusal. `retry_safety` is that of the call after a lost answer.
    pub(crate) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        retry_safety: RetrySafety,
    ) -> Self {
        let json = json::parse(body).ok();
        let code = json
            .as_ref()
            .and_then(|json| json.get("errorCode")?.as_str());
        let retry_after = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self {
            status,
            error_code: code.map(str::to_owned),
            reasons: match &json {
                Some(Value::String(text)) => plain_reason(text.as_bytes()),
                Some(json) => json.get("reasons").map(reasons).unwrap_or_default(),
                None => plain_reason(body),
            },
            retry_after: retry_after.map(Duration::from_secs),
            body: HiddenBody(Bytes::copy_from_slice(body)),
            retry_safety: match status.as_u16() {
                429 => RetrySafety::Safe,
                500..=599 => retry_safety,
                _ => RetrySafety::Never,
            },
        }
    }

    /// Returns the action that helps.
    fn remedy(&self) -> &'static str {
        match self.status.as_u16() {
            400 => "correct the arguments",
            401 => "check that the key belongs to this app, and the clock of this machine",
            404 => "check the app ID, the IDs of the call, and the address of the service",
            429 => "wait and send it again",
            500..=599 => "send it again later",
            300..=399 => "check the address of the service",
            _ => "see the documentation of the service",
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("reasons", &self.reasons.len())
            .field("retry_after", &self.retry_after)
            .field("body", &self.body)
            .field("retry_safety", &self.retry_safety)
            .finish()
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reason").finish_non_exhaustive()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the service refused the call with {}",
            self.status.as_u16()
        )?;
        if let Some(code) = &self.error_code {
            write!(f, " {code}")?;
        }
        for reason in self.reasons.iter().take(3) {
            f.write_str(": ")?;
            if let Some(subject) = &reason.subject {
                write!(f, "{subject}: ")?;
            }
            let text = reason.text.trim().trim_end_matches('.');
            write!(f, "{text:.MAX_REASON$}")?;
        }
        write!(f, "; {}", self.remedy())
    }
}

/// Reads a string, a list of strings, or a map from a subject to either.
fn reasons(json: &Value) -> Vec<Reason> {
    match json {
        Value::Object(map) => map
            .iter()
            .flat_map(|(subject, reason)| {
                let subject = Some(subject.clone());
                let texts = texts(reason).into_iter();
                texts.map(move |text| Reason {
                    subject: subject.clone(),
                    text,
                })
            })
            .collect(),
        other => texts(other)
            .into_iter()
            .map(|text| Reason {
                subject: None,
                text,
            })
            .collect(),
    }
}

fn texts(json: &Value) -> Vec<String> {
    match json {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

/// Returns a body that is a short text without JSON, such as `Not found.`.
fn plain_reason(body: &[u8]) -> Vec<Reason> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    if text.is_empty() || text.len() > MAX_REASON || text.starts_with('<') {
        return Vec::new();
    }
    vec![Reason {
        subject: None,
        text: text.to_owned(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap();
        Refusal::new(
            status,
            &HeaderMap::new(),
            body.as_bytes(),
            RetrySafety::MayDuplicate,
        )
    }

    #[test]
    fn refusal_reads_every_form_of_reasons() {
        let shown = |body| {
            let refusal = refusal(400, body);
            let reasons = refusal.reasons.into_iter();
            let reasons = reasons.map(|it| (it.subject.unwrap_or_default(), it.text));
            reasons.collect::<Vec<_>>()
        };
        let pair = |subject: &str, text: &str| (subject.to_owned(), text.to_owned());
        assert_eq!(
            shown(r#"{"reasons":["a","b"]}"#),
            [pair("", "a"), pair("", "b")]
        );
        assert_eq!(shown(r#"{"reasons":"a"}"#), [pair("", "a")]);
        assert_eq!(
            shown(r#"{"reasons":{"bob":["a","b"],"name":"c"}}"#),
            [pair("bob", "a"), pair("bob", "b"), pair("name", "c")]
        );
        assert_eq!(shown("Not found."), [pair("", "Not found.")]);
        assert_eq!(shown(r#""Not found""#), [pair("", "Not found")]);
        assert_eq!(shown("<html>"), []);
        assert_eq!(shown(""), []);
        assert_eq!(shown("[]"), []);
    }

    #[test]
    fn refusal_message_has_code_reason_and_remedy() {
        let body = r#"{"errorCode":"INVALID_USER","reasons":{"email":["Must be a list."]}}"#;
        assert_eq!(
            refusal(400, body).to_string(),
            "the service refused the call with 400 INVALID_USER: email: Must be a list; correct \
             the arguments"
        );
    }

    #[test]
    fn refusal_retry_safety_depends_on_status() {
        for (status, expected) in [
            (400, RetrySafety::Never),
            (404, RetrySafety::Never),
            (429, RetrySafety::Safe),
            (500, RetrySafety::MayDuplicate),
            (302, RetrySafety::Never),
        ] {
            assert_eq!(refusal(status, "").retry_safety, expected, "{status}");
        }
    }
}
