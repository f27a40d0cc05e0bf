//! A session that is connected to a server which answers every request.

use bytes::Bytes;
use serde_json::{Value, json};
use talk_proto::{
    Call, Event, Input, Output, Pacing, Session, SessionOptions, SocketId, SubscriptionId,
    Timestamp, Topic, Update, filter::ConversationFilter, model::ConversationId,
    search::SearchKind,
};

use super::frames;

/// A session, its socket, and the snapshots that its user holds.
pub(crate) struct Client {
    session: Session,
    now: Timestamp,
    socket: Option<SocketId>,
    /// The last update of each subscription, as an application keeps it.
    held: Vec<(SubscriptionId, Update)>,
    /// The number of messages on the server, and their conversation.
    messages: u64,
    busy: String,
}

impl Client {
    /// Creates a connected and authenticated client. The conversation has this many messages.
    pub(crate) fn connected(messages: u64) -> Self {
        let mut client = Self::new(messages);
        let call = Call::MarkAsRead {
            conversation: conversation(),
        };
        let call = client.session.call(client.now, call);
        call.expect("room for a call");
        client.serve();
        client
    }

    fn new(messages: u64) -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let name = |text: &str| text.try_into().expect("a name");
        let mut options = SessionOptions::new(name("app"), "alice".try_into().expect("a name"));
        options.authentication.token = Some("token".into());
        options.pacing = Pacing::Off;
        options.limits.subscriptions = 100_000;
        Self {
            session: Session::new(options, 7, now),
            now,
            socket: None,
            held: Vec::new(),
            messages,
            busy: format!("/me/conversations/{}/messages", frames::CONVERSATION),
        }
    }

    pub(crate) fn subscribe(&mut self, topic: Topic) -> SubscriptionId {
        let id = self.session.subscribe(self.now, topic);
        let id = id.expect("room for a subscription");
        self.serve();
        id
    }

    /// Loads more until this many messages are visible.
    pub(crate) fn load(&mut self, id: SubscriptionId, messages: u64) {
        let mut shown = 30;
        while shown < messages {
            let more = (messages - shown).min(100);
            let count = usize::try_from(more).ok();
            let loaded = self.session.load_more(self.now, id, count);
            loaded.expect("a list that can grow");
            self.serve();
            shown += more;
        }
    }

    /// Passes a tick, as a driver does when nothing else happens.
    pub(crate) fn tick(&mut self) {
        self.session.handle_input(self.now, Input::Tick);
        self.serve();
    }

    /// Handles a frame, sends the acknowledgement and takes the snapshot.
    #[inline(never)]
    pub(crate) fn receive(&mut self, frame: &str) {
        let Some(socket) = self.socket else { return };
        let input = Input::SocketFrame {
            socket,
            text: frame,
        };
        self.session.handle_input(self.now, input);
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Event(Event::Updated {
                    subscription,
                    update,
                }) => self.hold(subscription, update),
                output => drop(std::hint::black_box(output)),
            }
        }
        std::hint::black_box(self.session.poll_timeout());
    }

    /// Searches for conversations and passes this answer in parts of a network packet's size.
    pub(crate) fn search(&mut self, answer: &str) {
        let search = self
            .session
            .start_search(self.now, SearchKind::Conversations);
        let search = search.expect("room for a search");
        let filter = ConversationFilter::default();
        let query = self.session.set_query(self.now, search, "cake", &filter);
        query.expect("a query");
        while let Some(output) = self.session.poll_output() {
            if let Output::SendHttp { http, .. } = output {
                let head = Input::HttpHead { http, status: 200 };
                self.session.handle_input(self.now, head);
                for chunk in answer.as_bytes().chunks(1400) {
                    let chunk = Bytes::copy_from_slice(chunk);
                    let chunk = Input::HttpChunk { http, chunk };
                    self.session.handle_input(self.now, chunk);
                }
                self.session.handle_input(self.now, Input::HttpEnd { http });
            }
        }
        self.serve();
        let ended = self.session.end_search(self.now, search);
        ended.expect("a search");
        self.serve();
    }

    fn hold(&mut self, id: SubscriptionId, update: Update) {
        match self.held.iter_mut().find(|(other, _)| *other == id) {
            Some((_, held)) => *held = update,
            None => self.held.push((id, update)),
        }
    }

    /// Answers all requests until there are no more.
    fn serve(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket { socket, .. } => {
                    self.socket = Some(socket);
                    self.session
                        .handle_input(self.now, Input::SocketOpened { socket });
                }
                Output::SendFrame { socket, frame } => {
                    let text = self.answer(frame.as_str());
                    let text = text.as_str();
                    let input = Input::SocketFrame { socket, text };
                    self.session.handle_input(self.now, input);
                }
                Output::SendHttp { http, .. } => {
                    let input = Input::HttpHead { http, status: 200 };
                    self.session.handle_input(self.now, input);
                    self.session.handle_input(self.now, Input::HttpEnd { http });
                }
                Output::Event(Event::Updated {
                    subscription,
                    update,
                }) => self.hold(subscription, update),
                _ => {}
            }
        }
    }

    fn answer(&self, frame: &str) -> String {
        let request: Value = serde_json::from_str(frame).expect("a frame of JSON");
        let (method, path) = (request[1].as_str(), request[2].as_str());
        let path = path.unwrap_or_default();
        let body = match (method, path) {
            (_, "/session/renew") => json!({"expiresInSeconds": null}),
            (Some("GET"), "/users") => {
                let ids = request[3]["ids"].as_array();
                let ids = ids.into_iter().flatten().filter_map(Value::as_str);
                ids.map(|id| (id.to_owned(), frames::user(id))).collect()
            }
            (Some("GET"), path) if path == self.busy => self.page(&request[3]),
            (Some("GET"), path) if path.ends_with("/messages") => {
                json!({"data": [], "cursor": null})
            }
            (Some("GET"), path) if path.ends_with("/typing") => {
                json!({"many": false, "usersTyping": {}})
            }
            (Some("GET"), path) if path.ends_with("/online") => json!({"isConnected": false}),
            _ => json!({}),
        };
        json!([request[0], 200, body]).to_string()
    }

    /// Returns a page of `limit` messages, newest first, that precede the number in `cursor`.
    fn page(&self, query: &Value) -> Value {
        let cursor = query["cursor"].as_str().and_then(|text| text.parse().ok());
        let end = cursor.unwrap_or(self.messages);
        let start = end.saturating_sub(query["limit"].as_u64().unwrap_or_default());
        let page: Vec<Value> = (start..end).rev().map(frames::message).collect();
        json!({"data": page, "cursor": (start > 0).then(|| start.to_string())})
    }
}

/// Returns the topic for the messages of the busy conversation.
pub(crate) fn messages() -> Topic {
    Topic::Messages {
        conversation: conversation(),
    }
}

fn conversation() -> ConversationId {
    frames::CONVERSATION.try_into().expect("an ID")
}
