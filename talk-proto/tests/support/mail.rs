//! Inputs on their way to a session.

use std::collections::BTreeMap;

use talk_proto::storage::BatchId;
use talk_proto::{HttpId, RequestId, SocketClosed, SocketId, Timestamp, TokenFetchId};

/// An input on its way to a session.
#[derive(Clone, Debug)]
pub(crate) enum Mail {
    Opened(SocketId),
    Frame(SocketId, String),
    Closed(SocketId, SocketClosed),
    Token(TokenFetchId, Result<String, String>),
    /// The result of a batch.
    Stored(BatchId, Result<(), String>),
    /// The result of the check of a file.
    FileChecked(RequestId, Result<(), String>),
    /// A complete HTTP response, or `None` for a network failure.
    Http(HttpId, Option<(u16, String)>),
}

impl Mail {
    fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Opened(socket) | Self::Frame(socket, _) | Self::Closed(socket, _) => {
                Some(*socket)
            }
            Self::Token(..) | Self::Http(..) | Self::Stored(..) | Self::FileChecked(..) => None,
        }
    }
}

/// Inputs in the order of their arrival.
#[derive(Default)]
pub(crate) struct Mailbox {
    mail: BTreeMap<(Timestamp, u64), Mail>,
    next: u64,
}

impl Mailbox {
    pub(crate) fn put(&mut self, at: Timestamp, mail: Mail) {
        self.mail.insert((at, self.next), mail);
        self.next += 1;
    }

    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.mail.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn take(&mut self) -> Option<Mail> {
        self.mail.pop_first().map(|(_, mail)| mail)
    }

    /// Discards all inputs.
    pub(crate) fn clear(&mut self) {
        self.mail.clear();
    }

    /// Discards all inputs of this socket.
    pub(crate) fn drop_socket(&mut self, socket: SocketId) {
        self.mail.retain(|_, mail| mail.socket() != Some(socket));
    }
}
