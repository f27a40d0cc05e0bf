//! Paced sends over cut connections: client core and server core in virtual time.

use std::collections::VecDeque;
use std::time::Duration;

use talk_emulator::server::{ConnectionId, Output as ServerOutput, Server, Settings};
use talk_proto::{
    Call, Event, HttpFailure, Input, Output, RequestId, Secret, Session, SessionOptions,
    SocketClosed, SocketId, Timestamp, command::SendMessage, model::ConversationId,
};

const SENDS: usize = 200;
const CUTS: usize = 10;
const LATENCY: Duration = Duration::from_millis(30);
/// The time for which new connections are refused after a cut.
const REFUSED_FOR: Duration = Duration::from_millis(700);

struct World {
    now: Timestamp,
    session: Session,
    server: Server,
    socket: Option<(SocketId, ConnectionId)>,
    next_connection: u64,
    /// The server's frames in flight.
    mail: VecDeque<(Timestamp, ConnectionId, String)>,
    refused_until: Timestamp,
    resolved: Vec<RequestId>,
}

impl World {
    fn new() -> Result<Self, talk_proto::model::EmptyId> {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let mut options = SessionOptions::new("app".try_into()?, "alice".try_into()?);
        options.authentication.token = Some(Secret::from("any token does without a secret"));
        Ok(Self {
            now,
            session: Session::new(options, 1, now),
            server: Server::new(Settings::default(), 2, now),
            socket: None,
            next_connection: 0,
            mail: VecDeque::new(),
            refused_until: now,
            resolved: Vec::new(),
        })
    }

    /// Executes the session's outputs, and puts the server's outputs in flight.
    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket { socket, .. } => self.connect(socket),
                Output::SendFrame { socket, frame } => {
                    if let Some((_, connection)) = self.socket.filter(|(open, _)| *open == socket) {
                        self.server
                            .handle_frame(self.now, connection, frame.as_str());
                    }
                }
                Output::CloseSocket { .. } => {
                    self.hang_up();
                }
                Output::SendHttp { http, .. } => {
                    let failure = HttpFailure::Network("there is no HTTP here".to_owned());
                    self.session
                        .handle_input(self.now, Input::HttpFailed { http, failure });
                }
                Output::Event(Event::Resolved { request, result }) => {
                    assert!(result.is_ok(), "{result:?}");
                    self.resolved.push(request);
                }
                _ => {}
            }
        }
        while let Some(output) = self.server.poll_output() {
            if let ServerOutput::SendFrame { connection, text } = output {
                self.mail.push_back((self.now + LATENCY, connection, text));
            }
        }
    }

    fn connect(&mut self, socket: SocketId) {
        if self.now < self.refused_until {
            let cause = SocketClosed::ConnectFailed("refused".to_owned());
            return self
                .session
                .handle_input(self.now, Input::SocketClosed { socket, cause });
        }
        self.next_connection += 1;
        let connection = ConnectionId(self.next_connection);
        self.server.open(self.now, connection, "app", "alice");
        self.socket = Some((socket, connection));
        self.session
            .handle_input(self.now, Input::SocketOpened { socket });
    }

    /// Closes the connection and discards its frames in flight.
    fn hang_up(&mut self) -> Option<SocketId> {
        let (socket, connection) = self.socket.take()?;
        self.server.closed(self.now, connection);
        Some(socket)
    }

    fn cut(&mut self) {
        self.refused_until = self.now + REFUSED_FOR;
        if let Some(socket) = self.hang_up() {
            let cause = SocketClosed::Lost("cut".to_owned());
            self.session
                .handle_input(self.now, Input::SocketClosed { socket, cause });
        }
        self.drain();
    }

    /// Advances the time to `end`.
    fn run_until(&mut self, end: Timestamp) {
        self.drain();
        loop {
            let mail = self.mail.front().map(|(at, ..)| *at);
            let next = [
                mail,
                self.session.poll_timeout(),
                self.server.poll_timeout(),
            ];
            let Some(at) = next.into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.server.tick(self.now);
            if mail == Some(at) {
                self.deliver();
            }
            self.session.handle_input(self.now, Input::Tick);
            self.drain();
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        let Some((_, to, text)) = self.mail.pop_front() else {
            return;
        };
        if let Some((socket, _)) = self.socket.filter(|(_, open)| *open == to) {
            self.session.handle_input(
                self.now,
                Input::SocketFrame {
                    socket,
                    text: &text,
                },
            );
        }
    }

    fn call(&mut self, call: Call) -> Result<RequestId, talk_proto::CommandError> {
        self.session.call(self.now, call)
    }
}

#[test]
fn paced_sends_survive_cuts_once_and_in_order() -> Result<(), Box<dyn std::error::Error>> {
    let mut world = World::new()?;
    let conversation = ConversationId::try_from("c1")?;
    let user = talk_proto::model::UserParams::named("Alice");
    world.call(Call::SetUser {
        user: "alice".try_into()?,
        params: user,
    })?;
    let params = Default::default();
    world.call(Call::SetConversation {
        conversation: conversation.clone(),
        params,
    })?;
    let mut requests = Vec::new();
    for n in 0..SENDS {
        let message = SendMessage::text(n.to_string());
        requests.push(world.call(Call::SendMessage {
            conversation: conversation.clone(),
            message,
        })?);
    }
    for cut in 0..CUTS {
        world.run_until(world.now + Duration::from_millis(1_500 + 137 * cut as u64));
        world.cut();
    }
    world.run_until(world.now + Duration::from_secs(120));

    let sent: Vec<_> = world
        .resolved
        .iter()
        .filter(|r| requests.contains(r))
        .collect();
    assert_eq!(sent.len(), SENDS, "every send resolves once");
    assert_eq!(
        texts(&mut world),
        (0..SENDS).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    Ok(())
}

/// Returns the texts on the server, oldest first. They are read over another connection.
fn texts(world: &mut World) -> Vec<String> {
    let reader = ConnectionId(u64::MAX);
    let (now, server) = (world.now, &mut world.server);
    server.open(now, reader, "app", "alice");
    server.handle_frame(
        now,
        reader,
        r#"[0,"POST","/session/renew",{"token":"t"},{}]"#,
    );
    let (mut texts, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let data = match &cursor {
            Some(cursor) => serde_json::json!({ "limit": 100, "cursor": cursor }),
            None => serde_json::json!({ "limit": 100 }),
        };
        let frame = serde_json::json!([1, "GET", "/me/conversations/c1/messages", data, {}]);
        server.handle_frame(now, reader, &frame.to_string());
        let mut page = serde_json::Value::Null;
        while let Some(output) = server.poll_output() {
            if let ServerOutput::SendFrame { connection, text } = output
                && connection == reader
                && let Ok(answer) = serde_json::from_str::<serde_json::Value>(&text)
                && answer[2]["data"].is_array()
            {
                page = answer[2].clone();
            }
        }
        for message in page["data"].as_array().into_iter().flatten() {
            texts.push(
                message["content"][0]["children"][0]
                    .as_str()
                    .unwrap_or("")
                    .to_owned(),
            );
        }
        cursor = page["cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            texts.reverse();
            return texts;
        }
    }
}
