//! A test kit that drives a [`Live`] by hand: requests are shown and answered by the test, and time
//! is a number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::changes::{Changes, ListChanges};
use crate::command::{Reply, RequestId, SubscriptionId};
use crate::error::{CommandError, RequestError, ServerError};
use crate::io::{Event, ProtocolWarning};
use crate::live::Live;
use crate::live::interface::{FetchId, Get, LiveOutput};
use crate::options::Limits;
use crate::snapshot::{Snapshot, Topic, Window};
use crate::timestamp::Timestamp;
use crate::wire::{EventError, Published, Request, read_event};

pub(super) struct Kit {
    pub(super) live: Live,
    pub(super) now: Timestamp,
    /// The unanswered requests.
    pub(super) open: Vec<(FetchId, Request)>,
    /// All snapshots of each subscription, the newest last.
    pub(super) seen: BTreeMap<SubscriptionId, Vec<Snapshot>>,
    pub(super) changes: BTreeMap<SubscriptionId, Changes>,
    /// For each list, the last snapshot that a slow consumer saw, and the changes since.
    slow: BTreeMap<SubscriptionId, (Vec<usize>, Changes)>,
    /// Decides when the slow consumer polls.
    polls: u64,
    /// The number of times that composed changes of several updates were checked, by kind of list.
    pub(super) composed: BTreeMap<&'static str, usize>,
    pub(super) ended: BTreeMap<SubscriptionId, Option<RequestError>>,
    pub(super) resolved: BTreeMap<RequestId, Result<Reply, RequestError>>,
    /// The number of reported damaged items.
    pub(super) damaged: usize,
    next: u64,
}

impl Kit {
    /// Creates a kit without a connection.
    pub(super) fn offline() -> Self {
        Self::with_window(100_000)
    }

    /// Creates a connected kit.
    pub(super) fn new() -> Self {
        let mut kit = Self::offline();
        kit.live.handle_ready(kit.now);
        kit
    }

    pub(super) fn with_window(window: usize) -> Self {
        Self::offline_with(|limits| limits.window = window)
    }

    /// Creates a connected kit with other limits.
    pub(super) fn with_limits(set: impl FnOnce(&mut Limits)) -> Self {
        let mut kit = Self::offline_with(set);
        kit.live.handle_ready(kit.now);
        kit
    }

    fn offline_with(set: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        set(&mut limits);
        Self {
            live: Live::new("me".try_into().unwrap(), limits),
            now: Timestamp::from_millis(1_000_000),
            open: Vec::new(),
            seen: BTreeMap::new(),
            changes: BTreeMap::new(),
            slow: BTreeMap::new(),
            polls: 0x2545_F491_4F6C_DD1D,
            composed: BTreeMap::new(),
            ended: BTreeMap::new(),
            resolved: BTreeMap::new(),
            damaged: 0,
            next: 0,
        }
    }

    pub(super) fn subscribe(&mut self, topic: Topic) -> SubscriptionId {
        self.next += 1;
        let id = SubscriptionId(self.next);
        self.live.subscribe(self.now, id, topic);
        id
    }

    pub(super) fn messages(&mut self, conversation: &str) -> SubscriptionId {
        let conversation = conversation.try_into().unwrap();
        self.subscribe(Topic::Messages { conversation })
    }

    pub(super) fn conversation(&mut self, conversation: &str) -> SubscriptionId {
        let conversation = conversation.try_into().unwrap();
        self.subscribe(Topic::Conversation { conversation })
    }

    pub(super) fn user(&mut self, user: &str) -> SubscriptionId {
        let user = user.try_into().unwrap();
        self.subscribe(Topic::User { user })
    }

    pub(super) fn unsubscribe(&mut self, id: SubscriptionId) {
        self.live.unsubscribe(self.now, id).unwrap();
    }

    pub(super) fn get(&mut self, get: Get) -> RequestId {
        self.next += 1;
        let id = RequestId(self.next);
        self.live.get(self.now, id, get);
        id
    }

    pub(super) fn load_more(&mut self, id: SubscriptionId, count: usize) -> RequestId {
        self.try_load_more(id, Some(count)).unwrap()
    }

    pub(super) fn try_load_more(
        &mut self,
        id: SubscriptionId,
        count: Option<usize>,
    ) -> Result<RequestId, CommandError> {
        self.next += 1;
        let request = RequestId(self.next);
        self.live.load_more(self.now, request, id, count)?;
        Ok(request)
    }

    /// Drains, and returns the sent requests as `METHOD path data`.
    pub(super) fn drain(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(output) = self.live.poll_output() {
            match output {
                LiveOutput::Send { fetch, request } => {
                    let Request { method, path, data } = &request;
                    sent.push(format!("{method} {path} {data}"));
                    self.open.push((fetch, request));
                }
                LiveOutput::Event(event) => self.take(event),
                LiveOutput::ForgetEntity(_)
                | LiveOutput::ForgetUser(_)
                | LiveOutput::Page { .. }
                | LiveOutput::Inbox { .. } => {}
            }
        }
        let due = self.live.poll_timeout();
        assert!(due.is_none_or(|due| due > self.now), "a due timer remains");
        sent
    }

    /// Answers the oldest open request of this method and path, and drains.
    pub(super) fn answer(&mut self, request: &str, body: &Value) -> Vec<String> {
        let fetch = self.take_open(request);
        let body = to_raw_value(body).unwrap();
        self.live.handle_answer(self.now, fetch, Ok(Some(&body)));
        self.drain()
    }

    /// Refuses the oldest open request of this method and path, and drains.
    pub(super) fn refuse(&mut self, request: &str, status: u16, code: &str) -> Vec<String> {
        let fetch = self.take_open(request);
        let refused = ServerError::new(status, code, Vec::new());
        self.live
            .handle_answer(self.now, fetch, Err(refused.into()));
        self.drain()
    }

    fn take_open(&mut self, wanted: &str) -> FetchId {
        let name = |request: &Request| format!("{} {}", request.method, request.path);
        let at = self
            .open
            .iter()
            .position(|(_, request)| name(request) == wanted);
        let open: Vec<_> = self.open.iter().map(|(_, request)| name(request)).collect();
        let at = at.unwrap_or_else(|| panic!("{wanted} is not among {open:#?}"));
        self.open.remove(at).0
    }

    /// Publishes these events in one frame, and drains.
    pub(super) fn publish(&mut self, events: &[Value]) -> Vec<String> {
        let events: Vec<_> = events.iter().map(event).collect();
        self.live.handle_events(self.now, events);
        self.drain()
    }

    /// Publishes these unreadable events in one frame, and drains.
    pub(super) fn publish_unreadable(&mut self, events: &[Value]) -> Vec<String> {
        let events: Vec<_> = events.iter().map(unreadable).collect();
        self.live.handle_events(self.now, events);
        self.drain()
    }

    pub(super) fn lose(&mut self) -> Vec<String> {
        self.open.clear();
        self.live.handle_lost(self.now);
        self.drain()
    }

    pub(super) fn reconnect(&mut self) -> Vec<String> {
        self.lose();
        self.live.handle_ready(self.now);
        self.drain()
    }

    pub(super) fn wait(&mut self, seconds: u64) -> Vec<String> {
        self.now = self.now + Duration::from_secs(seconds);
        self.live.handle_timeout(self.now);
        self.drain()
    }

    /// Returns the number of snapshots of a subscription.
    pub(super) fn count(&self, id: SubscriptionId) -> usize {
        self.seen.get(&id).map_or(0, Vec::len)
    }

    /// Returns the last snapshot of a subscription.
    pub(super) fn last(&self, id: SubscriptionId) -> Value {
        serde_json::to_value(self.seen[&id].last().unwrap()).unwrap()
    }

    /// Returns the IDs of the items in a list.
    pub(super) fn ids(&self, id: SubscriptionId) -> Vec<String> {
        let last = self.last(id);
        let id = |item: &Value| {
            let id = item.get("id").or_else(|| item["user"].get("id")).unwrap();
            id.as_str().unwrap().to_owned()
        };
        last.as_array().unwrap().iter().map(id).collect()
    }

    pub(super) fn window(&self, id: SubscriptionId) -> &Window<crate::model::MessageSnapshot> {
        match self.seen[&id].last() {
            Some(Snapshot::Messages(Some(window))) => window,
            other => panic!("no messages but {other:?}"),
        }
    }

    /// Returns the reply to a request as JSON.
    pub(super) fn reply(&self, id: RequestId) -> Value {
        match self.resolved.get(&id).unwrap().as_ref().unwrap() {
            Reply::Done => json!("done"),
            Reply::User(user) => json!(user),
            Reply::Conversation(conversation) => json!(conversation),
            Reply::Participant(participant) => json!(participant),
            Reply::Message(message) => json!(message),
            Reply::Reactions(reactions) => json!(reactions),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// Checks that the composed changes lead from the slow consumer's snapshot to the last one.
    fn check_slow(&mut self, id: SubscriptionId, changes: Changes) {
        let seen = &self.seen[&id];
        let Some(now) = addresses(&seen[seen.len() - 1]) else {
            self.slow.remove(&id);
            return;
        };
        let (before, pending) = match self.slow.remove(&id) {
            Some((before, pending)) => {
                if nothing() != pending {
                    *self
                        .composed
                        .entry(kind(&seen[seen.len() - 1]))
                        .or_default() += 1;
                }
                (before, pending.then(changes, 1000))
            }
            None => (Vec::new(), changes),
        };
        match &pending {
            Changes::List(pending) => assert_eq!(pending.apply(&before, &now), now),
            Changes::Reset | Changes::Gap => {}
        }
        self.polls ^= self.polls << 13;
        self.polls ^= self.polls >> 7;
        self.polls ^= self.polls << 17;
        if self.polls.is_multiple_of(4) || !matches!(pending, Changes::List(_)) {
            self.slow.insert(id, (now, nothing()));
        } else {
            self.slow.insert(id, (before, pending));
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Updated {
                subscription,
                update,
            } => {
                assert!(
                    !self.ended.contains_key(&subscription),
                    "shown after the end"
                );
                let seen = self.seen.entry(subscription).or_default();
                if let Some(before) = seen.last() {
                    assert_ne!(*before, update.snapshot, "shown twice");
                    if update.changes != Changes::Gap {
                        check(before, &update.snapshot, &update.changes);
                    }
                }
                seen.push(update.snapshot);
                self.check_slow(subscription, update.changes.clone());
                self.changes.insert(subscription, update.changes);
            }
            Event::Warning(ProtocolWarning::Items { count }) => self.damaged += count,
            Event::Resolved { request, result } => {
                let before = self.resolved.insert(request, result);
                assert!(before.is_none(), "resolved twice");
            }
            Event::SubscriptionEnded {
                subscription,
                error,
            } => {
                assert!(
                    self.ended.insert(subscription, error).is_none(),
                    "ended twice"
                );
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

/// Checks that the changes lead from one snapshot to the next, and that unchanged items keep their
/// allocation.
fn check(before: &Snapshot, after: &Snapshot, changes: &Changes) {
    match (before, after) {
        (Snapshot::Messages(Some(a)), Snapshot::Messages(Some(b))) => check_list(a, b, changes),
        (Snapshot::Participants(Some(a)), Snapshot::Participants(Some(b))) => {
            check_list(a, b, changes);
        }
        (Snapshot::Reactions(Some(a)), Snapshot::Reactions(Some(b))) => check_list(a, b, changes),
        (Snapshot::Conversations(a), Snapshot::Conversations(b)) => check_list(a, b, changes),
        _ => assert_eq!(*changes, Changes::Reset),
    }
}

fn nothing() -> Changes {
    Changes::List(ListChanges::default())
}

fn kind(snapshot: &Snapshot) -> &'static str {
    match snapshot {
        Snapshot::Messages(_) => "messages",
        Snapshot::Participants(_) => "participants",
        Snapshot::Reactions(_) => "reactions",
        Snapshot::Conversations(_) => "conversations",
        _ => "no list",
    }
}

/// Returns the addresses of a list's items. All snapshots are kept, so no address is reused.
fn addresses(snapshot: &Snapshot) -> Option<Vec<usize>> {
    fn of<T>(window: &Window<T>) -> Vec<usize> {
        window.iter().map(|item| Arc::as_ptr(item).addr()).collect()
    }
    match snapshot {
        Snapshot::Messages(window) => window.as_ref().map(of),
        Snapshot::Participants(window) => window.as_ref().map(of),
        Snapshot::Reactions(window) => window.as_ref().map(of),
        Snapshot::Conversations(window) => Some(of(window)),
        _ => None,
    }
}

fn check_list<T>(before: &Window<T>, after: &Window<T>, changes: &Changes) {
    let Changes::List(changes) = changes else {
        panic!("a list changed without saying how");
    };
    let before: Vec<Arc<T>> = before.iter().cloned().collect();
    let after: Vec<Arc<T>> = after.iter().cloned().collect();
    let applied = changes.apply(&before, &after);
    assert_eq!(applied.len(), after.len());
    for (index, (a, b)) in applied.iter().zip(&after).enumerate() {
        assert!(Arc::ptr_eq(a, b), "item {index} changed unsaid");
    }
}

/// Returns a readable event.
pub(super) fn event(json: &Value) -> Published {
    let event = published(json);
    assert!(event.is_ok(), "{json}: {event:?}");
    event
}

/// Returns an unreadable event of a known type.
pub(super) fn unreadable(json: &Value) -> Published {
    let event = published(json);
    assert!(
        matches!(event, Err(EventError::Unreadable(_))),
        "{json}: {event:?}"
    );
    event
}

fn published(json: &Value) -> Published {
    let raw: Box<RawValue> = to_raw_value(json).unwrap();
    read_event(&raw)
}

pub(super) fn user(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "custom": {}, "locale": null, "photoUrl": null,
           "role": "default", "welcomeMessage": null})
}

/// Returns a message whose text is its ID.
pub(super) fn message(id: &str, sender: &str, created_at: i64) -> Value {
    json!({"id": id, "type": "UserMessage", "senderId": sender, "custom": {},
           "createdAt": created_at, "editedAt": null, "referencedMessageId": null,
           "origin": "rest", "content": [{"type": "text", "children": [id]}], "reactions": {}})
}

pub(super) fn reply_to(mut message: Value, quoted: &str) -> Value {
    message["referencedMessageId"] = json!(quoted);
    message
}

pub(super) fn side(id: &str) -> Value {
    json!({"id": id, "subject": null, "photoUrl": null, "welcomeMessages": [], "custom": {},
           "createdAt": 1, "joinedAt": 2, "lastMessageAt": 2, "unreadMessageCount": 0,
           "isUnread": false, "readUntil": 2, "everyoneReadUntil": 2, "access": "ReadWrite",
           "notify": true})
}

pub(super) fn participant(id: &str, joined_at: i64) -> Value {
    json!({"id": id, "access": "ReadWrite", "notify": true, "joinedAt": joined_at})
}

pub(super) fn page(data: &[Value], cursor: Option<&str>) -> Value {
    json!({"data": data, "cursor": cursor})
}

/// Returns `m{from}` down to `m{to}` by alice, created at their number.
pub(super) fn messages(from: i64, to: i64) -> Vec<Value> {
    (to..=from)
        .rev()
        .map(|n| message(&format!("m{n}"), "alice", n))
        .collect()
}

pub(super) fn created(message: &Value) -> Value {
    json!({"type": "message.created", "conversationId": "c", "messageId": message["id"],
           "state": message})
}

pub(super) fn edited(id: &str, diff: Value) -> Value {
    json!({"type": "message.edited", "conversationId": "c", "messageId": id, "diff": diff})
}

pub(super) fn deleted(id: &str) -> Value {
    json!({"type": "message.deleted", "conversationId": "c", "messageId": id})
}

pub(super) fn renamed(user: &str, name: &str) -> Value {
    json!({"type": "user.edited", "userId": user, "diff": {"name": name}})
}

pub(super) const MESSAGES: &str = "GET /me/conversations/c/messages";
pub(super) const SIDE: &str = "GET /me/conversations/c";
pub(super) const USERS: &str = "GET /users";

/// Returns a topic of each kind, all about `c`, `m` and `bob`.
pub(super) fn topics() -> [Topic; 9] {
    let conversation = || "c".try_into().unwrap();
    let user = || "bob".try_into().unwrap();
    [
        Topic::Conversations { filter: None },
        Topic::Conversation {
            conversation: conversation(),
        },
        Topic::Messages {
            conversation: conversation(),
        },
        Topic::Participants {
            conversation: conversation(),
        },
        Topic::Participant {
            conversation: conversation(),
            user: user(),
        },
        Topic::Typing {
            conversation: conversation(),
        },
        Topic::Reactions {
            conversation: conversation(),
            message: "m".try_into().unwrap(),
            emoji: ":a:".try_into().unwrap(),
        },
        Topic::User { user: user() },
        Topic::Online { user: user() },
    ]
}
