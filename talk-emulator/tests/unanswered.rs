//! A session whose server answers only pings and token renewals for a while, in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::time::Duration;

use bytes::Bytes;
use talk_emulator::server::{self, ConnectionId, Fault, FaultKind, Server, Settings};
use talk_proto::model::UserParams;
use talk_proto::{
    Call, Event, Input, Output, Reply, RequestError, RequestId, Session, SessionOptions,
    SocketClosed, SocketId, SubscriptionId, Timestamp, Topic, TransportError,
};

/// A session of Alice, the server, and the network without delay between them.
struct World {
    session: Session,
    server: Server,
    now: Timestamp,
    socket: Option<SocketId>,
    /// The number of opened sockets, which is also the ID of the current connection.
    connections: u64,
    events: Vec<Event>,
}

impl World {
    /// Creates a world in which Alice exists and is connected.
    fn new() -> Self {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let mut options =
            SessionOptions::new("app".try_into().unwrap(), "alice".try_into().unwrap());
        options.authentication.can_fetch_token = true;
        let mut world = Self {
            session: Session::new(options, 1, now),
            server: Server::new(Settings::default(), 2, now),
            now,
            socket: None,
            connections: 0,
            events: Vec::new(),
        };
        let request = world.set_name("Alice");
        world.result(request).unwrap();
        world
    }

    fn set_name(&mut self, name: &str) -> RequestId {
        let call = Call::SetUser {
            user: "alice".try_into().unwrap(),
            params: UserParams::named(name),
        };
        self.session.call(self.now, call).unwrap()
    }

    /// Leaves the next requests of Alice unanswered.
    fn ignore_next(&mut self, times: u32) {
        let fault = Fault::new(FaultKind::Unanswered).user("alice");
        let fault = fault.times(times);
        self.server.inject(self.now, fault);
    }

    /// Runs until `find` returns a value for an event.
    fn wait_for<T>(&mut self, find: impl Fn(&Event) -> Option<T>) -> T {
        let end = self.now + Duration::from_secs(600);
        loop {
            self.deliver();
            if let Some(found) = self.events.iter().find_map(&find) {
                return found;
            }
            let timeouts = [self.session.poll_timeout(), self.server.poll_timeout()];
            let next = timeouts.into_iter().flatten().min().unwrap();
            assert!(next <= end, "nothing happened for ten minutes");
            self.now = self.now.max(next);
            self.session.handle_input(self.now, Input::Tick);
            self.server.tick(self.now);
        }
    }

    /// Runs until the request is resolved.
    fn result(&mut self, request: RequestId) -> Result<(), RequestError> {
        self.wait_for(|event| match event {
            Event::Resolved {
                request: resolved,
                result,
            } if *resolved == request => Some(result.clone().map(|_: Reply| ())),
            _ => None,
        })
    }

    /// Runs until the subscription has a snapshot.
    fn snapshot(&mut self, subscription: SubscriptionId) {
        self.wait_for(|event| match event {
            Event::Updated {
                subscription: updated,
                ..
            } => (*updated == subscription).then_some(()),
            Event::SubscriptionEnded { error, .. } => panic!("{error:?}"),
            _ => None,
        });
    }

    /// Delivers outputs until there are none.
    fn deliver(&mut self) {
        loop {
            if let Some(output) = self.session.poll_output() {
                self.handle_session(output);
            } else if let Some(output) = self.server.poll_output() {
                self.handle_server(output);
            } else {
                return;
            }
        }
    }

    fn handle_session(&mut self, output: Output) {
        let connection = ConnectionId(self.connections);
        match output {
            Output::OpenSocket { socket, .. } => {
                self.connections += 1;
                self.socket = Some(socket);
                let connection = ConnectionId(self.connections);
                self.server.open(self.now, connection, "app", "alice");
                self.input(Input::SocketOpened { socket });
            }
            Output::SendFrame { frame, .. } => {
                self.server
                    .handle_frame(self.now, connection, frame.as_str());
            }
            Output::CloseSocket { .. } => {
                self.socket = None;
                self.server.closed(self.now, connection);
            }
            Output::FetchToken { fetch } => {
                let result = Ok("token".into());
                self.input(Input::Token { fetch, result });
            }
            Output::SendHttp { http, request } => {
                let request = request.map(|_| Bytes::new());
                let response = self.server.http(self.now, &request);
                let status = response.status().as_u16();
                self.input(Input::HttpHead { http, status });
                for chunk in response.into_body() {
                    self.input(Input::HttpChunk { http, chunk });
                }
                self.input(Input::HttpEnd { http });
            }
            Output::CancelHttp { .. } | Output::Store { .. } | Output::CheckFile { .. } => {}
            Output::Event(event) => self.events.push(event),
        }
    }

    fn handle_server(&mut self, output: server::Output) {
        let Some(socket) = self.socket else {
            return;
        };
        match output {
            server::Output::SendFrame { text, .. } => {
                self.input(Input::SocketFrame {
                    socket,
                    text: &text,
                });
            }
            server::Output::Close { code, .. } => {
                let cause = SocketClosed::ByServer { code };
                self.input(Input::SocketClosed { socket, cause });
            }
            // There is no address for webhooks.
            server::Output::SendWebhook { .. } | server::Output::CancelWebhook { .. } => {}
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.session.handle_input(self.now, input);
    }
}

#[test]
fn call_recovers_when_the_fault_ends() {
    let mut world = World::new();
    let start = world.now;
    world.ignore_next(2);
    let request = world.set_name("Alicia");
    assert_eq!(world.result(request), Ok(()));
    assert_eq!(world.connections, 3);
    // Each of the two lost connections took the limit of 30 s.
    let taken = world.now.as_millis() - start.as_millis();
    assert!((60_000..90_000).contains(&taken), "{taken} ms");
}

#[test]
fn call_unanswered_three_times_fails_alone() {
    let mut world = World::new();
    world.ignore_next(3);
    let request = world.set_name("Alicia");
    let unanswered = TransportError::Unanswered {
        maybe_happened: true,
        idempotent: true,
    };
    assert_eq!(world.result(request), Err(unanswered.into()));
    let next = world.set_name("Alicia");
    assert_eq!(world.result(next), Ok(()));
}

#[test]
fn subscription_recovers_when_the_fault_ends() {
    let mut world = World::new();
    world.ignore_next(2);
    let topic = Topic::User {
        user: "alice".try_into().unwrap(),
    };
    let subscription = world.session.subscribe(world.now, topic).unwrap();
    world.snapshot(subscription);
    assert!(world.connections > 1);

    // A subscription with a snapshot recovers from a loss with unanswered requests.
    world.events.clear();
    world.server.inject(world.now, Fault::new(FaultKind::Drop));
    world.ignore_next(1);
    let request = world.set_name("Alicia");
    assert_eq!(world.result(request), Ok(()));
    world.snapshot(subscription);
}
