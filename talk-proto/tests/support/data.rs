//! Entities in the shape of the server.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::START;
use super::log::Request;

/// Returns the time of the n-th event.
fn at(n: u64) -> i64 {
    START.as_millis() - 1_000_000 + n as i64
}

pub(crate) fn user(id: &str) -> Value {
    json!({
        "id": id, "name": format!("Name of {id}"), "custom": {}, "locale": null, "photoUrl": null,
        "role": "default", "welcomeMessage": null,
    })
}

pub(crate) fn side(id: &str) -> Value {
    json!({
        "id": id, "subject": null, "photoUrl": null, "welcomeMessages": [], "custom": {},
        "createdAt": at(0), "joinedAt": at(0), "lastMessageAt": at(3), "unreadMessageCount": 0,
        "isUnread": false, "readUntil": at(3), "everyoneReadUntil": at(0),
        "access": "ReadWrite", "notify": true,
    })
}

pub(crate) fn message(id: &str, n: u64) -> Value {
    json!({
        "id": id, "type": "UserMessage", "senderId": "bob", "custom": {}, "createdAt": at(n),
        "editedAt": null, "referencedMessageId": null, "origin": "rest",
        "content": [{"type": "text", "children": [format!("text of {id}")]}], "reactions": {},
    })
}

pub(crate) fn participant(id: &str, n: u64) -> Value {
    json!({"id": id, "access": "ReadWrite", "notify": true, "joinedAt": at(n)})
}

fn page(items: Vec<Value>) -> Value {
    json!({"data": items, "cursor": null})
}

/// Returns the answer to a GET of a server on which everything exists. Every conversation has the
/// participants bob and alice, and three messages by bob.
pub(crate) fn get(request: &Request) -> Value {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let segments: Vec<_> = request.path.split('/').skip(1).map(decode).collect();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["users"] => {
            let ids = request.data["ids"].as_array().cloned().unwrap_or_default();
            let ids = ids.iter().filter_map(Value::as_str);
            Value::Object(
                ids.map(|id| (id.to_owned(), user(id)))
                    .collect::<Map<_, _>>(),
            )
        }
        ["users", _, "online"] => json!({"isConnected": true}),
        ["me", "conversations"] => page(vec![side("c1"), side("c2")]),
        ["me", "conversations", c] => side(c),
        ["me", "conversations", _, "messages"] => {
            let message = |n: u64| message(&format!("m{n}"), n);
            page((1..=3).rev().map(message).collect())
        }
        ["me", "conversations", _, "messages", m] => message(m, 1),
        ["me", "conversations", _, "participants"] => {
            page(vec![participant("bob", 2), participant("alice", 1)])
        }
        ["me", "conversations", _, "participants", u] => participant(u, 1),
        ["me", "conversations", _, "typing"] => json!({"many": false, "usersTyping": {}}),
        ["me", "conversations", _, "messages", _, "reactions", _] => {
            page(vec![json!({"userId": "bob", "createdAt": at(4)})])
        }
        ["me", "conversations", _, "translate"] => json!({"data": {}}),
        _ => json!({}),
    }
}
