//! Calls: requests without address and credentials, with the type of their answer.

use std::fmt;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use talk_proto::{RetrySafety, Timestamp};

use crate::batch::Operation;
use crate::error::{HiddenBody, Refusal, RestError};
use crate::json;
use crate::message_keys::MessageKeys;
use crate::path::encode_query;
use crate::version::ApiVersion;

/// A call of the REST API, with the type of its answer.
///
/// [`Api::request`](crate::Api::request) makes an HTTP request from it, and
/// [`decode`](Self::decode) reads the response. A call can be sent any number of times.
#[must_use]
pub struct Call<T> {
    pub(crate) parts: Parts,
    pub(crate) decode: Decode<T>,
    pub(crate) decode_repeated: Decode<T>,
}

/// The reason that an answer cannot be read.
const OTHER_FORM: &str = "its JSON does not have the documented form; see `body`";

/// Reads the JSON of a success. The error contains no values of the answer.
pub(crate) type Decode<T> = fn(Value) -> Result<T, String>;

/// A call without its answer.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) method: Method,
    /// The path after the app, with encoded segments.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) payload: Payload,
    pub(crate) version: Option<ApiVersion>,
}

/// The body of a call.
#[derive(Clone)]
pub(crate) enum Payload {
    None,
    Json(Value),
    /// Messages to send, which may have idempotency keys.
    Messages(Vec<Value>),
    /// Messages to import. The service does not recognise repetitions.
    Import(Value),
    Batch(Vec<Operation>),
    Form {
        content_type: String,
        body: Bytes,
    },
}

impl Parts {
    pub(crate) fn new(method: Method, path: String, payload: Payload) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            payload,
            version: None,
        }
    }

    /// Returns path and query.
    pub(crate) fn target(&self) -> String {
        match encode_query(&self.query) {
            query if query.is_empty() => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// Returns the content type and the body.
    pub(crate) fn body(&self) -> Option<(&str, Bytes)> {
        let json = |json: &Value| Some(("application/json", json.to_string().into()));
        match &self.payload {
            Payload::None => None,
            Payload::Json(value) | Payload::Import(value) => json(value),
            Payload::Messages(messages) => json(&json!(messages)),
            Payload::Batch(operations) => {
                let operations = operations.iter().map(Operation::to_json);
                json(&operations.collect())
            }
            Payload::Form { content_type, body } => Some((content_type, body.clone())),
        }
    }

    /// Returns the effect of sending the call again after a lost answer.
    pub(crate) fn retry_safety(&self) -> RetrySafety {
        match self.is_repeatable() {
            true => RetrySafety::Safe,
            false => RetrySafety::MayDuplicate,
        }
    }

    /// Returns `true` if a repetition has the effect of a single call.
    fn is_repeatable(&self) -> bool {
        match &self.payload {
            Payload::Messages(messages) => messages.iter().all(has_key),
            Payload::Import(_) => false,
            Payload::Batch(operations) => operations.iter().all(|it| it.parts.is_repeatable()),
            // A token of a repeated upload is unused and has no effect. The other POST requests
            // read, or mark as read.
            Payload::None | Payload::Json(_) | Payload::Form { .. } => true,
        }
    }

    fn fill_keys(&mut self, keys: &mut MessageKeys, now: Timestamp) {
        match &mut self.payload {
            Payload::Messages(messages) => {
                for message in messages {
                    if !has_key(message)
                        && let Some(members) = message.as_object_mut()
                    {
                        members.insert(KEY.to_owned(), keys.next_key(now).into());
                    }
                }
            }
            Payload::Batch(operations) => {
                for operation in operations {
                    operation.parts.fill_keys(keys, now);
                }
            }
            _ => {}
        }
    }
}

const KEY: &str = "idempotencyKey";

fn has_key(message: &Value) -> bool {
    message.get(KEY).is_some_and(Value::is_string)
}

/// Returns a value as JSON. The types of this crate always have JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            decode: self.decode,
            decode_repeated: self.decode_repeated,
        }
    }
}

impl Call<()> {
    /// Creates a call with a JSON body. The answer is ignored, because descriptions of it differ:
    /// it is `{}` according to the service, and the entity according to a third party.
    pub(crate) fn writing(method: Method, path: String, body: &impl Serialize) -> Self {
        Self::new(method, path, Payload::Json(to_json(body)), ignored)
    }

    /// Creates a call that deletes an entity.
    pub(crate) fn deleting(path: String) -> Self {
        Self::new(Method::DELETE, path, Payload::None, ignored)
    }
}

impl<T> Call<T> {
    pub(crate) fn new(method: Method, path: String, payload: Payload, decode: Decode<T>) -> Self {
        Self {
            parts: Parts::new(method, path, payload),
            decode,
            decode_repeated: decode,
        }
    }

    /// Creates a call that reads an entity.
    pub(crate) fn reading(path: String) -> Self
    where
        T: DeserializeOwned,
    {
        Self::new(Method::GET, path, Payload::None, from_json)
    }

    /// Sends another version of the API for this call.
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.parts.version = Some(version);
        self
    }

    /// Sets a new idempotency key for each message to send that has none, also in a batch. The call
    /// can then be repeated without posting a message twice. Other calls are not changed.
    ///
    /// ```
    /// use talk_rest::{MessageKeys, NewMessage, RetrySafety, Timestamp, conversation};
    ///
    /// let mut keys = MessageKeys::new(7); // a random number
    /// let now = Timestamp::from_millis(1_767_225_600_000); // the wall clock
    /// let notice = NewMessage::system("Payment received");
    /// let mut call = conversation("order_1")?.send([notice])?;
    /// assert_eq!(call.retry_safety(), RetrySafety::MayDuplicate);
    /// call.fill_keys(&mut keys, now);
    /// assert_eq!(call.retry_safety(), RetrySafety::Safe);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fill_keys(&mut self, keys: &mut MessageKeys, now: Timestamp) {
        self.parts.fill_keys(keys, now);
    }

    /// Returns the effect of sending the call again after a lost answer.
    pub fn retry_safety(&self) -> RetrySafety {
        self.parts.retry_safety()
    }

    /// Reads the response. Any status of 2xx is a success, and an empty body is `{}`.
    ///
    /// # Errors
    /// [`RestError::Refused`] for other statuses, and [`RestError::Unreadable`] if the body is not
    /// that of the call.
    pub fn decode<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<T, RestError> {
        self.decode_with(self.decode, response)
    }

    /// Reads the response of a repetition, after an attempt that the service may have processed. An
    /// entity that a deletion does not find was deleted by that attempt, also in a batch.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_repeated<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<T, RestError> {
        let is_gone = response.status() == StatusCode::NOT_FOUND;
        if self.parts.method == Method::DELETE && is_gone {
            return self.decode(&Response::new("{}"));
        }
        self.decode_with(self.decode_repeated, response)
    }

    fn decode_with<B: AsRef<[u8]>>(
        &self,
        decode: Decode<T>,
        response: &Response<B>,
    ) -> Result<T, RestError> {
        let body = response.body().as_ref();
        if !response.status().is_success() {
            let headers = response.headers();
            let refusal = Refusal::new(response.status(), headers, body, self.retry_safety());
            return Err(refusal.into());
        }
        let json = match body.trim_ascii() {
            [] => Ok(json!({})),
            body => json::parse(body),
        };
        let answer = json.and_then(decode);
        answer.map_err(|cause| RestError::Unreadable {
            cause,
            body: HiddenBody(Bytes::copy_from_slice(body)),
            retry_safety: self.retry_safety(),
        })
    }
}

/// Reads an answer.
pub(crate) fn from_json<T: DeserializeOwned>(json: Value) -> Result<T, String> {
    // The message of the error would quote values of the answer, such as message text.
    serde_json::from_value(json).map_err(|_| OTHER_FORM.to_owned())
}

fn ignored(_: Value) -> Result<(), String> {
    Ok(())
}

/// Reads a list, which may be the member `data` of an object.
pub(crate) fn list<T: DeserializeOwned>(json: Value) -> Result<Vec<T>, String> {
    match json {
        Value::Object(mut members) => from_json(members.remove("data").unwrap_or_default()),
        list => from_json(list),
    }
}

/// Shows no query and no body.
impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.parts.method)
            .field("path", &self.parts.path)
            .field("version", &self.parts.version)
            .finish_non_exhaustive()
    }
}
