//! A server with as many items as a benchmark needs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::backlog::Backlog;
use super::frames;

/// The number of items that the server has of each kind.
#[derive(Default)]
pub(crate) struct Server {
    /// The messages of the busy conversation.
    pub(crate) messages: u64,
    /// The participants of the busy conversation.
    pub(crate) participants: u64,
    /// The conversations of the user. Each has one message.
    pub(crate) conversations: u64,
    /// The conversations with messages that an inbox has missed. They replace those above.
    pub(crate) backlog: Option<Backlog>,
    /// The bodies of earlier answers by request, or `None` if each answer is computed. A repeated
    /// answer costs little.
    pub(crate) answers: Option<BTreeMap<String, String>>,
}

impl Server {
    /// Repeats the answers to equal requests from now on.
    pub(crate) fn remember_answers(&mut self) {
        self.answers = Some(BTreeMap::new());
    }

    /// Returns the bodies of the answers that are repeated.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &str> {
        let answers = self.answers.iter().flatten();
        answers.map(|(_, body)| body.as_str())
    }

    /// Returns the answer to a request.
    pub(crate) fn answer(&mut self, frame: &str) -> String {
        let (seq, request) = frame.split_once(',').expect("a request");
        let known = self.answers.as_ref().and_then(|known| known.get(request));
        if let Some(body) = known {
            return format!("{seq},200,{body}]");
        }
        let body = self.body(frame).to_string();
        let answer = format!("{seq},200,{body}]");
        if let Some(known) = &mut self.answers {
            known.insert(request.to_owned(), body);
        }
        answer
    }

    fn body(&self, frame: &str) -> Value {
        let request: Value = serde_json::from_str(frame).expect("a frame of JSON");
        let (method, path) = (request[1].as_str(), request[2].as_str());
        let path: Vec<&str> = path.unwrap_or_default().split('/').skip(1).collect();
        let query = &request[3];
        let backlog = self.backlog.as_ref();
        if let Some(body) = backlog.and_then(|backlog| backlog.body(&path, query)) {
            return body;
        }
        match (method, &path[..]) {
            (_, ["session", "renew"]) => json!({"expiresInSeconds": null}),
            (Some("GET"), ["users"]) => {
                let ids = query["ids"].as_array();
                let ids = ids.into_iter().flatten().filter_map(Value::as_str);
                ids.map(|id| (id.to_owned(), frames::user(id))).collect()
            }
            (Some("GET"), ["me", "conversations"]) => {
                // The newest conversation has the highest number.
                page(query, self.conversations, frames::listed)
            }
            (Some("GET"), [.., frames::CONVERSATION, "messages"]) => {
                page(query, self.messages, frames::message)
            }
            (Some("GET"), [.., frames::CONVERSATION, "participants"]) => {
                page(query, self.participants, frames::participant)
            }
            (Some("GET"), [.., conversation, "messages"]) => {
                let listed = frames::listed_number(conversation);
                let messages: Vec<_> = listed.map(frames::message).into_iter().collect();
                json!({"data": messages, "cursor": null})
            }
            (Some("GET"), ["me", "conversations", id]) => {
                frames::found_number(id).map_or_else(|| json!({}), frames::found)
            }
            (Some("GET"), [.., "typing"]) => json!({"many": false, "usersTyping": {}}),
            (Some("GET"), [.., "online"]) => json!({"isConnected": false}),
            _ => json!({}),
        }
    }
}

/// Returns a page of `limit` items, newest first, that precede the number in `cursor`.
pub(super) fn page(query: &Value, count: u64, item: impl Fn(u64) -> Value) -> Value {
    let cursor = query["cursor"].as_str().and_then(|text| text.parse().ok());
    let end = cursor.unwrap_or(count);
    let start = end.saturating_sub(query["limit"].as_u64().unwrap_or_default());
    let page: Vec<Value> = (start..end).rev().map(item).collect();
    json!({"data": page, "cursor": (start > 0).then(|| start.to_string())})
}
