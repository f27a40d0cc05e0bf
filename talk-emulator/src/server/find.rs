//! Search for an object that matches a pattern, for tests that wait for it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::machine::{App, Server};
use super::request_log::ReceivedRequest;
use super::views::{ConversationView, MessageView, UserView};
use super::webhooks::WebhookDelivery;

/// The kind of an object to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FindKind {
    /// A message, as in the REST API.
    Message,
    /// A conversation, as in the REST API.
    Conversation,
    /// A user, as in the REST API.
    User,
    /// A received request.
    Request,
    /// A webhook, with its body as JSON.
    Webhook,
    /// An open connection.
    Connection,
}

/// No object matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotFound {
    /// The number of objects that were compared.
    pub seen: usize,
}

impl Server {
    /// Returns the newest object of an app that matches. An object matches if it has each member of
    /// the pattern: objects recursively, all other values as equal values.
    ///
    /// # Errors
    ///
    /// Returns the number of compared objects if none matches.
    pub fn find(
        &self,
        kind: FindKind,
        app: &str,
        pattern: &Map<String, Value>,
    ) -> Result<Value, NotFound> {
        match kind {
            FindKind::Message => {
                let id = pattern.get("conversationId").and_then(Value::as_str);
                let conversations = self.app(app).flat_map(|app| app.store.conversations.iter());
                let conversations =
                    conversations.filter(|(it, _)| id.is_none_or(|id| id == it.as_str()));
                let messages = conversations.flat_map(|(id, conversation)| {
                    let messages = conversation.messages.before(None);
                    messages.map(move |it| json_of(&MessageView::new(id, conversation, it)))
                });
                newest(first_matches(messages, pattern))
            }
            FindKind::Conversation => {
                let conversations = self.app(app).flat_map(|app| app.store.conversations.iter());
                let conversations =
                    conversations.map(|(id, it)| json_of(&ConversationView::new(id, it)));
                newest(first_matches(conversations, pattern))
            }
            FindKind::User => {
                let users = self.app(app).flat_map(|app| app.store.users.values());
                newest(first_matches(
                    users.map(|it| json_of(&UserView::new(it))),
                    pattern,
                ))
            }
            FindKind::Request => {
                let requests = self.received_requests().filter(|it| it.app == app);
                last(first_matches(requests.map(ReceivedRequest::json), pattern))
            }
            FindKind::Webhook => {
                let webhooks = self.webhooks().filter(|it| it.app == app);
                last(first_matches(
                    webhooks.map(WebhookDelivery::with_body),
                    pattern,
                ))
            }
            FindKind::Connection => {
                let connections = self.connections().filter(|it| it.app == app);
                last(first_matches(connections.map(|it| json_of(&it)), pattern))
            }
        }
    }

    /// Returns the number of steps that have changed data of users, conversations or messages.
    pub fn data_version(&self) -> u64 {
        self.data_version
    }

    fn app(&self, app: &str) -> impl Iterator<Item = &App> {
        self.apps.get(app).into_iter()
    }
}

impl ReceivedRequest {
    /// Returns the request as JSON, with a masked token.
    pub(crate) fn json(&self) -> Value {
        json!({
            "n": self.number,
            "at": self.at,
            "app": self.app,
            "user": self.user,
            "method": self.method,
            "path": self.path,
            "data": self.masked_data(),
        })
    }
}

impl WebhookDelivery {
    /// Returns the delivery as JSON, without its body.
    pub(crate) fn without_body(&self) -> Value {
        json!({
            "id": self.id,
            "app": self.app,
            "type": self.kind,
            "createdAt": self.created_at,
            "state": self.state,
            "attempts": self.attempts,
        })
    }

    /// Returns the delivery as JSON, with the parsed body.
    fn with_body(&self) -> Value {
        let mut json = self.without_body();
        json["body"] = self.json();
        json
    }
}

/// The matching objects in the given order, and the number of compared ones.
struct Matches {
    found: Vec<Value>,
    seen: usize,
}

fn first_matches(objects: impl Iterator<Item = Value>, pattern: &Map<String, Value>) -> Matches {
    let mut seen = 0;
    let found = objects
        .inspect(|_| seen += 1)
        .filter(|object| has_members(object, pattern))
        .collect();
    Matches { found, seen }
}

/// Returns the match that was created last.
fn newest(Matches { found, seen }: Matches) -> Result<Value, NotFound> {
    let created_at = |object: &Value| object["createdAt"].as_u64();
    found
        .into_iter()
        .max_by_key(created_at)
        .ok_or(NotFound { seen })
}

fn last(Matches { mut found, seen }: Matches) -> Result<Value, NotFound> {
    found.pop().ok_or(NotFound { seen })
}

fn has_members(object: &Value, pattern: &Map<String, Value>) -> bool {
    let members = pattern.iter();
    members
        .map(|(name, expected)| (object.get(name), expected))
        .all(|(found, expected)| found.is_some_and(|found| matches(found, expected)))
}

fn matches(found: &Value, expected: &Value) -> bool {
    match expected {
        Value::Object(pattern) if found.is_object() => has_members(found, pattern),
        _ => found == expected,
    }
}

fn json_of(view: &impl Serialize) -> Value {
    // Through text, because a raw value is no value of its own.
    let text = serde_json::to_string(view).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::matches;

    #[test]
    fn matches_compares_members_recursively() {
        let object = json!({ "a": { "b": 1, "c": [1, 2] }, "d": null });
        for pattern in [
            json!({}),
            json!({ "a": {} }),
            json!({ "a": { "b": 1 } }),
            json!({ "a": { "c": [1, 2] }, "d": null }),
        ] {
            assert!(matches(&object, &pattern), "{pattern}");
        }
        for pattern in [
            json!({ "a": { "b": 2 } }),
            json!({ "a": { "c": [1] } }),
            json!({ "e": null }),
            json!({ "d": {} }),
        ] {
            assert!(!matches(&object, &pattern), "{pattern}");
        }
    }
}
