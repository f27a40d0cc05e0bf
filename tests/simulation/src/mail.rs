//! Everything in flight except the frames of connections.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use talk_proto::{
    HttpBody, HttpFailure, HttpId, RequestId, SocketId, Timestamp, TokenFetchId, storage::BatchId,
};

use super::bots::database::{Answer, Statement, StatementId};
use super::disk::StoreAnswer;

/// An item in flight, with the generation of the session that it concerns.
pub(super) enum Mail {
    /// An attempt to connect that reaches the server.
    Connect(Address, SocketId),
    /// An attempt to connect that has failed.
    ConnectFailed(Address, SocketId),
    /// The application's response to a token fetch.
    Token(Address, TokenFetchId, String),
    /// A request over HTTP that reaches the server.
    HttpRequest(Address, HttpId, Box<http::Request<HttpBody>>),
    HttpHead(Address, HttpId, u16),
    HttpChunk(Address, HttpId, Bytes),
    HttpEnd(Address, HttpId),
    HttpFailed(Address, HttpId, HttpFailure),
    /// The time at which a store writes a batch.
    Write(Address),
    StoreAnswer(Address, BatchId, StoreAnswer),
    /// The result of the check of a file: set if it has changed.
    FileChecked(Address, RequestId, bool),
    /// A statement that reaches the database, and the time until its answer, if there is one.
    Execute(Address, StatementId, Statement, Option<Duration>),
    /// The answer to a statement, or its failure.
    Answer(Address, StatementId, Option<Answer>),
}

/// A session and its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) who: usize,
    pub(super) life: u64,
}

/// The items in flight, in the order of their arrival.
#[derive(Default)]
pub(super) struct Mailbox {
    mail: BTreeMap<(Timestamp, u64), Mail>,
    next: u64,
}

impl Mailbox {
    pub(super) fn put(&mut self, at: Timestamp, mail: Mail) {
        self.mail.insert((at, self.next), mail);
        self.next += 1;
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.mail.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn take(&mut self) -> Option<Mail> {
        self.mail.pop_first().map(|(_, mail)| mail)
    }
}
