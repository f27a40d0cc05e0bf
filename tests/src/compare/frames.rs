//! The frames of the scripted server.

use std::fmt::Write as _;

use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The conversation of all frames.
pub(super) const CONVERSATION: &str = "conversation_0001";
/// The number of users that send messages.
const USERS: u64 = 8;
/// The time of the first message, in Unix milliseconds.
const START: u64 = 1_700_000_000_000;
/// The beginning of a message's text. With it, a frame has about 390 bytes.
const TEXT: &str = "The kettle is on for tea. No. ";

/// The elements of a request: `[seq, METHOD, "/path", data, headers]`.
type Request<'a> = (u64, &'a str, &'a str, &'a RawValue, &'a RawValue);

/// Returns the answer to a request, or `None` for an acknowledgement.
pub(super) fn answer(frame: &str) -> Option<String> {
    let (seq, method, path, data, _): Request<'_> = serde_json::from_str(frame).ok()?;
    let body = match (method, path) {
        ("POST", path) if path.ends_with("/messages") => {
            return Some(format!("[{seq},200,{{\"id\":\"msg_{seq:020}\"}}]"));
        }
        ("POST", "/session/renew") => json!({ "expiresInSeconds": null }),
        // The first page has a message of each user, so that the client knows all users.
        ("GET", path) if path.ends_with("/messages") => {
            let page: Vec<Value> = (0..USERS).rev().map(message).collect();
            json!({ "data": page, "cursor": null })
        }
        ("GET", "/users") => users(data),
        _ => json!({}),
    };
    Some(json!([seq, 200, body]).to_string())
}

fn users(data: &RawValue) -> Value {
    let data: Value = serde_json::from_str(data.get()).unwrap_or_default();
    let ids = data["ids"].as_array().into_iter().flatten();
    ids.filter_map(Value::as_str)
        .map(|id| (id.to_owned(), user(id)))
        .collect()
}

fn user(id: &str) -> Value {
    json!({"id": id, "name": format!("Name of {id}"), "custom": {}, "locale": null,
        "photoUrl": format!("https://example.com/{id}.jpg"), "role": "default",
        "welcomeMessage": null})
}

fn message_id(n: u64) -> String {
    format!("msg_{n:020}")
}

fn message(n: u64) -> Value {
    json!({"id": message_id(n), "type": "UserMessage", "senderId": format!("user_{:04}", n % USERS),
        "custom": {}, "createdAt": START + n * 1_000, "editedAt": null,
        "referencedMessageId": null, "origin": "rest",
        "content": [{"type": "text", "children": [format!("{TEXT}{n}")]}], "reactions": {}})
}

/// Returns a publish frame with a message that follows those of the first page.
fn publish(number: u64) -> String {
    let n = USERS + number - 1;
    let event = json!({"type": "message.created", "conversationId": CONVERSATION,
        "messageId": message_id(n), "state": message(n)});
    json!([number, "PUBLISH", event]).to_string()
}

/// Returns publish frames in the WebSocket format, and the length of their acknowledgements in
/// bytes.
pub(super) fn publishes(count: u64) -> (Vec<u8>, usize) {
    let mut wire = Vec::new();
    let mut acknowledgement = String::new();
    let mut acknowledgements = 0;
    for number in 1..=count {
        let text = publish(number);
        wire.extend(head(text.len()));
        wire.extend(text.as_bytes());
        acknowledgement.clear();
        // Writing to a String cannot fail.
        let _ = write!(acknowledgement, "[{number},\"ACK\"]");
        // Two bytes of header and four of the client's mask.
        acknowledgements += 6 + acknowledgement.len();
    }
    (wire, acknowledgements)
}

/// Returns the header of a server's text message (RFC 6455, section 5.2).
fn head(length: usize) -> Vec<u8> {
    const FINAL_TEXT: u8 = 0x81;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => vec![FINAL_TEXT, short],
        (_, Ok(medium)) => [[FINAL_TEXT, 126], medium.to_be_bytes()].concat(),
        _ => [&[FINAL_TEXT, 127], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publish_frame_has_about_390_bytes() {
        assert!((380..400).contains(&publish(1_000).len()));
    }

    #[test]
    fn frames_count_bytes_on_the_wire() {
        let (wire, acknowledgements) = publishes(2);
        let first = publish(1);
        assert_eq!(wire.len(), 2 * (4 + first.len()));
        assert_eq!(wire[4..4 + first.len()], *first.as_bytes());
        assert_eq!(acknowledgements, 2 * (6 + r#"[1,"ACK"]"#.len()));
    }

    #[test]
    fn acknowledgement_is_not_answered() {
        let answered = answer(r#"[7,"POST","/conversations/c/messages",{},{}]"#);
        assert_eq!(
            answered.unwrap(),
            r#"[7,200,{"id":"msg_00000000000000000007"}]"#
        );
        assert_eq!(answer(r#"[7,"ACK"]"#), None);
    }
}
