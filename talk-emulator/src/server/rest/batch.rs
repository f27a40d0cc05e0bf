//! `POST /batch`: several requests in one.

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::answer::{answer, invalid};
use super::call::{Call, Query, parse_version};
use super::routes;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, reply};
use crate::server::request_cx::RequestCx;
use crate::server::routes::segments;

/// The maximum number of operations.
const MAX_OPERATIONS: usize = 10;

#[derive(Debug)]
struct Operation {
    seq: Value,
    method: String,
    path: String,
    payload: Option<Value>,
    options: Map<String, Value>,
}

/// Runs the operations in order and answers in the same order (our choice). Without a transaction,
/// and nothing runs if an operation is malformed (our choice).
pub(super) fn run(cx: &mut RequestCx<'_>, call: &Call) -> Reply {
    let operations = read(call)?;
    answer_all(cx, call, &operations)
}

/// Runs the operations in random order, and answers in that order. Two or more operations are never
/// in the given order.
pub(super) fn run_shuffled(cx: &mut RequestCx<'_>, call: &Call) -> Reply {
    let mut operations: Vec<_> = read(call)?.into_iter().enumerate().collect();
    cx.random.shuffle(&mut operations);
    if operations.is_sorted_by_key(|(at, _)| *at) {
        operations.reverse();
    }
    let operations: Vec<_> = operations.into_iter().map(|(_, it)| it).collect();
    answer_all(cx, call, &operations)
}

fn read(call: &Call) -> Result<Vec<Operation>, Refusal> {
    let list: Vec<Vec<Value>> = call.parse("INVALID_BATCH", "a list of operations")?;
    if list.len() > MAX_OPERATIONS {
        let reason = format!("At most {MAX_OPERATIONS} operations, not {}.", list.len());
        return Err(invalid("INVALID_BATCH", reason));
    }
    list.into_iter()
        .map(|parts| {
            Operation::read(parts).ok_or_else(|| {
                let reason = "An operation is [number, method, path, payload?, options?].";
                invalid("INVALID_BATCH", reason)
            })
        })
        .collect()
}

fn answer_all(cx: &mut RequestCx<'_>, call: &Call, operations: &[Operation]) -> Reply {
    let answers: Vec<Value> = operations
        .iter()
        .map(|operation| {
            let (status, body) = operation.run(cx, call);
            json!([operation.seq, status, body])
        })
        .collect();
    reply(&answers)
}

impl Operation {
    fn read(parts: Vec<Value>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let seq = parts.next().filter(Value::is_number)?;
        let mut text = || parts.next()?.as_str().map(str::to_owned);
        let (method, path) = (text()?, text()?);
        let payload = parts.next().filter(|payload| !payload.is_null());
        if method == "GET" && payload.as_ref().is_some_and(|it| !it.is_object()) {
            // The payload of a GET is its query.
            return None;
        }
        let options = match parts.next() {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(options)) => options,
            Some(_) => return None,
        };
        (parts.next().is_none() && path.starts_with('/')).then_some(Self {
            seq,
            method,
            path,
            payload,
            options,
        })
    }

    /// Runs the operation, and returns the status and body of its answer.
    fn run(&self, cx: &mut RequestCx<'_>, batch: &Call) -> (u16, Value) {
        let path = segments(&self.path).unwrap_or_default();
        let path: Vec<&str> = path.iter().map(|segment| &**segment).collect();
        let path = match routes::without_trailing_slash(&self.method, &path) {
            Ok(path) => path,
            Err(refusal) => {
                let (status, body) = answer(Err(refusal));
                return (status, value(&body));
            }
        };
        if matches!(path, ["batch" | "files", ..]) {
            let reason = "Batches and uploads are not allowed in a batch.";
            let (status, body) = answer(Err(invalid("INVALID_BATCH", reason)));
            return (status, value(&body));
        }
        let Some(handler) = routes::find(&self.method, path) else {
            return (404, "Not found".into());
        };
        let call = self.call(batch);
        let (status, body) = answer(call.and_then(|call| handler(cx, &call)));
        (status, value(&body))
    }

    /// Returns the request. The payload of a GET is its query.
    fn call(&self, batch: &Call) -> Result<Call, Refusal> {
        let version = match self.options.get("api_version") {
            Some(version) => parse_version(version.as_str().unwrap_or_default())?,
            None => batch.version,
        };
        let payload = self.payload.clone().unwrap_or_else(|| json!({}));
        let (query, body) = if self.method == "GET" {
            (query_of(&payload), json!({}))
        } else {
            (Query::default(), payload)
        };
        Ok(Call {
            query,
            body: raw(&body)?,
            version,
        })
    }
}

fn query_of(payload: &Value) -> Query {
    let pairs = payload.as_object().into_iter().flatten();
    let pairs = pairs.filter(|(_, value)| !value.is_null());
    let pairs = pairs.map(|(name, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (name.clone(), value)
    });
    Query(pairs.collect())
}

fn raw(value: &Value) -> Result<Box<RawValue>, Refusal> {
    to_raw_value(value).map_err(|error| invalid("INVALID_BATCH", error.to_string()))
}

fn value(json: &str) -> Value {
    // Infallible: replies are JSON.
    Value::deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap_or_default()
}
