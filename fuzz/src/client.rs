//! Anything into a live core.

use std::time::Duration;

use talk_proto::{
    Call, Event, Input, Output, Session, SessionOptions, SocketClosed, SocketId, Time, Topic,
};

/// No input is followed by more than this.
const MAX_OUTPUTS: usize = 10_000;

/// A session, what it wants of the world, and the laws that hold after every input.
struct Client {
    session: Session,
    now: Time,
    socket: Option<SocketId>,
    accepted: usize,
    resolved: usize,
    has_ended: bool,
}

impl Client {
    fn new() -> Self {
        let now = Time::from_millis(1_700_000_000_000);
        let name = |text: &str| text.to_owned();
        let mut options = SessionOptions::new(
            name("app").try_into().expect("not empty"),
            name("alice").try_into().expect("not empty"),
        );
        options.authentication.token = Some("token".into());
        let session = Session::new(options, 1, now);
        let (socket, has_ended) = (None, false);
        let mut client = Self { session, now, socket, accepted: 0, resolved: 0, has_ended };
        for topic in topics() {
            let _ = client.session.subscribe(now, topic);
        }
        client.drain();
        client
    }

    /// Opens the socket and accepts the token.
    fn connect(&mut self) {
        if let Some(socket) = self.socket {
            self.input(Input::SocketOpened { socket });
            self.frame(r#"[0,200,{"expiresInSeconds":null}]"#);
        }
    }

    fn frame(&mut self, text: &str) {
        if let Some(socket) = self.socket {
            self.input(Input::SocketFrame { socket, text });
        }
    }

    fn call(&mut self, call: Call) {
        if self.session.call(self.now, call).is_ok() {
            self.accepted += 1;
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.session.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        for outputs in 0.. {
            assert!(outputs < MAX_OUTPUTS, "the drain does not end");
            let Some(output) = self.session.poll_output() else { break };
            assert!(!self.has_ended, "{output:?} after the end");
            match output {
                Output::OpenSocket { socket, .. } => self.socket = Some(socket),
                Output::CloseSocket { .. } => self.socket = None,
                Output::Event(Event::Resolved { .. }) => self.resolved += 1,
                Output::Event(Event::Ended(_)) => self.has_ended = true,
                _ => {}
            }
        }
        assert!(self.resolved <= self.accepted, "a request was resolved twice");
        assert!(self.session.poll_timeout().is_none_or(|at| at > self.now), "a timer stays due");
    }

    /// At the end every request has its outcome.
    fn finish(mut self) {
        self.session.shut_down(self.now);
        self.drain();
        assert_eq!(self.resolved, self.accepted, "a request was forgotten");
    }
}

fn topics() -> Vec<Topic> {
    let conversation: talk_proto::ConversationId = "c1".try_into().expect("not empty");
    vec![
        Topic::User { user: "bob".try_into().expect("not empty") },
        Topic::Conversation { conversation: conversation.clone() },
        Topic::Messages { conversation: conversation.clone() },
        Topic::Participants { conversation: conversation.clone() },
        Topic::Typing { conversation },
    ]
}

/// Each line of the data is a frame that the server sends.
pub fn frames(data: &[u8]) {
    let mut client = Client::new();
    client.connect();
    for line in data.split(|byte| *byte == b'\n') {
        client.now = client.now + Duration::from_millis(1);
        client.frame(&String::from_utf8_lossy(line));
    }
    client.finish();
}

/// Each byte is a step: what happens, and how much later.
pub fn inputs(data: &[u8]) {
    let mut client = Client::new();
    for byte in data {
        let millis = [0, 1, 200, 3_000, 10_000, 30_000, 60_000, 86_400_000][usize::from(byte >> 5)];
        client.now = client.now + Duration::from_millis(millis);
        let conversation = || "c1".try_into().expect("not empty");
        match byte & 31 {
            0..=3 => client.connect(),
            4 | 5 => client.call(Call::SendMessage {
                conversation: conversation(),
                message: "hi".into(),
            }),
            6 => client.call(Call::MarkAsRead { conversation: conversation() }),
            7 => client.call(Call::GetConversation { conversation: conversation() }),
            8 => client.session.network_changed(client.now),
            9 => client.session.release(client.now),
            10 => {
                let _ = client.session.set_token(client.now, "another".into());
            }
            11..=13 => {
                if let Some(socket) = client.socket.take() {
                    let cause = SocketClosed::Lost("cut".to_owned());
                    client.input(Input::SocketClosed { socket, cause });
                }
            }
            14 => {
                if let Some(socket) = client.socket.take() {
                    client.input(Input::SocketClosed { socket, cause: SocketClosed::FrameTooLarge });
                }
            }
            15 => client.frame(r#"[1,"PUBLISH",{"type":"session.expired"}]"#),
            16 => client.frame(r#"[2,"PUBLISH",{"type":"upstream.restarting"}]"#),
            answer @ 17..=29 => {
                let status = [200, 401, 429, 500, 404][usize::from(answer) % 5];
                client.frame(&format!("[{},{status},{{}}]", answer - 16));
            }
            _ => {}
        }
        client.input(Input::Tick);
    }
    client.finish();
}
