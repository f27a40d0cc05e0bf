//! A client that subscribes, reads once and applies every event has the same state as a fresh read.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::support::{Peer, World, text_block};

const USERS: [&str; 3] = ["alice", "bob", "carol"];
const CONVERSATIONS: [&str; 2] = ["c", "d"];
const EMOJI: [&str; 2] = [":x:", ":y:"];

/// An action of a user. Numbers choose among the existing items.
#[derive(Debug, Clone)]
enum Step {
    SetSubject(usize),
    SetCustom(usize),
    Join { user: usize, access: usize },
    Leave(usize),
    Send { reply_to: usize },
    Edit(usize),
    Delete(usize),
    React { message: usize, emoji: usize },
    TakeBack { message: usize, emoji: usize },
    Read,
    Unread,
    Type,
    Wait(u64),
    Reconnect,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<(usize, usize, Step)>> {
    let message = 0..8_usize;
    let step = prop_oneof![
        1 => (0..3_usize).prop_map(Step::SetSubject),
        1 => (0..3_usize).prop_map(Step::SetCustom),
        4 => (0..3_usize, 0..3_usize).prop_map(|(user, access)| Step::Join { user, access }),
        2 => (0..3_usize).prop_map(Step::Leave),
        4 => message.clone().prop_map(|reply_to| Step::Send { reply_to }),
        1 => message.clone().prop_map(Step::Edit),
        2 => message.clone().prop_map(Step::Delete),
        2 => (message.clone(), 0..2_usize)
            .prop_map(|(message, emoji)| Step::React { message, emoji }),
        1 => (message, 0..2_usize).prop_map(|(message, emoji)| Step::TakeBack { message, emoji }),
        2 => Just(Step::Read),
        1 => Just(Step::Unread),
        2 => Just(Step::Type),
        2 => (0..8000_u64).prop_map(Step::Wait),
        1 => Just(Step::Reconnect),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec((0..USERS.len(), 0..CONVERSATIONS.len(), step), 1..60)
}

/// A user's copy of a conversation.
#[derive(Debug, Default, PartialEq)]
struct View {
    side: Option<Value>,
    messages: BTreeMap<u64, Value>,
    participants: BTreeMap<String, Value>,
    typing: Value,
}

struct Watcher {
    user: usize,
    peer: Peer,
    views: BTreeMap<&'static str, View>,
}

impl Watcher {
    fn start(world: &mut World, user: usize) -> Self {
        let peer = world.connect(USERS[user]);
        let mut watcher = Self {
            user,
            peer,
            views: BTreeMap::new(),
        };
        world.subscribe(peer, &["/me/conversations"]);
        for id in CONVERSATIONS {
            for part in ["", "/messages", "/participants", "/typing"] {
                world.subscribe(peer, &[&format!("/me/conversations/{id}{part}")]);
            }
            let view = watcher.fetch(world, id);
            watcher.views.insert(id, view);
        }
        watcher
    }

    /// Fetches the current state from the server.
    fn fetch(&self, world: &mut World, id: &str) -> View {
        let path = format!("/me/conversations/{id}");
        let (status, side) = world.call(self.peer, "GET", &path, json!({}));
        if status != 200 {
            return View::default();
        }
        let participants = self.pages(world, &format!("{path}/participants"), 2);
        View {
            side: Some(side),
            messages: self.messages(world, id),
            participants: participants
                .into_iter()
                .map(|it| (it["id"].as_str().unwrap().to_owned(), it))
                .collect(),
            typing: world.ok(self.peer, "GET", &format!("{path}/typing"), json!({})),
        }
    }

    fn messages(&self, world: &mut World, id: &str) -> BTreeMap<u64, Value> {
        let pages = self.pages(world, &format!("/me/conversations/{id}/messages"), 3);
        pages
            .into_iter()
            .map(|it| (it["createdAt"].as_u64().unwrap(), it))
            .collect()
    }

    fn pages(&self, world: &mut World, path: &str, limit: u64) -> Vec<Value> {
        let mut all = Vec::new();
        let mut data = json!({ "limit": limit });
        loop {
            let mut page = world.ok(self.peer, "GET", path, data);
            all.append(page["data"].as_array_mut().unwrap());
            if page["cursor"].is_null() {
                return all;
            }
            data = json!({ "limit": limit, "cursor": page["cursor"] });
        }
    }

    fn apply_events(&mut self, world: &mut World) {
        for event in world.events(self.peer) {
            let id = CONVERSATIONS
                .into_iter()
                .find(|id| event["conversationId"] == *id)
                .unwrap();
            if event["type"] == "side.created" {
                // As clients do: data that did not exist before is fetched now.
                let mut fetched = self.fetch(world, id);
                fetched.side = Some(event["state"].clone());
                fetched.typing = Value::Null;
                self.views.insert(id, fetched);
                continue;
            }
            let me = USERS[self.user];
            self.views.get_mut(id).unwrap().apply(me, &event);
        }
    }
}

impl View {
    fn apply(&mut self, me: &str, event: &Value) {
        let (diff, state) = (&event["diff"], &event["state"]);
        let user = || event["userId"].as_str().unwrap().to_owned();
        let message = event["messageId"].as_str();
        match event["type"].as_str().unwrap() {
            "side.deleted" => *self = Self::default(),
            "side.edited" | "conversation.edited" => merge(self.side.as_mut().unwrap(), diff),
            "participant.created" => drop(self.participants.insert(user(), state.clone())),
            "participant.edited" => {
                merge(self.participants.get_mut(&user()).unwrap(), diff);
                if user() == me {
                    merge(self.side.as_mut().unwrap(), diff);
                }
            }
            "participant.deleted" => drop(self.participants.remove(&user())),
            "message.created" => {
                self.messages
                    .insert(state["createdAt"].as_u64().unwrap(), state.clone());
            }
            "message.edited" => {
                let edited = self
                    .messages
                    .values_mut()
                    .find(|it| it["id"].as_str() == message);
                merge(edited.unwrap(), diff);
            }
            "message.deleted" => {
                self.messages.retain(|_, it| it["id"].as_str() != message);
                for quoting in self.messages.values_mut() {
                    if quoting["referencedMessageId"].as_str() == message {
                        quoting["referencedMessageId"] = Value::Null;
                    }
                }
                if let Some(last) = event.get("newLastMessage") {
                    let mine = self
                        .messages
                        .last_key_value()
                        .map_or(&Value::Null, |(_, it)| it);
                    assert_eq!(mine, last);
                }
            }
            "typing.available" => self.typing = state.clone(),
            "typing.changed" => merge(&mut self.typing, diff),
            other => panic!("nobody asked for {other}"),
        }
    }
}

/// Applies a diff: custom data, reactions and typing users by key, everything else by value.
fn merge(state: &mut Value, diff: &Value) {
    for (key, change) in diff.as_object().unwrap() {
        let by_key = ["custom", "reactions", "usersTyping"].contains(&key.as_str());
        match change {
            Value::Object(changes) if by_key => {
                let old = state[key].as_object_mut().unwrap();
                for (key, change) in changes {
                    merge_key(old, key, change);
                }
            }
            Value::Null if key == "custom" => state[key] = json!({}),
            _ => state[key] = change.clone(),
        }
    }
}

fn merge_key(old: &mut Map<String, Value>, key: &str, change: &Value) {
    match change {
        Value::Null => drop(old.remove(key)),
        Value::Object(members) => {
            let kept = old
                .entry(key)
                .or_insert_with(|| json!({}))
                .as_object_mut()
                .unwrap();
            kept.extend(members.clone());
        }
        _ => drop(old.insert(key.to_owned(), change.clone())),
    }
}

/// Sends the request of a step, allowed or not.
fn act(world: &mut World, watchers: &mut [Watcher], user: usize, id: &str, step: &Step) {
    let peer = watchers[user].peer;
    let me = USERS[user];
    let sent: Vec<String> = watchers
        .iter()
        .flat_map(|watcher| watcher.views[id].messages.values())
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect();
    let message = |at: usize| {
        sent.get(at % sent.len().max(1))
            .cloned()
            .unwrap_or("none".into())
    };
    let conversation = format!("/conversations/{id}");
    let messages = format!("{conversation}/messages");
    let reaction = |at: &usize, emoji: &usize| {
        format!(
            "{messages}/{}/reactions/{}/{me}",
            message(*at),
            EMOJI[*emoji]
        )
    };
    let (method, path, data) = match step {
        Step::SetSubject(n) => {
            let subject = [Value::Null, json!("S"), json!("T")][*n].clone();
            ("PUT", conversation, json!({ "subject": subject }))
        }
        Step::SetCustom(n) => {
            let custom = [
                Value::Null,
                json!({ "k": "v" }),
                json!({ "k": null, "l": "w" }),
            ];
            ("PUT", conversation, json!({ "custom": custom[*n] }))
        }
        Step::Join { user, access } => {
            let params = [
                json!({}),
                json!({ "access": "Read" }),
                json!({ "notify": false }),
            ];
            let action = json!({ "id": USERS[*user], "method": "PUT", "params": params[*access] });
            (
                "POST",
                format!("{conversation}/participants"),
                json!({ "actions": [action] }),
            )
        }
        Step::Leave(user) => (
            "DELETE",
            format!("{conversation}/participants/{}", USERS[*user]),
            json!({}),
        ),
        Step::Send { reply_to } => {
            let referenced = (*reply_to > 0).then(|| message(*reply_to));
            let data = json!({ "content": text_block("hi"), "referencedMessageId": referenced });
            ("POST", messages, data)
        }
        Step::Edit(at) => {
            let data = json!({ "content": text_block("edited"), "custom": { "e": "1" } });
            ("PATCH", format!("{messages}/{}", message(*at)), data)
        }
        Step::Delete(at) => ("DELETE", format!("{messages}/{}", message(*at)), json!({})),
        Step::React { message, emoji } => ("PUT", reaction(message, emoji), json!({})),
        Step::TakeBack { message, emoji } => ("DELETE", reaction(message, emoji), json!({})),
        Step::Read => ("POST", format!("/me{conversation}/read"), json!({})),
        Step::Unread => ("POST", format!("/me{conversation}/unread"), json!({})),
        Step::Type => ("POST", format!("/me{conversation}/typing"), json!({})),
        Step::Wait(millis) => return world.wait(*millis),
        Step::Restart => {
            world.restart();
            let mut kept: Vec<Watcher> = (0..USERS.len())
                .map(|user| Watcher::start(world, user))
                .collect();
            for (before, after) in watchers.iter_mut().zip(&kept) {
                // Only the typing users are not persisted.
                for (id, view) in &mut before.views {
                    view.typing = after.views[id].typing.clone();
                }
                assert_eq!(before.views, after.views);
            }
            watchers.swap_with_slice(&mut kept);
            return;
        }
        Step::Reconnect => {
            world.close(peer);
            watchers[user] = Watcher::start(world, user);
            return;
        }
    };
    world.call(peer, method, &path, data);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn events_keep_client_copy_consistent(steps in steps()) {
        let mut world = World::keeping();
        let first = world.connect("alice");
        for user in USERS {
            world.ok(first, "POST", &format!("/users/{user}"), json!({ "name": user }));
        }
        for id in CONVERSATIONS {
            world.ok(first, "POST", &format!("/conversations/{id}"), json!({}));
        }
        let mut watchers: Vec<Watcher> =
            (0..USERS.len()).map(|user| Watcher::start(&mut world, user)).collect();
        for (user, conversation, step) in &steps {
            act(&mut world, &mut watchers, *user, CONVERSATIONS[*conversation], step);
            for watcher in &mut watchers {
                watcher.apply_events(&mut world);
                for id in CONVERSATIONS {
                    let fresh = watcher.fetch(&mut world, id);
                    prop_assert_eq!(&watcher.views[id], &fresh, "after {:?}", step);
                }
            }
        }
    }
}
