//! Inputs for finished or unknown sockets, HTTP requests and token fetches.

use bytes::Bytes;
use talk_proto::{
    HttpFailure, HttpId, Input, Output, Secret, Session, SocketClosed, SocketId, TokenFetchId,
};

use super::World;
use super::choice::pick;
use crate::support::{START, options, send};

/// IDs that belong to another session.
#[derive(Default)]
pub(super) struct Others {
    sockets: Vec<SocketId>,
    exchanges: Vec<HttpId>,
    fetches: Vec<TokenFetchId>,
}

impl Others {
    pub(super) fn new() -> Self {
        let mut others = Self::default();
        for can_fetch_token in [true, false] {
            let mut options = options();
            options.authentication.can_fetch_token = can_fetch_token;
            let mut session = Session::new(options, 1, START);
            for _ in 0..5 {
                let _ = session.call(START, send("c1", "x"));
            }
            while let Some(output) = session.poll_output() {
                match output {
                    Output::OpenSocket { socket, .. } => others.sockets.push(socket),
                    Output::SendHttp { http, .. } => others.exchanges.push(http),
                    Output::FetchToken { fetch } => others.fetches.push(fetch),
                    _ => {}
                }
            }
        }
        others
    }

    /// Passes an input for a finished or unknown ID.
    pub(super) fn give(&self, world: &mut World, which: u8, kind: u8) {
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
