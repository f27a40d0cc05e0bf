//! Encoding and decoding of WebSocket messages.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::value::RawValue;

/// A request: `[seq, METHOD, "/path", data, headers]`.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) seq: u64,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) data: Option<&'a RawValue>,
    /// Set if something follows the data, except for an empty object.
    pub(super) has_headers: bool,
}

/// A request that has a sequence number, but cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) seq: u64,
}

/// Parses a request. Returns `None` for acknowledgements and for anything that is not a request.
pub(super) fn parse(text: &str) -> Option<Result<Request<'_>, Unreadable>> {
    let seq = seq_of(text)?;
    Some(parse_request(text, seq).ok_or(Unreadable { seq }))
}

/// Returns the sequence number of a string that begins like a request: `[seq, "…`.
fn seq_of(text: &str) -> Option<u64> {
    let rest = text.trim_start().strip_prefix('[')?.trim_start();
    let (seq, rest) = rest.split_once(',')?;
    let seq = seq.trim_end();
    let is_number = seq.bytes().all(|byte| byte.is_ascii_digit());
    let method = rest.trim_start();
    (is_number && method.starts_with('"') && !method.starts_with("\"ACK\""))
        .then(|| seq.parse().ok())
        .flatten()
}

fn parse_request(text: &str, seq: u64) -> Option<Request<'_>> {
    let parts: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let [_, method, path, rest @ ..] = parts.as_slice() else {
        return None;
    };
    Some(Request {
        seq,
        method: serde_json::from_str(method.get()).ok()?,
        path: serde_json::from_str(path.get()).ok()?,
        data: rest.first().copied(),
        has_headers: rest.iter().skip(1).any(|part| part.get() != "{}"),
    })
}

/// Returns the frame `[seq, status, body]`, where `body` is JSON.
pub(super) fn answer(seq: u64, status: u16, body: &str) -> String {
    format!("[{seq},{status},{body}]")
}

/// Returns the number and the status of a frame written by [`answer`]; `None` for events.
pub(super) fn response_head(text: &str) -> Option<(u64, u16)> {
    let (seq, rest) = leading_number(text.strip_prefix('[')?)?;
    let (status, _) = leading_number(rest)?;
    Some((seq, status.try_into().ok()?))
}

/// Returns a number at the beginning of a string, and the rest after its comma.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let mut number: u64 = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0');
                number = number.checked_mul(10)?.checked_add(digit)?;
            }
            b',' if at > 0 => return Some((number, text.get(at + 1..)?)),
            _ => return None,
        }
    }
    None
}

/// Returns the frame `[n, "PUBLISH", event, …]`, where each event is JSON.
pub(super) fn publish(number: u64, events: &[Arc<str>]) -> String {
    let length: usize = events.iter().map(|event| event.len() + 1).sum();
    let mut text = String::with_capacity(length + 32);
    // Writing to a String cannot fail.
    let _ = write!(text, "[{number},\"PUBLISH\"");
    for event in events {
        text.push(',');
        text.push_str(event);
    }
    text.push(']');
    text
}
