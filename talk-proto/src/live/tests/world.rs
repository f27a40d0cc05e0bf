//! A small server: its data, its answers, and its events.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::kit;
use crate::filter::ConversationFilter;
use crate::model::ConversationSnapshot;

/// The answer to a request, or a status and a code.
pub(super) type Answer = Result<Value, (u16, &'static str)>;

#[derive(Default)]
pub(super) struct World {
    /// The names of the users; `None` if not created.
    pub(super) users: BTreeMap<String, String>,
    pub(super) online: BTreeSet<String>,
    pub(super) conversations: BTreeMap<String, Conversation>,
    /// The subscribed paths of the client.
    pub(super) subscribed: BTreeSet<String>,
    pub(super) clock: i64,
    next_message: u32,
}

#[derive(Default)]
pub(super) struct Conversation {
    subject: Option<String>,
    created_at: i64,
    pub(super) members: BTreeMap<String, Member>,
    /// Newest first.
    pub(super) messages: Vec<Message>,
    pub(super) typing: BTreeMap<String, i64>,
    unread: u64,
    read_until: i64,
}

pub(super) struct Member {
    joined_at: i64,
    access: &'static str,
}

#[derive(Clone)]
pub(super) struct Message {
    pub(super) id: String,
    sender: String,
    created_at: i64,
    edited_at: Option<i64>,
    text: String,
    pub(super) quotes: Option<String>,
    /// The users that reacted with 👍, with the time.
    pub(super) reactions: BTreeMap<String, i64>,
}

const ME: &str = "me";

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self::with_conversations(&["c", "d", "e", "f"].map(str::to_owned));
        for n in 0..90 {
            let conversation = if n % 4 == 0 { "d" } else { "c" };
            let quotes = (n % 5 == 0).then(|| format!("m{}", n / 2));
            world.send(conversation, ["alice", "bob", "carl"][n % 3], quotes);
        }
        world
    }

    /// Returns a server with empty conversations, each with three participants.
    pub(super) fn with_conversations(names: &[String]) -> Self {
        let mut world = Self::default();
        for user in ["me", "alice", "bob", "carl", "dora", "emil", "fred", "gina"] {
            world.users.insert(user.to_owned(), user.to_uppercase());
        }
        for name in names {
            let clock = world.tick();
            let mut conversation = Conversation {
                created_at: clock,
                ..Conversation::default()
            };
            for user in ["me", "alice", "bob"] {
                let member = Member {
                    joined_at: world.tick(),
                    access: "ReadWrite",
                };
                conversation.members.insert(user.to_owned(), member);
            }
            world.conversations.insert(name.clone(), conversation);
        }
        world
    }

    pub(super) fn tick(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    /// Answers a request, given as method, path and data.
    pub(super) fn answer(&mut self, method: &str, path: &str, data: &Value) -> Answer {
        let decoded = path.replace("%F0%9F%91%8D", "+");
        let segments: Vec<&str> = decoded.split('/').skip(1).collect();
        match (method, &segments[..]) {
            ("SUBSCRIBE", ["users"]) => {
                for id in data["ids"].as_array().unwrap() {
                    self.subscribed
                        .insert(format!("/users/{}", id.as_str().unwrap()));
                }
                Ok(json!({}))
            }
            ("SUBSCRIBE", _) => {
                self.subscribed.insert(decoded);
                Ok(json!({}))
            }
            ("UNSUBSCRIBE", _) => {
                assert!(
                    self.subscribed.remove(&decoded),
                    "was not subscribed to {path}"
                );
                Ok(json!({}))
            }
            ("GET", ["users"]) => Ok(self.get_users(data)),
            ("GET", ["users", id, "online"]) => match self.users.get(*id) {
                Some(_) => Ok(json!({"isConnected": self.online.contains(*id)})),
                None => Err((404, "USER_NOT_FOUND")),
            },
            ("GET", ["me", "conversations"]) => Ok(self.get_list(data)),
            ("GET", ["me", "conversations", c, rest @ ..]) => self.get(c, rest, data),
            _ => Err((404, "ROUTE_NOT_FOUND")),
        }
    }

    fn get_users(&self, data: &Value) -> Value {
        let ids = data["ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap());
        let known = ids.filter_map(|id| Some((id.to_owned(), self.user(id)?)));
        known.collect::<Map<_, _>>().into()
    }

    fn get_list(&self, data: &Value) -> Value {
        let (filter, before) = match data["cursor"].as_str() {
            Some(cursor) => {
                let (time, filter) = cursor.split_once(' ').unwrap();
                (filter.to_owned(), time.parse().unwrap())
            }
            None => (data["filter"].to_string(), i64::MAX),
        };
        let mut mine = self.mine_that_match(&serde_json::from_str(&filter).unwrap());
        mine.retain(|name| self.last_message_at(name) < before);
        let limit = usize::try_from(data["limit"].as_u64().unwrap())
            .unwrap()
            .min(30);
        let sides: Vec<_> = mine
            .iter()
            .take(limit)
            .map(|name| self.side(name))
            .collect();
        let more = mine.len() > limit;
        let cursor = more.then(|| format!("{} {filter}", sides.last().unwrap()["lastMessageAt"]));
        kit::page(&sides, cursor.as_deref())
    }

    pub(super) fn mine_that_match(&self, filter: &ConversationFilter) -> Vec<String> {
        let mut mine = self.mine();
        mine.retain(|name| {
            let side: ConversationSnapshot = serde_json::from_value(self.side(name)).unwrap();
            filter.matches(&(&side).into()) == Some(true)
        });
        mine
    }

    fn get(&self, name: &str, rest: &[&str], data: &Value) -> Answer {
        let conversation = self
            .conversations
            .get(name)
            .ok_or((404, "CONVERSATION_NOT_FOUND"))?;
        if !conversation.members.contains_key(ME) {
            return Err((403, "NOT_A_PARTICIPANT"));
        }
        let cut = |items: Vec<Value>, time: &str, max: u64, newest_first: bool| {
            let before = |item: &Value, cursor: i64| match newest_first {
                true => item[time].as_i64().unwrap() < cursor,
                false => item[time].as_i64().unwrap() > cursor,
            };
            let cursor = data["cursor"]
                .as_str()
                .map(|cursor| cursor.parse().unwrap());
            let left = items
                .into_iter()
                .filter(|item| cursor.is_none_or(|at| before(item, at)));
            let left: Vec<_> = left.collect();
            let limit = usize::try_from(data["limit"].as_u64().unwrap().min(max)).unwrap();
            let page = &left[..limit.min(left.len())];
            let cursor = (left.len() > limit).then(|| page.last().unwrap()[time].to_string());
            kit::page(page, cursor.as_deref())
        };
        match rest {
            [] => Ok(self.side(name)),
            ["messages"] => {
                let messages = conversation.messages.iter().map(wire).collect();
                Ok(cut(messages, "createdAt", 100, true))
            }
            ["messages", id] => {
                let message = conversation
                    .messages
                    .iter()
                    .find(|message| message.id == *id);
                Ok(wire(message.ok_or((404, "MESSAGE_NOT_FOUND"))?))
            }
            ["messages", id, "reactions", "+"] => {
                let message = conversation
                    .messages
                    .iter()
                    .find(|message| message.id == *id);
                let message = message.ok_or((404, "MESSAGE_NOT_FOUND"))?;
                let mut reactions: Vec<_> = message.reactions.iter().collect();
                reactions.sort_by_key(|(_, at)| **at);
                let reactions = reactions.into_iter().map(reaction).collect();
                Ok(cut(reactions, "createdAt", 100, false))
            }
            ["participants"] => {
                let mut members: Vec<_> = conversation.members.iter().map(participant).collect();
                members.sort_by_key(|member| -member["joinedAt"].as_i64().unwrap());
                Ok(cut(members, "joinedAt", 50, true))
            }
            ["participants", user] => {
                let member = conversation.members.get_key_value(*user);
                Ok(participant(member.ok_or((404, "PARTICIPANT_NOT_FOUND"))?))
            }
            ["typing"] => Ok(self.typing(name)),
            _ => Err((404, "ROUTE_NOT_FOUND")),
        }
    }

    pub(super) fn user(&self, id: &str) -> Option<Value> {
        Some(kit::user(id, self.users.get(id)?))
    }

    /// Returns the conversations of the current user, the most recently active first.
    pub(super) fn mine(&self) -> Vec<String> {
        let mine = self
            .conversations
            .iter()
            .filter(|(_, c)| c.members.contains_key(ME));
        let mut mine: Vec<String> = mine.map(|(name, _)| name.clone()).collect();
        mine.sort_by_key(|name| -self.last_message_at(name));
        mine
    }

    fn last_message_at(&self, name: &str) -> i64 {
        let conversation = &self.conversations[name];
        let newest = conversation.messages.first();
        newest.map_or(conversation.members[ME].joined_at, |message| {
            message.created_at
        })
    }

    pub(super) fn side(&self, name: &str) -> Value {
        let conversation = &self.conversations[name];
        let me = &conversation.members[ME];
        let mut side = kit::side(name);
        side["subject"] = json!(conversation.subject);
        side["createdAt"] = json!(conversation.created_at);
        side["joinedAt"] = json!(me.joined_at);
        side["access"] = json!(me.access);
        side["lastMessageAt"] = json!(self.last_message_at(name));
        side["unreadMessageCount"] = json!(conversation.unread);
        side["isUnread"] = json!(conversation.unread > 0);
        side["readUntil"] = json!(conversation.read_until);
        side
    }

    pub(super) fn typing(&self, name: &str) -> Value {
        let typing = &self.conversations[name].typing;
        if typing.len() > 5 {
            json!({"many": true})
        } else {
            json!({"many": false, "usersTyping": typing})
        }
    }

    /// Returns the events to which the client is subscribed.
    fn publish(&self, events: Vec<(&str, Value)>) -> Vec<Value> {
        let wanted = |topics: &str| {
            topics
                .split(' ')
                .any(|topic| self.subscribed.contains(topic))
        };
        let events = events.into_iter().filter(|(topics, _)| wanted(topics));
        events.map(|(_, event)| event).collect()
    }

    fn is_mine(&self, name: &str) -> bool {
        self.conversations[name].members.contains_key(ME)
    }

    pub(super) fn rename(&mut self, user: &str, name: &str) -> Vec<Value> {
        let old = self.users.insert(user.to_owned(), name.to_owned());
        let event = match old {
            Some(_) => kit::renamed(user, name),
            None => json!({"type": "user.created", "userId": user, "state": self.user(user)}),
        };
        self.publish(vec![(&format!("/users/{user}"), event)])
    }

    pub(super) fn toggle_online(&mut self, user: &str) -> Vec<Value> {
        if !self.users.contains_key(user) {
            return Vec::new();
        }
        let now = self.online.insert(user.to_owned()) || !self.online.remove(user);
        let event = json!({"type": "user.online.changed", "userId": user,
                           "diff": {"isConnected": now}});
        self.publish(vec![(&format!("/users/{user}/online"), event)])
    }

    /// Returns the event for the client's view of a conversation.
    fn side_edited(&self, name: &str) -> (String, Value) {
        let side = self.side(name);
        let mut diff = Map::new();
        for key in [
            "lastMessageAt",
            "unreadMessageCount",
            "isUnread",
            "readUntil",
        ] {
            diff.insert(key.to_owned(), side[key].clone());
        }
        let event = json!({"type": "side.edited", "conversationId": name, "diff": diff});
        (format!("/me/conversations /me/conversations/{name}"), event)
    }

    pub(super) fn send(&mut self, name: &str, sender: &str, quotes: Option<String>) -> Vec<Value> {
        let created_at = self.tick();
        let id = format!("m{}", self.next_message);
        self.next_message += 1;
        let conversation = self.conversations.get_mut(name).unwrap();
        let is_there = |id: &String| conversation.messages.iter().any(|m| m.id == *id);
        let message = Message {
            text: id.clone(),
            id,
            sender: sender.to_owned(),
            created_at,
            edited_at: None,
            quotes: quotes.filter(is_there),
            reactions: BTreeMap::new(),
        };
        let state = wire(&message);
        conversation.messages.insert(0, message);
        conversation.unread += 1;
        if !self.is_mine(name) {
            return Vec::new();
        }
        let mut event = kit::created(&state);
        event["conversationId"] = json!(name);
        let (side, edited) = self.side_edited(name);
        let messages = format!("/me/conversations/{name}/messages");
        self.publish(vec![(&messages, event), (&side, edited)])
    }

    pub(super) fn edit(&mut self, name: &str, index: usize) -> Vec<Value> {
        let now = self.tick();
        let conversation = self.conversations.get_mut(name).unwrap();
        let Some(message) = conversation.messages.get_mut(index) else {
            return Vec::new();
        };
        message.edited_at = Some(now);
        message.text = format!("{} at {now}", message.id);
        let diff = json!({"editedAt": now, "content": wire(message)["content"]});
        let mut event = kit::edited(&message.id, diff);
        event["conversationId"] = json!(name);
        self.to_messages(name, event)
    }

    pub(super) fn delete(&mut self, name: &str, index: usize) -> Vec<Value> {
        let conversation = self.conversations.get_mut(name).unwrap();
        if index >= conversation.messages.len() {
            return Vec::new();
        }
        let gone = conversation.messages.remove(index);
        for message in &mut conversation.messages {
            message.quotes.take_if(|quoted| *quoted == gone.id);
        }
        let mut event = kit::deleted(&gone.id);
        event["conversationId"] = json!(name);
        if index == 0 {
            event["newLastMessage"] = json!(conversation.messages.first().map(wire));
        }
        if !self.is_mine(name) {
            return Vec::new();
        }
        let topics = format!(
            "/me/conversations/{name}/messages /me/conversations/{name}/messages/{}/reactions/+",
            gone.id
        );
        let (side, edited) = self.side_edited(name);
        self.publish(vec![(&topics, event), (&side, edited)])
    }

    pub(super) fn clear(&mut self, name: &str) -> Vec<Value> {
        self.conversations.get_mut(name).unwrap().messages.clear();
        if !self.is_mine(name) {
            return Vec::new();
        }
        let event = json!({"type": "conversation.cleared", "conversationId": name});
        let (side, edited) = self.side_edited(name);
        let messages = format!("/me/conversations/{name}/messages");
        self.publish(vec![(&messages, event), (&side, edited)])
    }

    pub(super) fn react(&mut self, name: &str, index: usize, user: &str) -> Vec<Value> {
        let now = self.tick();
        let conversation = self.conversations.get_mut(name).unwrap();
        let Some(message) = conversation.messages.get_mut(index) else {
            return Vec::new();
        };
        let id = message.id.clone();
        let added = message.reactions.remove(user).is_none();
        if added {
            message.reactions.insert(user.to_owned(), now);
        }
        let diff = json!({"reactions": {"👍": wire(message)["reactions"].get("👍")}});
        let mut edited = kit::edited(&id, diff);
        edited["conversationId"] = json!(name);
        let kind = if added {
            "reaction.added"
        } else {
            "reaction.removed"
        };
        let reacted = json!({"type": kind, "conversationId": name, "messageId": id,
                             "emoji": "👍", "userId": user, "createdAt": now});
        if !self.is_mine(name) {
            return Vec::new();
        }
        let messages = format!("/me/conversations/{name}/messages");
        let reactions = format!("{messages}/{id}/reactions/+");
        self.publish(vec![(&messages, edited), (&reactions, reacted)])
    }

    fn to_messages(&self, name: &str, event: Value) -> Vec<Value> {
        if !self.is_mine(name) {
            return Vec::new();
        }
        self.publish(vec![(&format!("/me/conversations/{name}/messages"), event)])
    }

    pub(super) fn set_subject(&mut self, name: &str, subject: &str) -> Vec<Value> {
        let conversation = self.conversations.get_mut(name).unwrap();
        conversation.subject = Some(subject.to_owned());
        if !self.is_mine(name) {
            return Vec::new();
        }
        let event = json!({"type": "conversation.edited", "conversationId": name,
                           "diff": {"subject": subject}});
        let topics = format!("/me/conversations /me/conversations/{name}");
        self.publish(vec![(&topics, event)])
    }

    pub(super) fn read(&mut self, name: &str) -> Vec<Value> {
        let now = self.tick();
        let conversation = self.conversations.get_mut(name).unwrap();
        conversation.unread = 0;
        conversation.read_until = now;
        if !self.is_mine(name) {
            return Vec::new();
        }
        let (side, edited) = self.side_edited(name);
        self.publish(vec![(&side, edited)])
    }

    /// Makes a user join, or leave if they participate.
    pub(super) fn toggle_member(&mut self, name: &str, user: &str) -> Vec<Value> {
        let now = self.tick();
        let was_mine = self.is_mine(name);
        let conversation = self.conversations.get_mut(name).unwrap();
        let joined = conversation.members.remove(user).is_none();
        if joined {
            let member = Member {
                joined_at: now,
                access: "ReadWrite",
            };
            conversation.members.insert(user.to_owned(), member);
        }
        let base = format!("/me/conversations/{name}");
        if user == ME {
            return self.toggle_me(name, joined, &base);
        }
        if !was_mine || !self.is_mine(name) {
            return Vec::new();
        }
        let topics = format!("{base}/participants {base}/participants/{user}");
        let event = if joined {
            let member = self.conversations[name]
                .members
                .get_key_value(user)
                .unwrap();
            json!({"type": "participant.created", "conversationId": name, "userId": user,
                   "state": participant(member)})
        } else {
            json!({"type": "participant.deleted", "conversationId": name, "userId": user})
        };
        self.publish(vec![(&topics, event)])
    }

    fn toggle_me(&self, name: &str, joined: bool, base: &str) -> Vec<Value> {
        let is_of = |topic: &&String| {
            topic.as_str() == "/me/conversations"
                || topic
                    .strip_prefix(base)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.subscribed.iter().find(is_of).is_none() {
            return Vec::new();
        }
        if !joined {
            return vec![json!({"type": "side.deleted", "conversationId": name})];
        }
        let mut events =
            vec![json!({"type": "side.created", "conversationId": name, "state": self.side(name)})];
        events.extend(self.publish(vec![(
            &format!("{base}/typing"),
            json!({"type": "typing.available", "conversationId": name,
                   "state": self.typing(name)}),
        )]));
        events
    }

    pub(super) fn set_access(&mut self, name: &str, user: &str) -> Vec<Value> {
        let conversation = self.conversations.get_mut(name).unwrap();
        let Some(member) = conversation.members.get_mut(user) else {
            return Vec::new();
        };
        member.access = if member.access == "Read" {
            "ReadWrite"
        } else {
            "Read"
        };
        let event = json!({"type": "participant.edited", "conversationId": name, "userId": user,
                           "diff": {"access": member.access}});
        if !self.is_mine(name) {
            return Vec::new();
        }
        let base = format!("/me/conversations/{name}");
        let mut topics = format!("{base}/participants {base}/participants/{user}");
        if user == ME {
            topics.push_str(&format!(" {base} /me/conversations"));
        }
        self.publish(vec![(&topics, event)])
    }

    pub(super) fn toggle_typing(&mut self, name: &str, user: &str) -> Vec<Value> {
        let now = self.tick();
        let typing = &mut self.conversations.get_mut(name).unwrap().typing;
        let before = typing.len();
        let since = match typing.remove(user) {
            Some(_) => None,
            None => {
                typing.insert(user.to_owned(), now);
                Some(now)
            }
        };
        let diff = match (before, typing.len()) {
            (5, 6) => json!({"many": true}),
            (6, 5) => self.typing(name),
            (_, 6..) => return Vec::new(),
            _ => json!({"usersTyping": {user: since}}),
        };
        if !self.is_mine(name) {
            return Vec::new();
        }
        let event = json!({"type": "typing.changed", "conversationId": name, "diff": diff});
        self.publish(vec![(&format!("/me/conversations/{name}/typing"), event)])
    }

    /// Returns a message in the form of a snapshot.
    pub(super) fn shown(&self, name: &str, message: &Message) -> Value {
        let mut shown = self.shown_quote(message);
        shown.as_object_mut().unwrap().remove("referencedMessageId");
        let messages = &self.conversations[name].messages;
        let quoted = message
            .quotes
            .as_ref()
            .and_then(|id| messages.iter().find(|m| m.id == *id));
        shown["referencedMessage"] = json!(quoted.map(|quoted| self.shown_quote(quoted)));
        shown
    }

    fn shown_quote(&self, message: &Message) -> Value {
        let mut shown = wire(message);
        let fields = shown.as_object_mut().unwrap();
        fields.remove("senderId");
        fields.insert("sender".to_owned(), json!(self.user(&message.sender)));
        fields.insert("plaintext".to_owned(), json!(message.text));
        let count = message.reactions.len();
        let reactions = if count == 0 {
            json!([])
        } else {
            json!([{"emoji": "👍", "count": count,
                    "currentUserReacted": message.reactions.contains_key(ME)}])
        };
        fields.insert("reactions".to_owned(), reactions);
        shown
    }

    pub(super) fn shown_side(&self, name: &str) -> Value {
        let mut side = self.side(name);
        let last = self.conversations[name].messages.first();
        side["lastMessage"] = json!(last.map(|message| self.shown(name, message)));
        side
    }

    /// Returns the participants in the form of a list. Participants without a user are left out.
    pub(super) fn shown_participants(&self, name: &str) -> Vec<Value> {
        let members = &self.conversations[name].members;
        let mut members: Vec<_> = members.iter().collect();
        members.sort_by_key(|(_, member)| -member.joined_at);
        let shown = members
            .into_iter()
            .map(|(user, _)| self.shown_participant(name, user));
        shown.filter(|shown| !shown.is_null()).collect()
    }

    pub(super) fn shown_participant(&self, name: &str, user: &str) -> Value {
        let member = self.conversations[name].members.get_key_value(user);
        let (Some(member), Some(user)) = (member, self.user(user)) else {
            return json!(null);
        };
        let mut shown = participant(member);
        shown.as_object_mut().unwrap().remove("id");
        shown["user"] = user;
        shown
    }
}

fn wire(message: &Message) -> Value {
    let mut wire = kit::message(&message.id, &message.sender, message.created_at);
    wire["editedAt"] = json!(message.edited_at);
    wire["content"][0]["children"][0] = json!(message.text);
    wire["referencedMessageId"] = json!(message.quotes);
    if let Some(first) = message.reactions.values().min() {
        wire["reactions"] = json!({"👍": {"createdAt": first, "count": message.reactions.len(),
            "currentUserReacted": message.reactions.contains_key(ME)}});
    }
    wire
}

fn reaction((user, at): (&String, &i64)) -> Value {
    json!({"userId": user, "createdAt": at})
}

fn participant((user, member): (&String, &Member)) -> Value {
    let mut participant = kit::participant(user, member.joined_at);
    participant["access"] = json!(member.access);
    participant
}
