//! Search for an object that matches a pattern, for tests that wait for it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::conversation::Conversation;
use super::machine::Server;
use super::message::Message;
use super::request_log::ReceivedRequest;
use super::store::Store;
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

/// The error if no object matches.
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
        let mut search = Search {
            pattern,
            seen: 0,
            newest: None,
        };
        let store = self.apps.get(app).map(|app| &app.store);
        match kind {
            FindKind::Message => store.map_or((), |store| search.messages(store)),
            FindKind::Conversation => store.map_or((), |store| search.conversations(store)),
            FindKind::User => store.map_or((), |store| search.users(store)),
            FindKind::Request => {
                let requests = self.received_requests().rev().filter(|it| it.app == app);
                search.first(requests, |search, it| {
                    let is_alike = search.has("method", Some(&it.method))
                        && search.has("path", Some(&it.path))
                        && search.has("user", it.user.as_deref());
                    is_alike.then(|| it.json())
                });
            }
            FindKind::Webhook => {
                let mut head = pattern.clone();
                head.remove("body");
                let webhooks = self.webhooks().rev().filter(|it| it.app == app);
                // Parsing the body is the most expensive part.
                search.first(webhooks, |_, it| {
                    has_members(&it.without_body(), &head).then(|| it.with_body())
                });
            }
            FindKind::Connection => {
                let connections = self.connections().rev().filter(|it| it.app == app);
                search.first(connections, |search, it| {
                    let is_alike = search.has("user", Some(&it.user));
                    is_alike.then(|| json_of(&it))
                });
            }
        }
        let Search { seen, newest, .. } = search;
        newest.map(|(_, found)| found).ok_or(NotFound { seen })
    }

    /// Returns a number that changes with the objects of a kind. Absent for connections, which
    /// change with each frame.
    pub fn version_of(&self, kind: FindKind) -> Option<u64> {
        match kind {
            FindKind::Message | FindKind::Conversation | FindKind::User => Some(self.data_version),
            FindKind::Request => Some(self.last_request()),
            FindKind::Webhook => Some(self.webhooks.version()),
            FindKind::Connection => None,
        }
    }
}

/// A search. An object is converted to JSON only if its cheap members match, and if it is not older
/// than the match that was found before.
struct Search<'a> {
    pattern: &'a Map<String, Value>,
    /// The number of compared objects.
    seen: usize,
    /// The newest match, with the time of its creation.
    newest: Option<(u64, Value)>,
}

impl Search<'_> {
    fn messages(&mut self, store: &Store) {
        match self.pattern.get("conversationId").and_then(Value::as_str) {
            Some(id) => {
                if let Some(conversation) = store.conversations.get(id) {
                    self.messages_of(id, conversation);
                }
            }
            None => {
                for (id, conversation) in store.conversations.iter() {
                    self.messages_of(id, conversation);
                }
            }
        }
    }

    fn messages_of(&mut self, id: &str, conversation: &Conversation) {
        for message in conversation.messages.before(None) {
            // All further messages of the conversation are older.
            if self.is_older(message.created_at) {
                return;
            }
            let object = self.message(id, conversation, message);
            if self.compare(message.created_at, object) {
                return;
            }
        }
    }

    fn message(&self, id: &str, conversation: &Conversation, it: &Message) -> Option<Value> {
        let is_alike = self.has("id", Some(&it.id))
            && self.has("senderId", it.sender.as_deref())
            && self.has("referencedMessageId", it.referenced.as_deref());
        if !is_alike {
            return None;
        }
        let view = MessageView::new(id, conversation, it);
        self.has("text", view.text()).then(|| json_of(&view))
    }

    fn conversations(&mut self, store: &Store) {
        for (id, conversation) in store.conversations.iter() {
            let is_alike = !self.is_older(conversation.created_at)
                && self.has("id", Some(id))
                && self.has("subject", conversation.subject.as_deref());
            let object = is_alike.then(|| json_of(&ConversationView::new(id, conversation)));
            self.compare(conversation.created_at, object);
        }
    }

    fn users(&mut self, store: &Store) {
        for user in store.users.values() {
            let is_alike = !self.is_older(user.created_at)
                && self.has("id", Some(&user.profile.id))
                && self.has("name", Some(&user.profile.name));
            let object = is_alike.then(|| json_of(&UserView::new(user)));
            self.compare(user.created_at, object);
        }
    }

    /// Compares objects until the first match.
    fn first<T>(
        &mut self,
        objects: impl Iterator<Item = T>,
        json: impl Fn(&Self, T) -> Option<Value>,
    ) {
        for object in objects {
            let object = json(self, object);
            if self.compare(0, object) {
                return;
            }
        }
    }

    /// Returns `true` if an object of this time is older than the match that was found before.
    fn is_older(&self, created_at: u64) -> bool {
        let newest = self.newest.as_ref();
        newest.is_some_and(|(newest, _)| created_at < *newest)
    }

    /// Returns `false` if the pattern has another value for a member that is a string or null.
    fn has(&self, name: &str, value: Option<&str>) -> bool {
        let expected = self.pattern.get(name);
        expected.is_none_or(|expected| match value {
            Some(value) => expected == value,
            None => expected.is_null(),
        })
    }

    /// Counts an object, and keeps it if it matches. Returns `true` if it does. The object is
    /// absent if its cheap members do not match.
    fn compare(&mut self, created_at: u64, object: Option<Value>) -> bool {
        self.seen += 1;
        match object {
            Some(object) if has_members(&object, self.pattern) => {
                self.newest = Some((created_at, object));
                true
            }
            _ => false,
        }
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
        let mut json = json!({
            "id": self.id,
            "app": self.app,
            "type": self.kind,
            "createdAt": self.created_at,
            "state": self.state,
            "attempts": self.attempts,
        });
        if !self.faults.is_empty() {
            json["faults"] = json!(self.faults);
        }
        json
    }

    /// Returns the delivery as JSON, with the parsed body.
    fn with_body(&self) -> Value {
        let mut json = self.without_body();
        json["body"] = self.json();
        json
    }
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
    // Converts through text, because `serde_json::to_value` does not convert a raw value.
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
