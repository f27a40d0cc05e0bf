//! Many sessions on one thread, with mio. Run `talk emulator --port 4000`, then
//! `cargo run -p talk-proto --example many_sessions`.

// A driver is where I/O and the clock come in.
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
    /// Moves the socket on as far as it goes: mio tells of a change once.
    fn advance(&mut self) {
        let (socket, outcome) = match std::mem::replace(&mut self.link, Link::Closed) {
            Link::Closed => return,
            // If it could not connect, this fails.
            Link::Connecting(socket, stream, url) => (socket, tungstenite::client(url, stream)),
            Link::Upgrading(socket, upgrade) => (socket, upgrade.handshake()),
            Link::Open(socket, open) => return self.exchange(socket, open),
        };
        match outcome {
            Ok((open, _)) => {
                self.tell(Input::SocketOpened { socket });
                self.exchange(socket, open);
            }
            Err(HandshakeError::Interrupted(go)) => self.link = Link::Upgrading(socket, go),
            Err(error) => self.closed(socket, SocketClosed::ConnectFailed(error.to_string())),
        }
    }

    /// Sends what could not be sent before, and reads what there is.
    fn exchange(&mut self, socket: SocketId, mut open: WebSocket<TcpStream>) {
        let _ = open.flush(); // What is wrong with it, reading tells too.
        loop {
            match open.read() {
                Ok(Message::Text(text)) => self.tell(Input::SocketFrame {
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

    /// Does what the session wants done.
    fn drain(&mut self, registry: &Registry, token: Token) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket { socket, url } => match connect(&url, registry, token) {
                    Ok(stream) => self.link = Link::Connecting(socket, stream, url),
                    Err(e) => self.closed(socket, SocketClosed::ConnectFailed(e.to_string())),
                },
                Output::SendFrame { frame, .. } => {
                    if let Link::Open(_, open) = &mut self.link {
                        // What is not taken now waits in the socket.
                        let _ = open.send(Message::text(frame.into_string()));
                    }
                }
                Output::CloseSocket { .. } => {
                    if let Link::Open(_, mut open) = std::mem::replace(&mut self.link, Link::Closed)
                    {
                        let _ = open.close(None).and_then(|()| open.flush());
                    }
                }
                Output::SendHttp { http, .. } => self.tell(lobby::no_http(http)),
                Output::CancelHttp { .. } | Output::FetchToken { .. } => {}
                Output::Event(event) => self.seen = lobby::newest(&event).or(self.seen.take()),
            }
        }
    }

    fn closed(&mut self, socket: SocketId, cause: SocketClosed) {
        self.tell(Input::SocketClosed { socket, cause });
    }

    fn tell(&mut self, input: Input<'_>) {
        self.session.handle_input(lobby::now(), input);
    }
}

/// Begins to connect. Only looking up a name blocks.
fn connect(url: &str, registry: &Registry, token: Token) -> io::Result<TcpStream> {
    let authority = url.split('/').nth(2).unwrap_or_default();
    let addresses = authority.to_socket_addrs()?.next();
    let mut stream = TcpStream::connect(addresses.ok_or(io::ErrorKind::NotFound)?)?;
    registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}

/// Brings so many users into the lobby until each has seen something there, and gives that.
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
        // For thousands, keep a queue of timers, and visit only those with something to do.
        for (index, member) in members.iter_mut().enumerate() {
            member.tell(Input::Tick);
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
