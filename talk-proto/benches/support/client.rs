//! A session that is connected to a server which answers every request.

use std::collections::VecDeque;

use bytes::Bytes;
use talk_proto::{
    Call, Event, HttpId, Input, Output, Pacing, Session, SessionOptions, SocketClosed, SocketId,
    SubscriptionId, Timestamp, Topic, Update, filter::ConversationFilter, model::ConversationId,
    search::SearchKind, storage::Record,
};

use super::consumer::Consumer;
use super::frames;
use super::server::Server;
use super::store::{self, Store};

/// The time of the first connection.
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const SEED: u64 = 7;

/// A session, its socket, and the snapshots that its user holds.
pub(crate) struct Client {
    session: Session,
    now: Timestamp,
    socket: Option<SocketId>,
    /// The last update of each subscription, as an application keeps it.
    held: Vec<(SubscriptionId, Box<Update>)>,
    /// The results that a search has not received yet.
    to_find: VecDeque<String>,
    /// The number of results of the last search.
    found: usize,
    server: Server,
    pub(super) store: Store,
    pub(super) consumer: Consumer,
}

impl Client {
    /// Creates a connected and authenticated client. The conversation has this many messages.
    pub(crate) fn connected(messages: u64) -> Self {
        Self::connected_to(Server {
            messages,
            ..Server::default()
        })
    }

    /// Creates a connected and authenticated client.
    pub(crate) fn connected_to(server: Server) -> Self {
        let mut client = Self::new(server);
        let call = Call::MarkAsRead {
            conversation: conversation(),
        };
        let call = client.session.call(client.now, call);
        call.expect("room for a call");
        client.serve();
        client
    }

    fn new(server: Server) -> Self {
        Self::with(Session::new(options(), SEED, START), server)
    }

    /// Creates a client with an outbox and a store of these records. It is not connected.
    pub(crate) fn restored(server: Server, records: &[Record]) -> Self {
        let mut options = options();
        options.outbox = Some(store::outbox());
        Self::with(Session::restore(options, SEED, START, records), server)
    }

    fn with(session: Session, server: Server) -> Self {
        Self {
            session,
            now: START,
            socket: None,
            held: Vec::new(),
            to_find: VecDeque::new(),
            found: 0,
            server,
            store: Store::default(),
            consumer: Consumer::default(),
        }
    }

    pub(super) fn session(&mut self) -> (&mut Session, Timestamp) {
        (&mut self.session, self.now)
    }

    /// Advances the time to the next deadline.
    pub(super) fn wait(&mut self) {
        self.now = self.session.poll_timeout().unwrap_or(self.now);
        self.tick();
    }

    pub(crate) fn subscribe(&mut self, topic: Topic) -> SubscriptionId {
        let id = self.session.subscribe(self.now, topic);
        let id = id.expect("room for a subscription");
        self.serve();
        id
    }

    /// Loads more until this many messages are visible.
    pub(crate) fn load(&mut self, id: SubscriptionId, messages: u64) {
        self.load_pages(id, 30, 100, messages);
    }

    /// Loads pages until `count` items of a list are visible. `first` items are visible now.
    pub(crate) fn load_pages(&mut self, id: SubscriptionId, first: u64, page: u64, count: u64) {
        let mut shown = first;
        while shown < count {
            let more = (count - shown).min(page);
            let loaded = self
                .session
                .load_more(self.now, id, usize::try_from(more).ok());
            loaded.expect("a list that can grow");
            self.serve();
            shown += more;
        }
    }

    /// Loses the connection and connects again.
    pub(crate) fn reconnect(&mut self) {
        let Some(socket) = self.socket.take() else {
            return;
        };
        let cause = SocketClosed::Lost("the network".to_owned());
        let closed = Input::SocketClosed { socket, cause };
        self.session.handle_input(self.now, closed);
        self.serve();
        while self.socket.is_none() {
            self.wait();
        }
    }

    /// Returns the server.
    pub(crate) fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Returns the number of bytes that the server has sent.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.session.counters().bytes_received
    }

    /// Passes a tick, as a driver does when nothing else happens.
    pub(crate) fn tick(&mut self) {
        self.session.handle_input(self.now, Input::Tick);
        self.serve();
    }

    /// Handles a frame, sends the acknowledgement and takes the snapshot.
    #[inline(never)]
    pub(crate) fn receive(&mut self, frame: &str) {
        let Some(socket) = self.socket else { return };
        let input = Input::SocketFrame {
            socket,
            text: frame,
        };
        self.session.handle_input(self.now, input);
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Event(Event::Updated {
                    subscription,
                    update,
                }) => self.hold(subscription, update),
                output => drop(std::hint::black_box(output)),
            }
        }
        std::hint::black_box(self.session.poll_timeout());
    }

    /// Searches for conversations, and loads all results page by page. Each line of `found` is one.
    pub(crate) fn search(&mut self, found: &str) {
        /// The maximum number of results in a page.
        const PAGE: usize = 50;

        self.to_find = found.lines().map(str::to_owned).collect();
        let count = self.to_find.len();
        let search = self
            .session
            .start_search(self.now, SearchKind::Conversations);
        let search = search.expect("room for a search");
        let filter = ConversationFilter::default();
        let query = self.session.set_query(self.now, search, "cake", &filter);
        query.expect("a query");
        self.serve();
        while !self.to_find.is_empty() {
            let before = self.to_find.len();
            let more = self.session.search_more(self.now, search, Some(PAGE));
            more.expect("an open search");
            self.serve();
            assert!(self.to_find.len() < before, "no page was requested");
        }
        assert_eq!(self.found, count, "results are missing");
        let ended = self.session.end_search(self.now, search);
        ended.expect("a search");
        self.serve();
    }

    /// Answers the request for a page of a search with the next results.
    fn send_results(&mut self, http: HttpId, query: &str) {
        let limit = limit_of(query).min(self.to_find.len());
        let page: Vec<String> = self.to_find.drain(..limit).collect();
        let page = page.join("\n,");
        let cursor = match self.to_find.is_empty() {
            true => "null",
            false => "\"next\"",
        };
        let answer = format!("{{\"data\":[\n{page}\n],\"cursor\":{cursor}}}");
        // In parts of a network packet's size.
        for chunk in answer.as_bytes().chunks(1400) {
            let chunk = Bytes::copy_from_slice(chunk);
            let chunk = Input::HttpChunk { http, chunk };
            self.session.handle_input(self.now, chunk);
        }
    }

    fn hold(&mut self, id: SubscriptionId, update: Box<Update>) {
        match self.held.iter_mut().find(|(other, _)| *other == id) {
            Some((_, held)) => *held = update,
            None => self.held.push((id, update)),
        }
    }

    /// Answers all requests until there are no more.
    pub(super) fn serve(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket { socket, .. } => {
                    self.socket = Some(socket);
                    self.session
                        .handle_input(self.now, Input::SocketOpened { socket });
                }
                Output::SendFrame { socket, frame } => {
                    let text = self.server.answer(frame.as_str());
                    let text = text.as_str();
                    let input = Input::SocketFrame { socket, text };
                    self.session.handle_input(self.now, input);
                }
                Output::SendHttp { http, request } => {
                    let input = Input::HttpHead { http, status: 200 };
                    self.session.handle_input(self.now, input);
                    if let Some(query) = request.uri().query() {
                        self.send_results(http, query);
                    }
                    self.session.handle_input(self.now, Input::HttpEnd { http });
                }
                Output::Event(Event::Updated {
                    subscription,
                    update,
                }) => self.hold(subscription, update),
                Output::Event(Event::SearchUpdated { results, .. }) => self.found = results.len(),
                Output::Store { batch, changes } => {
                    self.store.apply(changes);
                    let stored = Input::Stored { batch };
                    self.session.handle_input(self.now, stored);
                }
                Output::Event(Event::Inbox { event, .. }) => {
                    if let Some(delivery) = self.consumer.take(event) {
                        let acked = self.session.ack(self.now, delivery);
                        acked.expect("an open session");
                    }
                }
                _ => {}
            }
        }
    }
}

/// Returns the maximum number of results that a query asks for.
fn limit_of(query: &str) -> usize {
    let mut members = query.split('&');
    let limit = members.find_map(|member| member.strip_prefix("limit="));
    let limit = limit.and_then(|limit| limit.parse().ok());
    limit.expect("a limit")
}

fn options() -> SessionOptions {
    let name = |text: &str| text.try_into().expect("a name");
    let mut options = SessionOptions::new(name("app"), "alice".try_into().expect("a name"));
    options.authentication.token = Some("token".into());
    options.pacing = Pacing::Off;
    options.limits.subscriptions = 100_000;
    options.limits.refetch = 100_000;
    options
}

/// Returns the topic for the messages of the busy conversation.
pub(crate) fn messages() -> Topic {
    Topic::Messages {
        conversation: conversation(),
    }
}

/// Returns the topic for the participants of the busy conversation.
pub(crate) fn participants() -> Topic {
    Topic::Participants {
        conversation: conversation(),
    }
}

pub(super) fn conversation() -> ConversationId {
    frames::CONVERSATION.try_into().expect("an ID")
}
