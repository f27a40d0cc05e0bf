//! Random histories: anything that may happen to a session, in any order.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use serde_json::{Value, json};
use talk_proto::{
    Call, ConversationParams, HttpFailure, Input, ParticipantParams, RequestId, Secret, Session,
    SessionOptions, SocketClosed, SubscriptionId, Topic,
};

use super::script::{Answer, Network, TokenSource};
use super::{START, World, conversation, message, millis, seconds, send, user};

/// One thing that happens.
#[derive(Clone, Debug, Arbitrary)]
pub(crate) enum Step {
    /// A call, then the end of the tick or not.
    Call {
        kind: u8,
        id: u8,
        drains: bool,
    },
    Subscribe {
        topic: u8,
        id: u8,
    },
    Unsubscribe(u8),
    LoadMore {
        which: u8,
        count: Option<u16>,
    },
    Cancel(u8),
    SetToken,
    NetworkChanged,
    Release,
    /// Happens one time in 256.
    ShutDown(u8),
    /// Milliseconds pass.
    Pass(u16),
    /// Seconds pass.
    PassSeconds(u8),
    /// The machine sleeps for seconds.
    Sleep(u8),
    /// A tick, told at a time so many milliseconds ago.
    Tick {
        ago: u16,
    },
    Close(u8),
    Network(u8),
    Tokens(u8),
    /// The next requests are answered so.
    Answers {
        kind: u8,
        count: u8,
    },
    Publish {
        event: u8,
        id: u8,
    },
    /// A publish with any number.
    PublishNumbered {
        number: u8,
        event: u8,
    },
    /// An answer to any request.
    Answer {
        seq: u8,
        status: u16,
    },
    Text(String),
    /// A text on a socket that is closed, or to come.
    Stale {
        socket: u8,
        kind: u8,
    },
}

/// A history that is made of `bytes`.
pub(crate) fn steps(bytes: &[u8]) -> Vec<Step> {
    let mut bytes = Unstructured::new(bytes);
    let mut steps = Vec::new();
    while !bytes.is_empty() && steps.len() < 400 {
        steps.extend(Step::arbitrary(&mut bytes));
    }
    steps
}

/// A world in which a history happens.
pub(crate) struct History {
    pub(crate) world: World,
    pub(crate) requests: Vec<RequestId>,
    pub(crate) subscriptions: Vec<SubscriptionId>,
    /// Sockets and exchanges of this one are unknown to the world's.
    other: Others,
}

/// IDs that belong to another session.
#[derive(Default)]
struct Others {
    sockets: Vec<talk_proto::SocketId>,
    exchanges: Vec<talk_proto::HttpId>,
    fetches: Vec<talk_proto::TokenFetchId>,
}

impl History {
    pub(crate) fn new(options: SessionOptions, seed: u64) -> Self {
        Self {
            world: World::seeded(options, seed),
            requests: Vec::new(),
            subscriptions: Vec::new(),
            other: Others::new(),
        }
    }

    /// Lets everything of `steps` happen, then everything become well.
    pub(crate) fn live(&mut self, steps: &[Step]) {
        for step in steps {
            self.take(step);
        }
        self.heal();
    }

    /// Everything works from now on: whatever is pending is resolved, and nothing is left when
    /// nobody wants anything any more.
    pub(crate) fn heal(&mut self) {
        let world = &mut self.world;
        world.script.next.clear();
        world.network = Network::Up(Duration::ZERO);
        world.tokens = TokenSource::After(Duration::ZERO);
        world.run();
        // What the server said nothing about is asked again.
        world.cut();
        world.run_until_resolved(seconds(600));
        for subscription in std::mem::take(&mut self.subscriptions) {
            // It may have ended.
            let _ = world.session.unsubscribe(world.now, subscription);
        }
        world.run_for(seconds(120));
        if world.end().is_none() {
            assert!(world.session.is_idle(), "{:?}", world.session);
            assert_eq!(world.session.poll_timeout(), None);
        }
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let world = &mut self.world;
        match step {
            Step::Call { kind, id, drains } => {
                self.requests.extend(world.try_call(call(*kind, *id)));
                if *drains {
                    world.run();
                }
                return;
            }
            Step::Subscribe { topic: kind, id } => {
                self.subscriptions
                    .extend(world.try_subscribe(topic(*kind, *id)));
            }
            Step::Unsubscribe(which) => {
                if let Some(id) = pick(&self.subscriptions, *which) {
                    let _ = world.session.unsubscribe(world.now, id);
                }
            }
            Step::LoadMore { which, count } => {
                if let Some(id) = pick(&self.subscriptions, *which) {
                    let count = count.map(usize::from);
                    self.requests.extend(world.load_more(id, count));
                }
            }
            Step::Cancel(which) => {
                if let Some(id) = pick(&self.requests, *which) {
                    let _ = world.session.cancel(world.now, id);
                }
            }
            Step::SetToken => drop(world.set_token("set-token")),
            Step::NetworkChanged => world.session.network_changed(world.now),
            Step::Release => world.session.release(world.now),
            Step::ShutDown(0) => world.session.shut_down(world.now),
            Step::ShutDown(_) => {}
            Step::Pass(time) => world.run_for(millis((*time).into())),
            Step::PassSeconds(time) => world.run_for(seconds((*time).into())),
            Step::Sleep(time) => {
                world.drain();
                world.sleep_until(world.now + seconds((*time).into()));
            }
            Step::Tick { ago } => {
                world.drain();
                let now = world.now;
                world.now = talk_proto::Time::from_millis(now.as_millis() - u64::from(*ago));
                world.session.handle_input(world.now, Input::Tick);
                world.now = now;
            }
            Step::Close(kind) => {
                world.drain();
                world.close(cause(*kind));
            }
            Step::Network(kind) => {
                world.network = match kind % 4 {
                    0 => Network::Refuse,
                    1 => Network::Hang,
                    _ => Network::Up(millis(u64::from(*kind) * 10)),
                }
            }
            Step::Tokens(kind) => {
                world.tokens = match kind % 16 {
                    0 => TokenSource::NeverAnswers,
                    1 if *kind > 240 => TokenSource::Fails,
                    _ => TokenSource::After(millis(u64::from(*kind) * 300)),
                }
            }
            Step::Answers { kind, count } => {
                let answers = std::iter::repeat_n(answer(*kind), usize::from(count % 8));
                world.script.next.extend(answers);
            }
            Step::Publish { event: kind, id } => {
                world.drain();
                world.publish(&[event(*kind, *id)]);
            }
            Step::PublishNumbered {
                number,
                event: kind,
            } => {
                world.drain();
                world.hear(&json!([number, "PUBLISH", event(*kind, 1)]).to_string());
            }
            Step::Answer { seq, status } => {
                world.drain();
                world.hear(&json!([seq, status, {"errorCode": "ANY"}]).to_string());
            }
            Step::Text(text) => {
                world.drain();
                world.hear(text);
            }
            Step::Stale { socket, kind } => {
                world.drain();
                self.other.give(world, *socket, *kind);
            }
        }
        self.world.run();
    }
}

impl Others {
    fn new() -> Self {
        let mut others = Self::default();
        for can_fetch_token in [true, false] {
            let mut options = super::options();
            options.authentication.can_fetch_token = can_fetch_token;
            let mut session = Session::new(options, 1, START);
            for _ in 0..5 {
                let _ = session.call(START, send("c1", "x"));
            }
            while let Some(output) = session.poll_output() {
                match output {
                    talk_proto::Output::OpenSocket { socket, .. } => others.sockets.push(socket),
                    talk_proto::Output::SendHttp { http, .. } => others.exchanges.push(http),
                    talk_proto::Output::FetchToken { fetch } => others.fetches.push(fetch),
                    _ => {}
                }
            }
        }
        others
    }

    /// Gives an input that belongs to nothing, or to something that is over.
    fn give(&self, world: &mut World, which: u8, kind: u8) {
        let live = world.socket();
        let closed = world.log.sockets.iter().map(|log| log.id);
        let sockets: Vec<_> = closed.filter(|id| Some(*id) != live).collect();
        let opening = world.log.sockets.last().filter(|log| log.closed.is_none());
        let opening = opening.map(|log| log.id);
        let socket = pick(&sockets, which).or(self.sockets.first().copied());
        let socket = socket.filter(|id| Some(*id) != opening);
        let http = pick(&self.exchanges, which).filter(|_| world.log.http.len() > 2);
        let text = "[1,\"PUBLISH\",{\"type\":\"session.expired\"}]";
        match (kind % 8, socket, http) {
            (0, Some(socket), _) => world.input(Input::SocketOpened { socket }),
            (1, Some(socket), _) => world.input(Input::SocketFrame { socket, text }),
            (2, Some(socket), _) => {
                let cause = SocketClosed::FrameTooLarge;
                world.input(Input::SocketClosed { socket, cause });
            }
            (3, _, Some(http)) => world.input(Input::HttpHead { http, status: 404 }),
            (4, _, Some(http)) => world.input(Input::HttpEnd { http }),
            (5, _, Some(http)) => {
                let chunk = Bytes::from_static(b"{\"boken\":\"stale-boken\"}");
                world.input(Input::HttpChunk { http, chunk });
            }
            (6, _, Some(http)) => {
                let failure = HttpFailure::Network("gone".to_owned());
                world.input(Input::HttpFailed { http, failure });
            }
            (7, ..) => {
                if let Some(fetch) = pick(&self.fetches, which) {
                    let result = Ok(Secret::from("stale-token"));
                    world.input(Input::Token { fetch, result });
                }
            }
            _ => {}
        }
    }
}

fn pick<T: Copy>(items: &[T], which: u8) -> Option<T> {
    items.get(usize::from(which) % items.len().max(1)).copied()
}

fn cause(kind: u8) -> SocketClosed {
    match kind % 8 {
        0 => SocketClosed::FrameTooLarge,
        1 => SocketClosed::Lost("broken".to_owned()),
        n => SocketClosed::ByServer {
            code: (n % 2 == 0).then_some(1006),
        },
    }
}

fn answer(kind: u8) -> Answer {
    match kind % 16 {
        0 => Answer::Silence,
        1 => Answer::Drop,
        2 => Answer::Late(millis(u64::from(kind) * 50), 200, json!({"id": "late"})),
        3 => Answer::Raw(vec!["[".to_owned(), "garbage".to_owned()]),
        4 => Answer::Reply(200, json!([1, 2, 3])),
        5 => Answer::Reply(200, Value::Null),
        6 | 7 => Answer::refuse(401, "UNAUTHORIZED"),
        8 | 9 => Answer::refuse(429, "LATER"),
        10 | 11 => Answer::refuse(500, "BROKEN"),
        12 => Answer::refuse(403, "NOT_A_PARTICIPANT"),
        13 => Answer::refuse(404, "CONVERSATION_NOT_FOUND"),
        14 => Answer::refuse(418, "TEAPOT"),
        _ => Answer::refuse(u16::from(kind) + 400, "ANY"),
    }
}

fn call(kind: u8, id: u8) -> Call {
    let c = conversation(["c1", "c2", "c/3"][usize::from(id) % 3]);
    let u = user(["alice", "bob", "carol"][usize::from(id / 3) % 3]);
    let m = message(["m1", "m2"][usize::from(id / 9) % 2]);
    match kind % 20 {
        0..=3 => send(c.as_str(), &format!("text number {id}")),
        4 => Call::MarkAsRead { conversation: c },
        5 => Call::MarkAsTyping { conversation: c },
        6 => Call::CreateConversation {
            conversation: c,
            params: ConversationParams::default(),
        },
        7 => Call::SetConversation {
            conversation: c,
            params: ConversationParams::default(),
        },
        8 => Call::CreateParticipant {
            conversation: c,
            user: u,
            params: ParticipantParams::default(),
        },
        9 => Call::EditParticipant {
            conversation: c,
            user: u,
            params: ParticipantParams::default(),
        },
        10 => Call::DeleteParticipant {
            conversation: c,
            user: u,
        },
        11 => Call::TranslateMessage {
            conversation: c,
            message: m,
            language: "nl".to_owned(),
        },
        12 => Call::DeleteMessage {
            conversation: c,
            message: m,
        },
        13 => Call::AddReaction {
            conversation: c,
            message: m,
            emoji: ":x:".try_into().expect("an emoji"),
        },
        14 => Call::EditMessage {
            conversation: c,
            message: m,
            edit: "edited".into(),
        },
        15 => Call::GetUser { user: u },
        16 => Call::GetConversation { conversation: c },
        17 => Call::GetParticipant {
            conversation: c,
            user: u,
        },
        18 => Call::GetMessage {
            conversation: c,
            message: m,
        },
        _ => Call::GetFirstReactions {
            conversation: c,
            message: m,
            emoji: ":x:".try_into().expect("an emoji"),
        },
    }
}

fn topic(kind: u8, id: u8) -> Topic {
    let c = conversation(["c1", "c2"][usize::from(id) % 2]);
    match kind % 3 {
        0 => Topic::User {
            user: user(["alice", "bob"][usize::from(id) % 2]),
        },
        1 => Topic::Conversation { conversation: c },
        _ => Topic::Messages { conversation: c },
    }
}

fn event(kind: u8, id: u8) -> Value {
    let c = ["c1", "c2"][usize::from(id) % 2];
    let m = format!("m{}", id % 8);
    match kind % 16 {
        0 => json!({"type": "session.expired"}),
        1 => json!({"type": "upstream.restarting"}),
        2 => json!({"type": "user.edited", "userId": "bob", "diff": {"name": format!("Bob {id}")}}),
        3 => json!({"type": "user.created", "userId": "bob", "state": super::data::user("bob")}),
        4 => json!({"type": "side.created", "conversationId": c, "state": super::data::side(c)}),
        5 => {
            json!({"type": "side.edited", "conversationId": c, "diff": {"unreadMessageCount": id}})
        }
        6 => json!({"type": "side.deleted", "conversationId": c}),
        7 => json!({"type": "conversation.edited", "conversationId": c, "diff": {"subject": m}}),
        8 => json!({"type": "conversation.cleared", "conversationId": c}),
        9 | 10 => json!({
            "type": "message.created", "conversationId": c, "messageId": m,
            "state": super::data::message(&m, 10 + u64::from(id)),
        }),
        11 => json!({
            "type": "message.edited", "conversationId": c, "messageId": m,
            "diff": {"custom": {"k": "v"}},
        }),
        12 => json!({"type": "message.deleted", "conversationId": c, "messageId": m}),
        13 => json!({
            "type": "participant.edited", "conversationId": c, "userId": "alice",
            "diff": {"access": "Read"},
        }),
        14 => json!({"type": "message.created", "conversationId": c}),
        _ => json!({"type": "no.such.thing"}),
    }
}
