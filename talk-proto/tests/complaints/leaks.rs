//! Unneeded state is released, and the cost of an event depends only on its changes.

use allocation_counter::measure;
use serde_json::{Value, json};
use talk_proto::{Event, Input, Output, Session, SocketId, SubscriptionId, Timestamp, Topic};

use super::chat::{MESSAGES, created, messages, numbered, page};
use crate::support::{Answer, Request, START, Script, conversation, message, send, unpaced, user};

/// A session and a server, neither of which records anything.
struct Bare {
    session: Session,
    now: Timestamp,
    script: Script,
    socket: Option<SocketId>,
    publishes: u64,
    updates: usize,
}

impl Bare {
    /// Creates a server with `held` messages in `c1`.
    fn new(held: u64) -> Self {
        let mut options = unpaced();
        options.authentication.can_fetch_token = false;
        options.authentication.token = Some("given-token".into());
        let held: Vec<_> = (1..=held).map(numbered).collect();
        let mut script = Script::default();
        script.add(move |request| {
            let is_page = request.method == "GET" && request.path == MESSAGES;
            is_page.then(|| Answer::Reply(200, page(&held, &request.data)))
        });
        Self {
            session: Session::new(options, 1, START),
            now: START,
            script,
            socket: None,
            publishes: 0,
            updates: 0,
        }
    }

    fn subscribe(&mut self, topic: Topic) -> SubscriptionId {
        let subscription = self.session.subscribe(self.now, topic).unwrap();
        self.drain();
        subscription
    }

    /// Subscribes and loads `count` messages.
    fn window(&mut self, count: u64) {
        let subscription = self.subscribe(messages());
        let mut shown = 30;
        while shown < count {
            let more = (count - shown).min(100);
            let more_of = self
                .session
                .load_more(self.now, subscription, Some(more as usize));
            more_of.unwrap();
            self.drain();
            shown += more;
        }
    }

    /// Returns the allocated bytes for a visible event, the maximum of ten.
    fn bytes_for(&mut self, event: impl Fn(u64) -> Value) -> u64 {
        let bytes = (0..10).map(|n| {
            self.publishes += 1;
            let frame = json!([self.publishes, "PUBLISH", event(n)]).to_string();
            let before = self.updates;
            let taken = measure(|| self.receive(&frame));
            assert_eq!(self.updates, before + 1, "{frame}");
            taken.bytes_total
        });
        bytes.max().unwrap_or(0)
    }

    fn receive(&mut self, text: &str) {
        let socket = self.socket.unwrap();
        let input = Input::SocketFrame { socket, text };
        self.session.handle_input(self.now, input);
        self.drain();
    }

    /// Advances the time until nothing is due.
    fn rest(&mut self) {
        self.drain();
        for _ in 0..1_000 {
            let Some(next) = self.session.poll_timeout() else {
                return;
            };
            self.now = next;
            self.session.handle_input(self.now, Input::Tick);
            self.drain();
        }
        panic!("something is always due");
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket { socket, .. } => {
                    self.socket = Some(socket);
                    let input = Input::SocketOpened { socket };
                    self.session.handle_input(self.now, input);
                }
                Output::SendFrame { socket, frame } => self.serve(socket, frame.as_str()),
                Output::CloseSocket { .. } => (self.socket, self.publishes) = (None, 0),
                Output::SendHttp { http, .. } => {
                    let input = Input::HttpEnd { http };
                    self.session.handle_input(self.now, input);
                }
                Output::Event(Event::Updated { .. }) => self.updates += 1,
                Output::Event(_)
                | Output::FetchToken { .. }
                | Output::CancelHttp { .. }
                | Output::Store { .. }
                | Output::CheckFile { .. } => {}
            }
        }
    }

    fn serve(&mut self, socket: SocketId, frame: &str) {
        let frame: Value = serde_json::from_str(frame).unwrap();
        let Some(path) = frame[2].as_str() else {
            return;
        };
        let request = Request {
            at: self.now,
            connection: 0,
            seq: frame[0].as_u64().unwrap(),
            method: frame[1].as_str().unwrap().to_owned(),
            path: path.to_owned(),
            data: frame[3].clone(),
            headers: Value::Null,
        };
        let Answer::Reply(status, body) = self.script.answer(&request) else {
            return;
        };
        let text = json!([request.seq, status, body]).to_string();
        let text = &text;
        let input = Input::SocketFrame { socket, text };
        self.session.handle_input(self.now, input);
    }
}

fn topics(n: u64) -> [Topic; 9] {
    let c = || conversation(&format!("c{n}"));
    [
        Topic::Conversations { filter: None },
        Topic::Conversation { conversation: c() },
        Topic::Messages { conversation: c() },
        Topic::Participants { conversation: c() },
        Topic::Participant {
            conversation: c(),
            user: user("bob"),
        },
        Topic::Typing { conversation: c() },
        Topic::Reactions {
            conversation: c(),
            message: message("m1"),
            emoji: "👍".try_into().unwrap(),
        },
        Topic::User {
            user: user(&format!("u{n}")),
        },
        Topic::Online { user: user("bob") },
    ]
}

/// Subscribes to everything, makes a call, and unsubscribes.
fn come_and_go(bare: &mut Bare, n: u64) {
    let subscriptions = topics(n).map(|topic| bare.subscribe(topic));
    let call = send("c1", &format!("text {n}"));
    bare.session.call(bare.now, call).unwrap();
    bare.drain();
    bare.publishes += 1;
    let publish = json!([bare.publishes, "PUBLISH", created(1_000 + n)]);
    bare.receive(&publish.to_string());
    for subscription in subscriptions {
        bare.session.unsubscribe(bare.now, subscription).unwrap();
    }
    bare.rest();
}

/// Complaint: timers and subscriptions leak, and memory with them.
#[test]
fn unsubscribe_all_leaves_no_timer_and_no_memory() {
    let mut bare = Bare::new(100);
    come_and_go(&mut bare, 0);
    let left = measure(|| {
        for n in 1..200 {
            come_and_go(&mut bare, n);
        }
    });
    assert!(bare.session.is_idle());
    assert_eq!(bare.session.poll_timeout(), None);
    assert_eq!(left.bytes_current, 0, "bytes for 199 rounds");
}

/// Complaint: events cost more the more is loaded and subscribed.
#[test]
fn event_allocations_are_flat() {
    let held = 11_000;
    let cost = |window: u64, others| {
        let mut bare = Bare::new(held);
        bare.window(window);
        for n in 0..others {
            let conversation = conversation(&format!("other {n}"));
            bare.subscribe(Topic::Messages { conversation });
        }
        let edited = |n: u64| {
            let id = format!("m{}", held - window / 2);
            json!({"type": "message.edited", "conversationId": "c1", "messageId": id,
                   "diff": {"custom": {"n": n.to_string()}}})
        };
        [
            bare.bytes_for(edited),
            bare.bytes_for(|n| created(held + 1 + n)),
        ]
    };
    let small = cost(30, 0);
    for large in [cost(10_000, 0), cost(30, 300)] {
        for (small, large) in small.into_iter().zip(large) {
            assert!(large <= 3 * small, "{large} bytes instead of {small}");
        }
    }
}
