//! A server with conversations, messages and events, for tests of inboxes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde_json::{Value, json};

use super::script::Answer;
use super::{Request, START};

/// A message on the server.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) id: String,
    /// The sender, or `None` for a system message.
    pub(crate) sender: Option<String>,
    pub(crate) text: String,
    pub(crate) at: i64,
    pub(crate) quotes: Option<String>,
    /// The place in the list of the conversation.
    order: u64,
    idempotency_key: Option<String>,
}

impl Post {
    /// Returns the sort key in the list of the conversation.
    fn key(&self) -> (i64, u64) {
        (self.at, self.order)
    }
}

/// A conversation on the server.
#[derive(Default)]
pub(crate) struct Room {
    pub(crate) joined_at: Option<i64>,
    /// The messages, oldest first.
    pub(crate) posts: Vec<Post>,
    read_until: i64,
    unread: usize,
    pub(crate) subject: Option<String>,
}

impl Room {
    fn last_message_at(&self) -> i64 {
        let last = self.posts.last().map(|post| post.at);
        last.or(self.joined_at).unwrap_or_default()
    }

    /// Returns the index of the first message after a time and an order.
    fn index_after(&self, key: (i64, u64)) -> usize {
        self.posts.partition_point(|post| post.key() <= key)
    }

    fn is_unread(&self, post: &Post) -> bool {
        post.at > self.read_until && post.sender.as_deref() != Some(InboxServer::ME)
    }

    fn add(&mut self, post: Post) {
        self.unread += usize::from(self.is_unread(&post));
        let index = self.index_after(post.key());
        self.posts.insert(index, post);
    }

    fn remove(&mut self, id: &str) {
        if let Some(index) = self.posts.iter().position(|post| post.id == id) {
            let post = self.posts.remove(index);
            self.unread -= usize::from(self.is_unread(&post));
        }
    }

    fn read(&mut self, until: i64) {
        self.read_until = until;
        let later = &self.posts[self.index_after((until, u64::MAX))..];
        self.unread = later.iter().filter(|post| self.is_unread(post)).count();
    }
}

/// The conversations of alice.
#[derive(Default)]
pub(crate) struct InboxServer {
    pub(crate) rooms: BTreeMap<String, Room>,
    /// The joined conversations: the negative time of the last message, and the name.
    order: BTreeSet<(i64, String)>,
    /// The time of the server.
    pub(crate) now: i64,
    next: u64,
    /// The connection that is subscribed to the list.
    pub(crate) subscribed: Option<usize>,
    /// The subscriptions to messages, by connection and conversation.
    pub(crate) subscribed_rooms: BTreeSet<(usize, String)>,
    /// Set to publish no message.
    pub(crate) hides_messages: bool,
    /// Events that are not published.
    pub(crate) events: Vec<Value>,
    /// Refuse the next requests with a cursor.
    pub(crate) refused_cursors: usize,
}

impl InboxServer {
    pub(crate) const ME: &str = "alice";

    pub(crate) fn new() -> Self {
        Self {
            now: START.as_millis(),
            ..Self::default()
        }
    }

    /// Advances the time by a millisecond, so that no two changes have the same one.
    pub(crate) fn tick(&mut self) -> i64 {
        self.now += 1;
        self.now
    }

    /// Changes a conversation, which may be new.
    fn change<R>(&mut self, room: &str, change: impl FnOnce(&mut Room) -> R) -> R {
        let state = self.rooms.entry(room.to_owned()).or_default();
        let key = |state: &Room| (-state.last_message_at(), room.to_owned());
        self.order.remove(&key(state));
        let result = change(state);
        if state.joined_at.is_some() {
            self.order.insert(key(state));
        }
        result
    }

    pub(crate) fn join(&mut self, room: &str) {
        let now = self.tick();
        if !self.joined(room) {
            self.change(room, |state| {
                state.joined_at = Some(now);
                state.read(now);
            });
            let state = self.side(room);
            self.publish(json!({"type": "side.created", "conversationId": room, "state": state}));
        }
    }

    pub(crate) fn leave(&mut self, room: &str) {
        self.tick();
        if self.change(room, |state| state.joined_at.take()).is_some() {
            self.publish(json!({"type": "side.deleted", "conversationId": room}));
        }
    }

    /// Adds a message at the current time, and returns its ID.
    pub(crate) fn send(&mut self, room: &str, sender: Option<&str>, text: &str) -> String {
        let at = self.tick();
        self.send_at(room, sender, text, at)
    }

    /// Adds a message of any time.
    pub(crate) fn send_at(
        &mut self,
        room: &str,
        sender: Option<&str>,
        text: &str,
        at: i64,
    ) -> String {
        self.next += 1;
        let id = format!("msg_{}", self.next);
        let post = Post {
            id: id.clone(),
            sender: sender.map(str::to_owned),
            text: text.to_owned(),
            at,
            quotes: None,
            order: self.next,
            idempotency_key: None,
        };
        let message = post_json(&post);
        let diff = self.change(room, |state| {
            let before = (state.last_message_at(), state.unread);
            state.add(post);
            if sender != Some(Self::ME) {
                return diff_since(before, state);
            }
            let last = state.last_message_at();
            state.read(last);
            let mut diff = diff_since(before, state);
            diff["readUntil"] = last.into();
            diff
        });
        if self.joined(room) {
            self.publish(json!({"type": "side.edited", "conversationId": room, "diff": diff}));
            self.publish_message(
                room,
                json!({"type": "message.created", "conversationId": room,
                "messageId": id, "state": message}),
            );
        }
        id
    }

    /// Publishes an event of a message, before or after that of the list.
    fn publish_message(&mut self, room: &str, event: Value) {
        let connection = self.subscribed.unwrap_or(usize::MAX);
        let is_subscribed = self
            .subscribed_rooms
            .contains(&(connection, room.to_owned()));
        if is_subscribed && !self.hides_messages {
            let last = self.events.len().saturating_sub(self.next as usize % 2);
            self.events.insert(last, event);
        }
    }

    pub(crate) fn delete(&mut self, room: &str, id: &str) {
        self.tick();
        if !self.rooms.contains_key(room) {
            return;
        }
        let diff = self.change(room, |state| {
            let before = (state.last_message_at(), state.unread);
            state.remove(id);
            diff_since(before, state)
        });
        if self.joined(room) {
            self.publish(json!({"type": "side.edited", "conversationId": room, "diff": diff}));
            self.publish_message(
                room,
                json!({"type": "message.deleted", "conversationId": room,
                "messageId": id}),
            );
        }
    }

    pub(crate) fn edit(&mut self, room: &str, id: &str, text: &str) {
        let at = self.tick();
        let posts = &mut self.rooms.get_mut(room).expect("the room").posts;
        let post = posts.iter_mut().find(|post| post.id == id);
        text.clone_into(&mut post.expect("the message").text);
        let content = json!([{"type": "text", "children": [text]}]);
        let diff = json!({"content": content, "editedAt": at});
        self.publish_message(
            room,
            json!({"type": "message.edited", "conversationId": room,
            "messageId": id, "diff": diff}),
        );
    }

    pub(crate) fn set_subject(&mut self, room: &str, subject: &str) {
        self.tick();
        let state = self.rooms.entry(room.to_owned()).or_default();
        state.subject = Some(subject.to_owned());
        let diff = json!({"subject": subject});
        self.publish(json!({"type": "conversation.edited", "conversationId": room, "diff": diff}));
    }

    fn publish(&mut self, event: Value) {
        self.events.push(event);
    }

    fn side(&self, room: &str) -> Value {
        let state = &self.rooms[room];
        json!({
            "id": room, "subject": state.subject, "photoUrl": null, "welcomeMessages": [],
            "custom": {}, "createdAt": 1, "joinedAt": state.joined_at,
            "lastMessageAt": state.last_message_at(), "unreadMessageCount": state.unread,
            "isUnread": state.unread > 0, "readUntil": state.read_until,
            "everyoneReadUntil": 1, "access": "ReadWrite", "notify": true,
        })
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Option<Answer> {
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        let has_cursor = request.data["cursor"].is_string();
        if has_cursor && self.refused_cursors > 0 {
            self.refused_cursors -= 1;
            return Some(Answer::refuse(400, "BAD_CURSOR"));
        }
        Some(match (request.method.as_str(), path.as_slice()) {
            ("SUBSCRIBE", ["me", "conversations"]) => {
                self.subscribed = Some(request.connection);
                Answer::Reply(200, json!({}))
            }
            ("UNSUBSCRIBE", ["me", "conversations"]) => {
                self.subscribed = None;
                Answer::Reply(200, json!({}))
            }
            ("SUBSCRIBE", ["me", "conversations", room, "messages"]) => {
                let subscription = (request.connection, (*room).to_owned());
                self.subscribed_rooms.insert(subscription);
                Answer::Reply(200, json!({}))
            }
            ("UNSUBSCRIBE", ["me", "conversations", room, "messages"]) => {
                let subscription = (request.connection, (*room).to_owned());
                self.subscribed_rooms.remove(&subscription);
                Answer::Reply(200, json!({}))
            }
            ("GET", ["me", "conversations"]) => self.list(request),
            ("GET", ["me", "conversations", room]) => match self.joined(room) {
                true => Answer::Reply(200, self.side(room)),
                false => Answer::refuse(404, "NOT_FOUND"),
            },
            ("GET", ["me", "conversations", room, "messages"]) => match self.joined(room) {
                true => self.page(room, request),
                false => Answer::refuse(403, "NOT_A_PARTICIPANT"),
            },
            ("GET", ["me", "conversations", room, "messages", id]) => {
                let posts = &self.rooms[*room].posts;
                let post = posts.iter().find(|post| post.id == *id);
                match post {
                    Some(post) => Answer::Reply(200, post_json(post)),
                    None => Answer::refuse(404, "NOT_FOUND"),
                }
            }
            ("POST", ["conversations", room, "messages"]) => {
                let key = request.data["idempotencyKey"].as_str()?.to_owned();
                let text = request.data["content"][0]["children"][0].as_str()?;
                let posts = self.rooms.get(*room).map_or(&[][..], |room| &room.posts);
                let is_known = |post: &&Post| post.idempotency_key.as_ref() == Some(&key);
                let known = posts.iter().find(is_known);
                let id = known.map(|post| post.id.clone());
                let id = id.unwrap_or_else(|| {
                    let id = self.send(room, Some(Self::ME), text);
                    let state = self.rooms.get_mut(*room).expect("it has a message");
                    let post = state.posts.iter_mut().find(|post| post.id == id);
                    post.expect("it was added").idempotency_key = Some(key);
                    id
                });
                Answer::Reply(200, json!({"id": id}))
            }
            _ => return None,
        })
    }

    fn joined(&self, room: &str) -> bool {
        let state = self.rooms.get(room);
        state.is_some_and(|state| state.joined_at.is_some())
    }

    fn list(&self, request: &Request) -> Answer {
        let limit = request.data["limit"].as_u64().expect("a limit") as usize;
        let cursor = request.data["cursor"].as_str();
        let cursor: Value = cursor.map_or(Value::Null, |it| serde_json::from_str(it).unwrap());
        let filter = match &cursor {
            Value::Null => &request.data["filter"],
            cursor => &cursor[2],
        };
        let after = cursor[0].as_i64().zip(cursor[1].as_str());
        let after = after.map(|(time, name)| (time, name.to_owned()));
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.order.range((start, Bound::Unbounded));
        let rest = rest.filter(|(_, name)| matches(filter, &self.rooms[name]));
        let mut page: Vec<_> = rest.take(limit + 1).collect();
        let cursor = (page.len() > limit).then(|| {
            page.pop();
            let (time, name) = page.last().expect("a full page");
            json!([time, name, filter]).to_string()
        });
        let data: Vec<_> = page.iter().map(|(_, name)| self.side(name)).collect();
        Answer::Reply(200, json!({"data": data, "cursor": cursor}))
    }

    fn page(&self, room: &str, request: &Request) -> Answer {
        let limit = request.data["limit"].as_u64().expect("a limit") as usize;
        let room = &self.rooms[room];
        let end = request.data["cursor"].as_str().map(|cursor| {
            let (at, order) = cursor.split_once('/').expect("our cursor");
            let key = (at.parse().unwrap(), order.parse::<u64>().unwrap());
            room.index_after((key.0, key.1 - 1))
        });
        let end = end.unwrap_or(room.posts.len());
        let page = &room.posts[end.saturating_sub(limit)..end];
        let cursor = (end > limit).then(|| {
            let last = page.first().expect("a full page");
            format!("{}/{}", last.at, last.order)
        });
        let data: Vec<_> = page.iter().rev().map(post_json).collect();
        Answer::Reply(200, json!({"data": data, "cursor": cursor}))
    }
}

/// Returns the change of a conversation since its last message had a time, and it had a number of
/// unread messages.
fn diff_since((last_message_at, unread): (i64, usize), state: &Room) -> Value {
    let mut diff = json!({});
    if state.last_message_at() != last_message_at {
        diff["lastMessageAt"] = state.last_message_at().into();
    }
    if state.unread != unread {
        diff["unreadMessageCount"] = state.unread.into();
    }
    diff
}

fn post_json(post: &Post) -> Value {
    let kind = match post.sender {
        Some(_) => "UserMessage",
        None => "SystemMessage",
    };
    json!({
        "id": post.id, "type": kind, "senderId": post.sender, "custom": {}, "createdAt": post.at,
        "editedAt": null, "referencedMessageId": post.quotes, "origin": "rest",
        "content": [{"type": "text", "children": [post.text]}], "reactions": {},
    })
}

/// Returns `true` if the times of a conversation meet a filter.
fn matches(filter: &Value, room: &Room) -> bool {
    if filter[0] == "any" {
        let filters = filter[1].as_array().expect("a list of filters");
        return filters.iter().any(|filter| matches(filter, room));
    }
    let above = |name: &str, value: i64| {
        let condition = &filter[name];
        condition.is_null() || condition[0] == ">" && value as f64 > condition[1].as_f64().unwrap()
    };
    let joined_at = room.joined_at.unwrap_or_default();
    above("lastActivityAt", room.last_message_at()) && above("joinedAt", joined_at)
}
