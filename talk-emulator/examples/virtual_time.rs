//! A client and the service in one thread and in virtual time. Hours pass at once, and equal seeds
//! produce equal events. Applications that embed `talk-proto` can be tested in this way.
//!
//! `cargo run -p talk-emulator --example virtual_time` prints the events.

use std::error::Error;
use std::time::Duration;

use talk_emulator::server::{ConnectionId, Output as ServerOutput, Server, Settings};
use talk_proto::{
    Call, Event, HttpFailure, Input, Output, Session, SessionOptions, Snapshot, SocketClosed,
    SocketId, Timestamp, Topic,
    model::{ConversationId, UserParams},
};

/// The ID of the connection. There is only one connection at a time.
const CONNECTION: ConnectionId = ConnectionId(1);

struct World {
    now: Timestamp,
    session: Session,
    server: Server,
    open: Option<SocketId>,
    story: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Result<Self, Box<dyn Error>> {
        let now = Timestamp::default();
        let mut options = SessionOptions::new("app".try_into()?, "alice".try_into()?);
        options.authentication.token = Some("a server without a secret accepts any".into());
        Ok(Self {
            now,
            session: Session::new(options, seed, now),
            server: Server::new(Settings::default(), seed, now),
            open: None,
            story: Vec::new(),
        })
    }

    /// Advances the time, from timeout to timeout.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.drain();
            let timers = [self.session.poll_timeout(), self.server.poll_timeout()];
            match timers.into_iter().flatten().min() {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break self.now = end,
            }
            self.server.tick(self.now);
            self.give(Input::Tick);
        }
    }

    /// Performs the outputs of both sides until there are none.
    fn drain(&mut self) {
        loop {
            if let Some(output) = self.session.poll_output() {
                self.perform(output);
            } else if let Some(output) = self.server.poll_output() {
                if let (ServerOutput::SendFrame { text, .. }, Some(socket)) = (&output, self.open) {
                    self.give(Input::SocketFrame { socket, text });
                }
            } else {
                return;
            }
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::OpenSocket { socket, .. } => {
                self.open = Some(socket);
                self.server.open(self.now, CONNECTION, "app", "alice");
                self.give(Input::SocketOpened { socket });
            }
            Output::SendFrame { frame, .. } => {
                self.server
                    .handle_frame(self.now, CONNECTION, frame.as_str());
            }
            Output::CloseSocket { .. } => {
                self.open = None;
                self.server.closed(self.now, CONNECTION);
            }
            Output::SendHttp { http, .. } => {
                let failure = HttpFailure::Network("there is no HTTP here".to_owned());
                self.give(Input::HttpFailed { http, failure });
            }
            Output::CancelHttp { .. }
            | Output::FetchToken { .. }
            | Output::Store { .. }
            | Output::CheckFile { .. } => {}
            Output::Event(event) => self.record(&event),
        }
    }

    /// Cuts the connection.
    fn cut(&mut self) {
        if let Some(socket) = self.open.take() {
            self.server.closed(self.now, CONNECTION);
            let cause = SocketClosed::Lost("cut".to_owned());
            self.give(Input::SocketClosed { socket, cause });
        }
    }

    fn give(&mut self, input: Input<'_>) {
        self.session.handle_input(self.now, input);
    }

    fn record(&mut self, event: &Event) {
        let told = match event {
            Event::Connection(state) => format!("{state:?}"),
            Event::Updated { update, .. } => match &update.snapshot {
                Snapshot::Messages(Some(window)) => format!("{} messages", window.len()),
                _ => return,
            },
            _ => return,
        };
        self.story.push(format!("{}: {told}", self.now));
    }
}

/// Sends a message, loses the connection, sends another message, and waits for a day.
pub(crate) fn run(seed: u64) -> Result<Vec<String>, Box<dyn Error>> {
    let mut world = World::new(seed)?;
    let (now, session) = (world.now, &mut world.session);
    let (user, params) = ("alice".try_into()?, UserParams::named("Alice"));
    session.call(now, Call::SetUser { user, params })?;
    let lobby = ConversationId::try_from("lobby")?;
    let create = Call::CreateConversation {
        conversation: lobby.clone(),
        params: Default::default(),
    };
    session.call(now, create)?;
    let conversation = lobby.clone();
    session.subscribe(now, Topic::Messages { conversation })?;
    for text in ["Hello!", "Is anybody here?"] {
        let send = Call::SendMessage {
            conversation: lobby.clone(),
            message: text.into(),
        };
        world.session.call(world.now, send)?;
        world.pass(Duration::from_secs(1));
        world.cut();
    }
    world.pass(Duration::from_secs(24 * 60 * 60));
    Ok(world.story)
}

fn main() -> Result<(), Box<dyn Error>> {
    run(1).map(|story| println!("{}", story.join("\n")))
}
