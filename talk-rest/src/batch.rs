//! Batches of operations.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use talk_proto::RetrySafety;

use crate::call::{Call, Decode, Parts, Payload};
use crate::error::{HiddenBody, InvalidCall, Refusal, RestError};
use crate::path::has_dot_segment;

/// The maximum number of operations.
const MAX_OPERATIONS: usize = 10;

/// Up to ten calls in one request. They may run in any order and are not a transaction: some may
/// succeed while others fail.
///
/// ```
/// use talk_rest::{Batch, UserParams, user};
///
/// let mut batch = Batch::new();
/// let put = batch.add(&user("alice")?.put(UserParams::named("Alice")))?;
/// let bob = batch.add(&user("bob")?.get())?;
/// let call = batch.into_call()?;
/// # fn read(call: talk_rest::Call<talk_rest::BatchAnswers>, put: talk_rest::Handle<()>,
/// #     bob: talk_rest::Handle<talk_rest::model::User>, response: http::Response<bytes::Bytes>,
/// # ) -> Result<(), talk_rest::RestError> {
/// // …
/// let answers = call.decode(&response)?;
/// answers.get(&put)?;
/// println!("{}", answers.get(&bob)?.name);
/// # Ok(())
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Batch {
    operations: Vec<Operation>,
}

/// A call in a batch.
#[derive(Clone)]
pub(crate) struct Operation {
    seq: u64,
    pub(crate) parts: Parts,
}

/// A reference to a call in a batch, with the type of its answer.
pub struct Handle<T> {
    seq: u64,
    method: Method,
    decode: Decode<T>,
    retry_safety: RetrySafety,
}

/// The answers of a batch.
#[derive(Clone)]
pub struct BatchAnswers {
    answers: BTreeMap<u64, (StatusCode, Value)>,
    /// Set if an earlier attempt may have been processed.
    is_repeated: bool,
}

impl Batch {
    /// Creates an empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a call with the next free number.
    ///
    /// # Errors
    /// [`InvalidCall::Count`] for an 11th call, [`InvalidCall::NotForBatch`] for uploads and
    /// batches, and [`InvalidCall::Url`] for an ID that a URL cannot contain.
    pub fn add<T>(&mut self, call: &Call<T>) -> Result<Handle<T>, InvalidCall> {
        let highest = self.operations.iter().map(|it| it.seq).max();
        self.add_as(highest.map_or(1, |seq| seq.saturating_add(1)), call)
    }

    /// Adds a call with a number.
    ///
    /// # Errors
    /// As [`add`](Self::add), and [`InvalidCall::DuplicateSeq`] for a number that another call has.
    pub fn add_as<T>(&mut self, seq: u64, call: &Call<T>) -> Result<Handle<T>, InvalidCall> {
        if let Payload::Form { .. } | Payload::Batch(_) = call.parts.payload {
            return Err(InvalidCall::NotForBatch);
        }
        if has_dot_segment(&call.parts.path) {
            return Err(InvalidCall::Url);
        }
        if self.operations.iter().any(|it| it.seq == seq) {
            return Err(InvalidCall::DuplicateSeq { seq });
        }
        count_in_range("operations", self.operations.len() + 1, MAX_OPERATIONS)?;
        self.operations.push(Operation {
            seq,
            parts: call.parts.clone(),
        });
        Ok(Handle {
            seq,
            method: call.parts.method.clone(),
            decode: call.decode,
            retry_safety: call.retry_safety(),
        })
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Returns `true` if there are no calls.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Returns the call that sends the batch.
    ///
    /// # Errors
    /// [`InvalidCall::Count`] if the batch is empty.
    pub fn into_call(self) -> Result<Call<BatchAnswers>, InvalidCall> {
        count_in_range("operations", self.operations.len(), MAX_OPERATIONS)?;
        let payload = Payload::Batch(self.operations);
        let mut call = Call::new(Method::POST, "/batch".into(), payload, answers);
        call.decode_repeated = repeated_answers;
        Ok(call)
    }
}

/// Fails if the number of items is not 1 to `max`.
pub(crate) fn count_in_range(
    items: &'static str,
    count: usize,
    max: usize,
) -> Result<(), InvalidCall> {
    match (1..=max).contains(&count) {
        true => Ok(()),
        false => Err(InvalidCall::Count { items, count, max }),
    }
}

impl Operation {
    /// Returns `[seq, method, path, payload?, options?]`. The payload of a GET is its query.
    pub(crate) fn to_json(&self) -> Value {
        let mut payload = match &self.parts.payload {
            Payload::Json(value) | Payload::Import(value) => Some(value.clone()),
            Payload::Messages(messages) => Some(json!(messages)),
            Payload::None if !self.parts.query.is_empty() => {
                let pairs = self.parts.query.iter();
                let pairs = pairs.map(|(name, value)| (name.clone(), value.clone().into()));
                Some(Value::Object(pairs.collect()))
            }
            // Forms and batches are refused by `Batch::add`.
            Payload::None | Payload::Form { .. } | Payload::Batch(_) => None,
        };
        let options = self.parts.version;
        let options = options.map(|version| json!({ "api_version": version.as_str() }));
        if options.is_some() {
            payload.get_or_insert_with(|| json!({}));
        }
        let mut operation = vec![
            json!(self.seq),
            json!(self.parts.method.as_str()),
            // The path of the app itself is empty.
            json!(if self.parts.path.is_empty() {
                "/"
            } else {
                &self.parts.path
            }),
        ];
        operation.extend(payload);
        operation.extend(options);
        Value::Array(operation)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, parts } = self;
        write!(f, "{seq} {} {}", parts.method, parts.path)
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

impl BatchAnswers {
    /// Returns the answer of a call. After [`Call::decode_repeated`], an entity that a deletion
    /// does not find was deleted by the earlier attempt.
    ///
    /// # Errors
    /// As [`Call::decode`], and [`RestError::Unreadable`] if the answer is missing.
    pub fn get<T>(&self, handle: &Handle<T>) -> Result<T, RestError> {
        let unreadable = |cause: String, body: &Value| RestError::Unreadable {
            cause,
            body: HiddenBody(body.to_string().into()),
            retry_safety: handle.retry_safety,
        };
        let Some((status, body)) = self.answers.get(&handle.seq) else {
            let cause = format!("operation {} of the batch has no answer", handle.seq);
            return Err(unreadable(cause, &Value::Null));
        };
        let is_gone = handle.method == Method::DELETE && *status == StatusCode::NOT_FOUND;
        if self.is_repeated && is_gone {
            return (handle.decode)(json!({})).map_err(|cause| unreadable(cause, body));
        }
        if !status.is_success() {
            let body = Bytes::from(body.to_string());
            let headers = HeaderMap::new();
            return Err(Refusal::new(*status, &headers, &body, handle.retry_safety).into());
        }
        let json = match body {
            Value::Null => json!({}),
            body => body.clone(),
        };
        (handle.decode)(json).map_err(|cause| unreadable(cause, body))
    }

    /// Returns the numbers of the calls and the statuses of their answers.
    pub fn statuses(&self) -> impl Iterator<Item = (u64, StatusCode)> + '_ {
        self.answers
            .iter()
            .map(|(seq, (status, _))| (*seq, *status))
    }
}

/// Shows the statuses only.
impl fmt::Debug for BatchAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.statuses()).finish()
    }
}

/// Reads `[[seq, status, body], …]` in any order. An answer that cannot be read is missing.
fn answers(json: Value) -> Result<BatchAnswers, String> {
    let Value::Array(items) = json else {
        return Err("the answer of a batch is not a list".to_owned());
    };
    let answers = items.into_iter().filter_map(|item| {
        let Value::Array(parts) = item else {
            return None;
        };
        let mut parts = parts.into_iter();
        let seq = parts.next()?.as_u64()?;
        let status = u16::try_from(parts.next()?.as_u64()?).ok()?;
        let status = StatusCode::from_u16(status).ok()?;
        Some((seq, (status, parts.next().unwrap_or_default())))
    });
    Ok(BatchAnswers {
        answers: answers.collect(),
        is_repeated: false,
    })
}

/// Reads the answers of a batch after an attempt that the service may have processed.
fn repeated_answers(json: Value) -> Result<BatchAnswers, String> {
    let answers = answers(json)?;
    Ok(BatchAnswers {
        is_repeated: true,
        ..answers
    })
}
