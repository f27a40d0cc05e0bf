//! A server, its connections, and the frames received by each of them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use talk_emulator::server::{
    ConnectionId, FileMetadata, HttpRequest, Key, Output, Server, Settings, Timestamp,
    WebhookAttemptId, WebhookRequest,
};

pub(crate) const APP: &str = "app";

/// A connection that numbers its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Peer(pub(crate) ConnectionId);

/// A server and a virtual clock.
pub(crate) struct World {
    pub(crate) server: Server,
    now: u64,
    connections: u64,
    inboxes: BTreeMap<ConnectionId, Inbox>,
    /// The webhooks to send, in order.
    pub(crate) webhooks: VecDeque<(WebhookAttemptId, WebhookRequest)>,
    pub(crate) cancelled: Vec<WebhookAttemptId>,
    /// The records that the server reported.
    kept: BTreeMap<Key, String>,
}

#[derive(Default)]
struct Inbox {
    next_seq: u64,
    answers: BTreeMap<u64, (u64, Value)>,
    publishes: Vec<Vec<Value>>,
    taken: usize,
    closed: Option<Option<u16>>,
}

fn moment(millis: u64) -> Timestamp {
    Timestamp::default() + Duration::from_millis(millis)
}

fn unix_millis(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_millis()).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let now = 1_700_000_000_000;
        let server = Server::new(settings, 7, moment(now));
        Self {
            server,
            now,
            connections: 0,
            inboxes: BTreeMap::new(),
            webhooks: VecDeque::new(),
            cancelled: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    /// Creates a world whose server can be restarted.
    pub(crate) fn keeping() -> Self {
        let mut world = Self::new();
        world.restart();
        world
    }

    /// Drops the server with all its connections, and restores another one from its records.
    pub(crate) fn restart(&mut self) {
        let settings = Settings {
            origin: format!("http://127.0.0.1:{}", self.connections),
            ..self.server.settings().clone()
        };
        let kept = self.kept.clone();
        self.server = Server::restore(settings, 7, self.time(), kept).unwrap();
        self.inboxes.clear();
        self.webhooks.clear();
        self.drain();
    }

    /// Creates a world with users alice, bob and carol, and a conversation `c` of alice and bob.
    pub(crate) fn of_friends() -> (Self, Peer, Peer) {
        let mut world = Self::new();
        let [alice, bob] = world.befriend();
        (world, alice, bob)
    }

    /// Creates the users and the conversation of [`of_friends`](Self::of_friends).
    pub(crate) fn befriend(&mut self) -> [Peer; 2] {
        let alice = self.connect("alice");
        let bob = self.connect("bob");
        for (user, name) in [("alice", "Alice"), ("bob", "Bob"), ("carol", "Carol")] {
            self.ok(
                alice,
                "POST",
                &format!("/users/{user}"),
                json!({ "name": name }),
            );
        }
        self.ok(alice, "POST", "/conversations/c", json!({}));
        self.add(alice, "c", &["alice", "bob"]);
        [alice, bob]
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn time(&self) -> Timestamp {
        moment(self.now)
    }

    /// Advances the time, with a tick at every timeout of the server.
    pub(crate) fn wait(&mut self, millis: u64) {
        let end = self.now + millis;
        while let Some(at) = self
            .server
            .poll_timeout()
            .map(unix_millis)
            .filter(|at| *at <= end)
        {
            self.now = self.now.max(at);
            self.server.tick(self.time());
            self.drain();
            let next = self.server.poll_timeout().map(unix_millis);
            assert!(
                next.is_none_or(|next| next > self.now),
                "a tick does what is due"
            );
        }
        self.now = end;
        self.server.tick(self.time());
        self.drain();
    }

    pub(crate) fn open(&mut self, user: &str) -> Peer {
        self.connections += 1;
        let id = ConnectionId(self.connections);
        self.inboxes.insert(id, Inbox::default());
        self.server.open(self.time(), id, APP, user);
        self.drain();
        Peer(id)
    }

    /// Opens and authenticates a connection.
    pub(crate) fn connect(&mut self, user: &str) -> Peer {
        let peer = self.open(user);
        self.ok(peer, "POST", "/session/renew", json!({ "token": "any" }));
        peer
    }

    pub(crate) fn close(&mut self, peer: Peer) {
        self.server.closed(self.time(), peer.0);
        self.drain();
    }

    /// Sends a request and returns its sequence number.
    pub(crate) fn send(&mut self, peer: Peer, method: &str, path: &str, data: Value) -> u64 {
        let inbox = self.inboxes.get_mut(&peer.0).unwrap();
        let seq = inbox.next_seq;
        inbox.next_seq += 1;
        let frame = json!([seq, method, path, data, {}]).to_string();
        self.server.handle_frame(self.time(), peer.0, &frame);
        self.drain();
        seq
    }

    pub(crate) fn raw(&mut self, peer: Peer, text: &str) {
        self.server.handle_frame(self.time(), peer.0, text);
        self.drain();
    }

    pub(crate) fn answer(&self, peer: Peer, seq: u64) -> Option<(u64, Value)> {
        self.inboxes[&peer.0].answers.get(&seq).cloned()
    }

    /// Sends a request and returns the status and body of its answer.
    pub(crate) fn call(
        &mut self,
        peer: Peer,
        method: &str,
        path: &str,
        data: Value,
    ) -> (u64, Value) {
        let seq = self.send(peer, method, path, data);
        self.answer(peer, seq)
            .unwrap_or_else(|| panic!("{method} {path} is not answered"))
    }

    /// Sends a request that must succeed, and returns the body of its answer.
    pub(crate) fn ok(&mut self, peer: Peer, method: &str, path: &str, data: Value) -> Value {
        let (status, body) = self.call(peer, method, path, data);
        assert_eq!(status, 200, "{method} {path}: {body}");
        body
    }

    /// Sends a request that must be refused, and returns the status and error code.
    pub(crate) fn refused(
        &mut self,
        peer: Peer,
        method: &str,
        path: &str,
        data: Value,
    ) -> (u64, String) {
        let (status, body) = self.call(peer, method, path, data);
        assert_ne!(status, 200, "{method} {path} is done: {body}");
        assert!(body["reasons"][0].is_string(), "a refusal says why: {body}");
        (status, body["errorCode"].as_str().unwrap().to_owned())
    }

    pub(crate) fn subscribe(&mut self, peer: Peer, paths: &[&str]) {
        for path in paths {
            self.ok(peer, "SUBSCRIBE", path, json!({}));
        }
    }

    /// Adds participants one by one.
    pub(crate) fn add(&mut self, peer: Peer, conversation: &str, users: &[&str]) {
        for user in users {
            let responses = self.act(peer, conversation, "POST", user, json!({}));
            assert_eq!(responses, json!({ "status": 200 }));
        }
    }

    /// Performs an action on a participant and returns its response.
    pub(crate) fn act(
        &mut self,
        peer: Peer,
        conversation: &str,
        method: &str,
        user: &str,
        params: Value,
    ) -> Value {
        let path = format!("/conversations/{conversation}/participants");
        let actions = json!({ "actions": [{ "id": user, "method": method, "params": params }] });
        self.ok(peer, "POST", &path, actions)["responses"][0].clone()
    }

    /// Sends a message and returns its id.
    pub(crate) fn say(&mut self, peer: Peer, conversation: &str, text: &str) -> String {
        let path = format!("/conversations/{conversation}/messages");
        let sent = self.ok(peer, "POST", &path, json!({ "content": text_block(text) }));
        sent["id"].as_str().unwrap().to_owned()
    }

    /// Posts a system message.
    pub(crate) fn say_as_app(&mut self, conversation: &str, text: &str) -> Option<String> {
        let now = self.time();
        let id = self
            .server
            .post_system_message(now, APP, conversation, text);
        self.drain();
        id
    }

    /// Returns the publish frames since the last call.
    pub(crate) fn frames(&mut self, peer: Peer) -> Vec<Vec<Value>> {
        let inbox = self.inboxes.get_mut(&peer.0).unwrap();
        let frames = inbox.publishes[inbox.taken..].to_vec();
        inbox.taken = inbox.publishes.len();
        frames
    }

    /// Returns the events since the last call, without the division into frames.
    pub(crate) fn events(&mut self, peer: Peer) -> Vec<Value> {
        self.frames(peer).into_iter().flatten().collect()
    }

    /// Returns the types of the events since the last call.
    pub(crate) fn event_types(&mut self, peer: Peer) -> Vec<String> {
        let events = self.events(peer);
        events
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn forget_events(&mut self, peers: &[Peer]) {
        for peer in peers {
            self.frames(*peer);
        }
    }

    pub(crate) fn is_closed(&self, peer: Peer) -> Option<Option<u16>> {
        self.inboxes[&peer.0].closed
    }

    pub(crate) fn http(&mut self, request: HttpRequest) -> (u16, Value) {
        let response = self.server.http(self.time(), &request);
        self.drain();
        let body: Vec<u8> = response.body().concat();
        (
            response.status().as_u16(),
            serde_json::from_slice(&body).unwrap(),
        )
    }

    /// Uploads a file and returns its token.
    pub(crate) fn upload(&mut self, file: FileMetadata) -> String {
        let request = http::Request::post(format!("/public_api/v1/{APP}/files"))
            .header("authorization", "Bearer any")
            .body(Default::default())
            .unwrap();
        let permit = self.server.begin_upload(self.time(), &request).unwrap();
        self.server
            .finish_upload(self.time(), &permit, file)
            .unwrap()
            .token
    }

    /// Takes all outputs, and checks the invariants of every frame.
    pub(crate) fn drain(&mut self) {
        for change in self.server.take_changes() {
            match change.value {
                Some(value) => self.kept.insert(change.key, value),
                None => self.kept.remove(&change.key),
            };
        }
        let mut caused = BTreeMap::<ConnectionId, u64>::new();
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::SendFrame { connection, text } => {
                    let inbox = self.inboxes.get_mut(&connection).unwrap();
                    let frame: Vec<Value> = serde_json::from_str(&text).unwrap();
                    let number = frame[0].as_u64().unwrap();
                    if frame[1] == "PUBLISH" {
                        assert_eq!(
                            number,
                            inbox.publishes.len() as u64 + 1,
                            "publishes are numbered"
                        );
                        inbox.publishes.push(frame[2..].to_vec());
                        *caused.entry(connection).or_default() += 1;
                    } else {
                        assert!(!caused.contains_key(&connection), "the answer goes first");
                        let answer = (frame[1].as_u64().unwrap(), frame[2].clone());
                        assert!(
                            inbox.answers.insert(number, answer).is_none(),
                            "one answer each"
                        );
                    }
                }
                Output::Close { connection, code } => {
                    self.inboxes.get_mut(&connection).unwrap().closed = Some(code);
                }
                Output::SendWebhook { attempt, request } => {
                    self.webhooks.push_back((attempt, request));
                }
                Output::CancelWebhook { attempt } => self.cancelled.push(attempt),
            }
        }
    }
}

pub(crate) fn text_block(text: &str) -> Value {
    json!([{ "type": "text", "children": [text] }])
}

pub(crate) fn get(uri: &str) -> HttpRequest {
    http::Request::get(uri)
        .header("authorization", "Bearer any")
        .body(Default::default())
        .unwrap()
}

pub(crate) fn picture() -> FileMetadata {
    FileMetadata {
        filename: "cat & dog.png".to_owned(),
        size: 12,
        content_type: "image/png".to_owned(),
        subtype: Some("image".to_owned()),
        width: Some(640.0),
        height: Some(480.0),
        duration: None,
    }
}
