//! The expected snapshots, read page by page from the server without a session.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use talk_proto::{Topic, content::ContentBlock};

use super::probe::{OBSERVER, Probes};
use super::world::World;

/// The longest page of most lists.
const PAGE: usize = 50;

/// Reads the server's data as any user. Answers are cached.
#[derive(Default)]
pub(super) struct Oracle {
    pub(super) probes: Probes,
    answers: BTreeMap<(String, String), Rc<Value>>,
}

/// The expected content of a subscription.
pub(super) struct Expected {
    /// The snapshot. A list is cut to the requested length.
    pub(super) value: Value,
    /// The item that follows in the server's list.
    pub(super) next: Option<Value>,
}

impl Oracle {
    /// Returns the expected snapshot of `topic` for `user`, with the first `length` items of a
    /// list.
    pub(super) fn of(
        &mut self,
        world: &mut World,
        user: &str,
        topic: &Topic,
        length: usize,
    ) -> Expected {
        let c = |id: &str| format!("/me/conversations/{}", id.replace('/', "%2F"));
        let value = match topic {
            Topic::User { user } => self.user(world, user.as_str()),
            Topic::Online { user } => self.online(world, user.as_str()),
            Topic::Conversation { conversation } => {
                let side = self.get(world, user, &c(conversation.as_str()));
                self.conversation(world, user, side)
            }
            Topic::Participant {
                conversation,
                user: of,
            } => {
                let path = format!("{}/participants/{}", c(conversation.as_str()), of.as_str());
                let participant = self.get(world, user, &path);
                self.participant(world, participant)
            }
            Topic::Typing { conversation } => {
                let path = format!("{}/typing", c(conversation.as_str()));
                let typing = self.get(world, user, &path);
                self.typing(world, typing)
            }
            Topic::Messages { conversation } => {
                let path = format!("{}/messages", c(conversation.as_str()));
                let read =
                    move |me: &mut Self, world: &mut World, item| me.message(world, user, item);
                return self.list(world, user, &path, length, None, read);
            }
            Topic::Participants { conversation } => {
                let path = format!("{}/participants", c(conversation.as_str()));
                return self.list(world, user, &path, length, None, Self::participant);
            }
            Topic::Reactions {
                conversation,
                message,
                emoji,
            } => {
                let (c, m) = (c(conversation.as_str()), message.as_str());
                let emoji = percent(emoji.as_str());
                let path = format!("{c}/messages/{m}/reactions/{emoji}");
                let read = |me: &mut Self, world: &mut World, item: Value| {
                    let user = me.user(world, item["userId"].as_str().unwrap_or_default());
                    json!({"user": user, "createdAt": item["createdAt"]})
                };
                return self.list(world, user, &path, length, None, read);
            }
            Topic::Conversations { filter } => {
                let filter = filter.clone().unwrap_or_default().normalized();
                let filter = serde_json::to_value(filter).unwrap_or_default();
                let read = move |me: &mut Self, world: &mut World, item| {
                    me.conversation(world, user, item)
                };
                return self.list(world, user, "/me/conversations", length, Some(filter), read);
            }
            _ => Value::Null,
        };
        Expected { value, next: None }
    }

    /// Returns the answer to a GET, or null if it is refused.
    fn get(&mut self, world: &mut World, user: &str, path: &str) -> Value {
        Value::clone(&self.ask(world, user, path, &json!({})))
    }

    fn ask(&mut self, world: &mut World, user: &str, path: &str, data: &Value) -> Rc<Value> {
        let key = (user.to_owned(), format!("{path} {data}"));
        if let Some(answer) = self.answers.get(&key) {
            return Rc::clone(answer);
        }
        let (status, body) = world.probe(&mut self.probes, user, "GET", path, data);
        let answer = Rc::new(if status == 200 { body } else { Value::Null });
        self.answers.insert(key, Rc::clone(&answer));
        answer
    }

    fn list(
        &mut self,
        world: &mut World,
        user: &str,
        path: &str,
        length: usize,
        filter: Option<Value>,
        mut read: impl FnMut(&mut Self, &mut World, Value) -> Value,
    ) -> Expected {
        let limit = PAGE.min(if path.ends_with("/conversations") {
            30
        } else {
            PAGE
        });
        let mut data = json!({"limit": limit});
        if let Some(filter) = filter {
            data["filter"] = filter;
        }
        let mut items = Vec::new();
        loop {
            let page = self.ask(world, user, path, &data);
            let Value::Array(read_items) = &page["data"] else {
                let is_list = path == "/me/conversations";
                let value = if is_list { json!([]) } else { Value::Null };
                return Expected { value, next: None };
            };
            items.extend(read_items.iter().cloned());
            let cursor = &page["cursor"];
            if cursor.is_null() || items.len() > length {
                let next = items.get(length).cloned();
                items.truncate(length);
                let items = items.into_iter().map(|item| read(self, world, item));
                return Expected {
                    value: items.collect(),
                    next,
                };
            }
            data = json!({"limit": limit, "cursor": cursor});
        }
    }

    fn user(&mut self, world: &mut World, id: &str) -> Value {
        let data = json!({"ids": [id], "includePrivateFields": false});
        let users = self.ask(world, OBSERVER, "/users", &data);
        users.get(id).cloned().unwrap_or_default()
    }

    fn online(&mut self, world: &mut World, id: &str) -> Value {
        let online = self.get(world, OBSERVER, &format!("/users/{id}/online"));
        if online.is_null() {
            return Value::Null;
        }
        json!({"user": self.user(world, id), "isConnected": online["isConnected"]})
    }

    fn participant(&mut self, world: &mut World, mut participant: Value) -> Value {
        let Some(members) = participant.as_object_mut() else {
            return participant;
        };
        let id = members.remove("id").unwrap_or_default();
        let user = self.user(world, id.as_str().unwrap_or_default());
        members.insert("user".to_owned(), user);
        participant
    }

    fn typing(&mut self, world: &mut World, typing: Value) -> Value {
        let Some(users) = typing["usersTyping"].as_object() else {
            return typing;
        };
        let mut since: Vec<_> = users
            .iter()
            .map(|(id, at)| (at.as_u64().unwrap_or(0), id.clone()))
            .collect();
        since.sort();
        let users: Value = since.iter().map(|(_, id)| self.user(world, id)).collect();
        json!({"many": false, "users": users})
    }

    fn conversation(&mut self, world: &mut World, user: &str, mut side: Value) -> Value {
        let Some(id) = side["id"].as_str() else {
            return Value::Null;
        };
        let path = format!("/me/conversations/{}/messages", id.replace('/', "%2F"));
        let page = self.ask(world, user, &path, &json!({"limit": PAGE}));
        let last = page["data"].get(0).cloned();
        side["lastMessage"] = match last {
            Some(message) => self.message(world, user, message),
            None => Value::Null,
        };
        side
    }

    fn message(&mut self, world: &mut World, user: &str, message: Value) -> Value {
        let mut shown = self.message_alone(world, &message);
        let quotes = message["referencedMessageId"].as_str().map(str::to_owned);
        shown.insert("referencedMessage".to_owned(), Value::Null);
        if let Some(id) = quotes {
            let quoted = self.quoted(world, user, &id);
            shown.insert("referencedMessage".to_owned(), quoted);
        }
        Value::Object(shown)
    }

    /// Returns a quoted message. It can be in any conversation.
    fn quoted(&mut self, world: &mut World, user: &str, id: &str) -> Value {
        for conversation in world.conversations() {
            let conversation = conversation.replace('/', "%2F");
            let path = format!("/me/conversations/{conversation}/messages/{id}");
            let message = self.get(world, user, &path);
            if !message.is_null() {
                let mut shown = self.message_alone(world, &message);
                let of = message["referencedMessageId"].clone();
                shown.insert("referencedMessageId".to_owned(), of);
                return Value::Object(shown);
            }
        }
        Value::Null
    }

    fn message_alone(&mut self, world: &mut World, message: &Value) -> Map<String, Value> {
        let mut shown = Map::new();
        for member in [
            "id",
            "type",
            "custom",
            "createdAt",
            "editedAt",
            "origin",
            "content",
        ] {
            shown.insert(member.to_owned(), message[member].clone());
        }
        let sender = match message["senderId"].as_str() {
            Some(id) => self.user(world, id),
            None => Value::Null,
        };
        shown.insert("sender".to_owned(), sender);
        let content: Vec<ContentBlock> =
            serde_json::from_value(message["content"].clone()).unwrap_or_default();
        let plaintext = talk_proto::content::plaintext(&content);
        shown.insert("plaintext".to_owned(), plaintext.into());
        shown.insert("reactions".to_owned(), reactions(&message["reactions"]));
        shown
    }
}

/// Returns the counts of reactions, in the order in which the emoji were added.
fn reactions(counts: &Value) -> Value {
    let Some(counts) = counts.as_object() else {
        return json!([]);
    };
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(emoji, count)| (count["createdAt"].as_u64(), emoji.as_str()));
    let shown = counts.into_iter().map(|(emoji, count)| {
        json!({
            "emoji": emoji,
            "count": count["count"],
            "currentUserReacted": count["currentUserReacted"],
        })
    });
    shown.collect()
}

/// Percent-encodes everything except letters and digits.
fn percent(text: &str) -> String {
    let bytes = text.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    bytes.collect()
}
