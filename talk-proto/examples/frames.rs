//! A loop that draws 60 times per second, like a game, and polls the session once per frame. It
//! never blocks.
//!
//! Run `talk emulator --port 4000`, then `cargo run -p talk-proto --example frames`.

// A driver uses I/O, threads and the clock.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod lobby;

use std::error::Error;
use std::io::ErrorKind::WouldBlock;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use lobby::now;
use talk_proto::{Event, Input, Output, Session, SocketClosed, SocketId};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error::Io, Message, WebSocket};

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// A session that is polled once per frame.
struct Chat {
    session: Session,
    /// The thread that connects, because connecting blocks.
    connecting: Option<(SocketId, Receiver<tungstenite::Result<Socket>>)>,
    socket: Option<(SocketId, Socket)>,
}

impl Chat {
    /// Receives, sends, and returns the events. Never blocks.
    fn poll(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        self.connect();
        self.read();
        // A tick in every frame replaces `poll_timeout`.
        self.handle_input(Input::Tick);
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket { socket, url } => {
                    let (connected, connecting) = channel();
                    thread::spawn(move || drop(connected.send(open(&url))));
                    self.connecting = Some((socket, connecting));
                }
                Output::SendFrame { frame, .. } => {
                    if let Some((_, open)) = &mut self.socket {
                        // Unsent data is flushed in a later frame.
                        let _ = open.send(Message::text(frame.into_string()));
                    }
                }
                Output::CloseSocket { .. } => {
                    self.connecting = None;
                    if let Some((_, mut open)) = self.socket.take() {
                        let _ = open.close(None).and_then(|()| open.flush());
                    }
                }
                Output::SendHttp { http, .. } => self.handle_input(lobby::no_http(http)),
                Output::CancelHttp { .. }
                | Output::FetchToken { .. }
                | Output::Store { .. }
                | Output::CheckFile { .. } => {}
                Output::Event(event) => events.push(event),
            }
        }
        events
    }

    /// Checks if the connecting thread has finished.
    fn connect(&mut self) {
        let Some((socket, connecting)) = &self.connecting else {
            return;
        };
        let (socket, Ok(outcome)) = (*socket, connecting.try_recv()) else {
            return;
        };
        self.connecting = None;
        match outcome {
            Ok(open) => {
                self.socket = Some((socket, open));
                self.handle_input(Input::SocketOpened { socket });
            }
            Err(error) => {
                let cause = SocketClosed::ConnectFailed(error.to_string());
                self.handle_input(Input::SocketClosed { socket, cause });
            }
        }
    }

    fn read(&mut self) {
        while let Some((socket, open)) = &mut self.socket {
            let socket = *socket;
            // An error is also returned by the next read.
            let _ = open.flush();
            match open.read() {
                Ok(Message::Text(text)) => self.handle_input(Input::SocketFrame {
                    socket,
                    text: &text,
                }),
                Ok(_) => {}
                Err(Io(error)) if error.kind() == WouldBlock => return,
                Err(error) => {
                    self.socket = None;
                    let cause = SocketClosed::Lost(error.to_string());
                    self.handle_input(Input::SocketClosed { socket, cause });
                }
            }
        }
    }

    fn handle_input(&mut self, input: Input<'_>) {
        self.session.handle_input(now(), input);
    }
}

fn open(url: &str) -> tungstenite::Result<Socket> {
    let (socket, _) = tungstenite::connect(url)?;
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_nonblocking(true)?;
    }
    Ok(socket)
}

/// Draws frames until the message in the lobby is drawn.
pub(crate) fn run(host: &str, text: &str) -> Result<String, Box<dyn Error>> {
    let mut session = lobby::session(host, "alice")?;
    lobby::enter(&mut session, "alice", text)?;
    let (connecting, socket) = (None, None);
    let mut chat = Chat {
        session,
        connecting,
        socket,
    };
    let mut next_frame = Instant::now();
    loop {
        if let Some(shown) = chat.poll().iter().find_map(lobby::newest) {
            return Ok(shown);
        }
        next_frame += FRAME;
        thread::sleep(next_frame.saturating_duration_since(Instant::now()));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", run(&lobby::host(), "Hello from a *frame*!")?);
    Ok(())
}
