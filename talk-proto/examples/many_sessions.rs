//! Many sessions on one thread, with mio. Run `talk emulator --port 4000`, then
//! `cargo run -p talk-proto --example many_sessions`.

// A driver uses I/O and the clock.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod lobby;

use std::error::Error;
use std::io::{self, ErrorKind::WouldBlock};
use std::net::ToSocketAddrs;

use mio::{Events, Interest, Poll, Registry, Token, net::TcpStream};
use talk_proto::{Input, Output, Session, SocketClosed, SocketId};
use tungstenite::handshake::{HandshakeError, MidHandshake, client::ClientHandshake};
use tungstenite::{Error::Io, Message, WebSocket};

struct Member {
    session: Session,
    link: Link,
    seen: Option<String>,
}

enum Link {
    Closed,
    Connecting(SocketId, TcpStream, String),
    Upgrading(SocketId, MidHandshake<ClientHandshake<TcpStream>>),
    Open(SocketId, WebSocket<TcpStream>),
}

impl Member {
    /// Advances the socket as far as possible, because mio reports each change of readiness only
    /// once.
    fn advance(&mut self) {
        let (socket, outcome) = match std::mem::replace(&mut self.link, Link::Closed) {
            Link::Closed => return,
            // This fails if the connection could not be established.
            Link::Connecting(socket, stream, url) => (socket, tungstenite::client(url, stream)),
            Link::Upgrading(socket, upgrade) => (socket, upgrade.handshake()),
            Link::Open(socket, open) => return self.exchange(socket, open),
        };
        match outcome {
            Ok((open, _)) => {
                self.handle_input(Input::SocketOpened { socket });
                self.exchange(socket, open);
            }
            Err(HandshakeError::Interrupted(go)) => self.link = Link::Upgrading(socket, go),
            Err(error) => self.closed(socket, SocketClosed::ConnectFailed(error.to_string())),
        }
    }

    /// Sends unsent data, and reads all received data.
    fn exchange(&mut self, socket: SocketId, mut open: WebSocket<TcpStream>) {
        let _ = open.flush(); // An error is also returned by the next read.
        loop {
            match open.read() {
                Ok(Message::Text(text)) => self.handle_input(Input::SocketFrame {
                    socket,
                    text: &text,
                }),
                Ok(_) => {}
                Err(Io(e)) if e.kind() == WouldBlock => {
                    return self.link = Link::Open(socket, open);
                }
                Err(e) => return self.closed(socket, SocketClosed::Lost(e.to_string())),
            }
        }
    }

    /// Performs the outputs of the session.
    fn drain(&mut self, registry: &Registry, token: Token) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket { socket, url } => match connect(&url, registry, token) {
                    Ok(stream) => self.link = Link::Connecting(socket, stream, url),
                    Err(e) => self.closed(socket, SocketClosed::ConnectFailed(e.to_string())),
                },
                Output::SendFrame { frame, .. } => {
                    if let Link::Open(_, open) = &mut self.link {
                        // Unsent data stays in the socket.
                        let _ = open.send(Message::text(frame.into_string()));
                    }
                }
                Output::CloseSocket { .. } => {
                    if let Link::Open(_, mut open) = std::mem::replace(&mut self.link, Link::Closed)
                    {
                        let _ = open.close(None).and_then(|()| open.flush());
                    }
                }
                Output::SendHttp { http, .. } => self.handle_input(lobby::no_http(http)),
                Output::CancelHttp { .. }
                | Output::FetchToken { .. }
                | Output::Store { .. }
                | Output::CheckFile { .. } => {}
                Output::Event(event) => self.seen = lobby::newest(&event).or(self.seen.take()),
            }
        }
    }

    fn closed(&mut self, socket: SocketId, cause: SocketClosed) {
        self.handle_input(Input::SocketClosed { socket, cause });
    }

    fn handle_input(&mut self, input: Input<'_>) {
        self.session.handle_input(lobby::now(), input);
    }
}

/// Starts to connect. Only the name resolution blocks.
fn connect(url: &str, registry: &Registry, token: Token) -> io::Result<TcpStream> {
    let authority = url.split('/').nth(2).unwrap_or_default();
    let addresses = authority.to_socket_addrs()?.next();
    let mut stream = TcpStream::connect(addresses.ok_or(io::ErrorKind::NotFound)?)?;
    registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}

/// Connects this many users to the lobby, and returns the message that each of them saw there.
pub(crate) fn run(host: &str, count: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let mut members = Vec::new();
    for index in 0..count {
        let user = format!("user {index}");
        let mut session = lobby::session(host, &user)?;
        lobby::enter(&mut session, &user, "Hello, *everybody*!")?;
        members.push(Member {
            session,
            link: Link::Closed,
            seen: None,
        });
    }
    loop {
        // A program with thousands of sessions should keep a queue of timers, and visit only the
        // sessions with work.
        for (index, member) in members.iter_mut().enumerate() {
            member.handle_input(Input::Tick);
            member.drain(poll.registry(), Token(index));
        }
        let seen: Vec<_> = members.iter().filter_map(|m| m.seen.clone()).collect();
        if seen.len() == count {
            return Ok(seen);
        }
        let due = members.iter().filter_map(|m| m.session.poll_timeout());
        let patience = due.min().map(|due| due.saturating_since(lobby::now()));
        poll.poll(&mut events, patience)?;
        for event in &events {
            members[event.token().0].advance();
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&lobby::host(), 100).map(|seen| println!("{seen:?}"))
}
