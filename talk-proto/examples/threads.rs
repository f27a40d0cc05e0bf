//! A session on a thread that blocks, and an application on another.
//!
//! Run `talk emulator --port 4000`, then `cargo run -p talk-proto --example threads`.
//! For `wss`, switch on a TLS feature of tungstenite.

// A driver uses I/O, threads and the clock.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod lobby;

use std::error::Error;
use std::io::ErrorKind::{TimedOut, WouldBlock};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use lobby::now;
use talk_proto::{Event, Input, Output, Session, SocketClosed, SocketId};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error::Io, Message, WebSocket};

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// A command of the application.
type Command = Box<dyn FnOnce(&mut Session) + Send>;

/// The time limit of a blocking read, after which the driver checks for commands.
const GLANCE: Duration = Duration::from_millis(20);

/// Runs until the session has ended. It ends when the application drops its channel.
fn drive(mut session: Session, commands: &Receiver<Command>, events: &Sender<Event>) {
    let mut socket: Option<(SocketId, Socket)> = None;
    while session.ended().is_none() {
        // The time limit of the read is so short that `poll_timeout` is not needed.
        match socket.as_mut().map(|(id, open)| (*id, open.read())) {
            Some((socket, Ok(Message::Text(text)))) => {
                let text = text.as_str();
                session.handle_input(now(), Input::SocketFrame { socket, text });
            }
            Some((_, Ok(_))) => {}
            Some((_, Err(Io(error)))) if matches!(error.kind(), TimedOut | WouldBlock) => {}
            Some((id, Err(error))) => {
                socket = None;
                let cause = SocketClosed::Lost(error.to_string());
                session.handle_input(now(), Input::SocketClosed { socket: id, cause });
            }
            None => thread::sleep(GLANCE),
        }
        session.handle_input(now(), Input::Tick);
        // All waiting commands are passed before the drain, so that they may share a frame.
        loop {
            match commands.try_recv() {
                Ok(command) => command(&mut session),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => break session.shutdown(now()),
            }
        }
        while let Some(output) = session.poll_output() {
            if let Some(input) = perform(output, &mut socket, events) {
                session.handle_input(now(), input);
            }
        }
    }
}

/// Performs an output, and returns the immediate result as an input.
fn perform(
    output: Output,
    socket: &mut Option<(SocketId, Socket)>,
    events: &Sender<Event>,
) -> Option<Input<'static>> {
    match output {
        Output::OpenSocket { socket: id, url } => match connect(&url) {
            Ok(open) => {
                *socket = Some((id, open));
                return Some(Input::SocketOpened { socket: id });
            }
            Err(error) => {
                let cause = SocketClosed::ConnectFailed(error.to_string());
                return Some(Input::SocketClosed { socket: id, cause });
            }
        },
        Output::SendFrame { frame, .. } => {
            if let Some((_, open)) = socket {
                // The next read returns an error if the socket is broken.
                let _ = open.send(Message::text(frame.into_string()));
            }
        }
        Output::CloseSocket { .. } => {
            if let Some((_, mut open)) = socket.take() {
                let _ = open.close(None).and_then(|()| open.flush());
            }
        }
        Output::SendHttp { http, .. } => return Some(lobby::no_http(http)),
        // There are no HTTP requests to cancel, and the options promise no tokens.
        Output::CancelHttp { .. }
        | Output::FetchToken { .. }
        | Output::Store { .. }
        | Output::CheckFile { .. } => {}
        // The loop above detects that the application has dropped its channel.
        Output::Event(event) => drop(events.send(event)),
    }
    None
}

fn connect(url: &str) -> tungstenite::Result<Socket> {
    let (socket, _) = tungstenite::connect(url)?;
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_read_timeout(Some(GLANCE))?;
        stream.set_nodelay(true)?;
    }
    Ok(socket)
}

/// Sends `text` to the lobby, and returns the message that is shown there.
pub(crate) fn run(host: &str, text: &'static str) -> Result<String, Box<dyn Error>> {
    let session = lobby::session(host, "alice")?;
    let (commands, asked) = channel::<Command>();
    let (told, events) = channel();
    let driver = thread::spawn(move || drive(session, &asked, &told));

    // Misuse is returned as an error at once. Everything else is reported as an event.
    commands.send(Box::new(|session| {
        drop(lobby::enter(session, "alice", text));
    }))?;
    let shown = events.iter().find_map(|event| lobby::newest(&event));
    drop(commands);
    driver.join().map_err(|_| "the driver has panicked")?;
    shown.ok_or_else(|| "the session has ended".into())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", run(&lobby::host(), "Hello from a *thread*!")?);
    Ok(())
}
