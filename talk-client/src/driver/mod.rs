//! The driver: one task that owns the core and does what it wants done.

mod backlog;
mod calls;
mod clock;
mod exchanges;
mod searches;
mod socket;
mod subscriptions;
mod timer;
mod tokens;
mod trace;
mod uploads;

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use talk_proto::{
    CommandError, Event, Input, Output, Session as Core, SessionError, SocketId, Time,
    TokenFetchId, TransportError,
};

use self::calls::Calls;
use self::clock::Clock;
use self::exchanges::Exchanges;
use self::searches::Searches;
use self::socket::{SocketEvent, Sockets};
use self::subscriptions::Subscriptions;
use self::timer::Timer;
use self::tokens::Tokens;
use self::trace::Trace;
use self::uploads::{Uploads, Wanted};
use crate::handle::{Command, Handle, Shared, Ticket};
use crate::net::Connector;
use crate::options::TalkOptions;
use crate::registry;
use crate::runtime::Runtime;
use crate::sync::lock;
use crate::upload::source::Opened;

/// How many events of one kind are taken before the others have their turn.
const EVENTS_PER_TURN: usize = 128;

/// How many turns are taken before other tasks of the runtime have theirs.
const TURNS_PER_POLL: usize = 4;

/// Runs one session. Dropping it, with its runtime for instance, ends the session.
pub(crate) struct Driver<R: Runtime> {
    core: Core,
    shared: Arc<Shared>,
    runtime: R,
    connector: Connector<R>,
    clock: Clock,
    timer: Timer,
    sockets: Sockets<R>,
    exchanges: Exchanges,
    tokens: Tokens,
    calls: Calls,
    subscriptions: Subscriptions,
    searches: Searches,
    uploads: Uploads,
    trace: Trace,
    /// Another turn has to follow.
    unsettled: bool,
}

impl<R: Runtime> Driver<R> {
    pub(crate) fn new(runtime: R, options: TalkOptions, shared: Arc<Shared>) -> Self {
        let mut clock = Clock::new();
        let trace = Trace::new(&shared.key);
        if let Some(token) = &options.core.authentication.token {
            trace.token(clock.now(), &shared.key, token);
        }
        Self {
            core: Core::new(options.core, seed(), clock.now()),
            shared,
            connector: Connector::new(runtime.clone(), options.tls),
            runtime,
            clock,
            timer: Timer::default(),
            sockets: Sockets::new(),
            exchanges: Exchanges::default(),
            tokens: Tokens::new(options.token_fetcher),
            calls: Calls::new(options.call_timeout),
            subscriptions: Subscriptions::default(),
            searches: Searches::default(),
            uploads: Uploads::new(options.upload_timeout),
            trace,
            unsettled: false,
        }
    }

    /// Runs until the session has ended, or nobody holds it and nothing is left to do.
    ///
    /// No `async fn`: that would hold the driver twice, and there is one for each session.
    pub(crate) fn run(mut self) -> impl Future<Output = ()> + Send + 'static {
        poll_fn(move |cx| self.poll(cx))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _entered = self.trace.enter();
        for _ in 0..TURNS_PER_POLL {
            self.unsettled = false;
            self.take_turn(cx);
            *lock(&self.shared.counters) = self.core.counters();
            if self.may_stop() {
                return Poll::Ready(());
            }
            if !self.unsettled {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Looks at everything once. Unless it leaves something unsettled, everything knows then whom to
    /// wake.
    fn take_turn(&mut self, cx: &mut Context<'_>) {
        self.take_commands(cx);
        self.take_socket_events(cx);
        self.take_events(|driver| driver.exchanges.poll(cx));
        self.take_events(|driver| driver.tokens.poll(cx));
        self.take_opened(cx);
        // After all that: it moves the deadlines.
        self.take_time(cx);
        // After everything: it has frames to send, which go out together.
        self.flush(cx);
    }

    /// Every command that waits is part of one tick of the core.
    fn take_commands(&mut self, cx: &mut Context<'_>) {
        let Poll::Ready(commands) = self.shared.mailbox.poll_take(cx) else {
            return;
        };
        let now = self.clock.now();
        for command in commands {
            self.handle_command(now, command);
        }
        self.drain();
    }

    /// All frames that are there are one step: a burst is shown once, as it ends, and answered in one
    /// write. What a subscription shows first depends on what has come by then, so that every frame
    /// is a step of its own until it has shown something.
    fn take_socket_events(&mut self, cx: &mut Context<'_>) {
        let mut taken = 0;
        while taken < EVENTS_PER_TURN
            && let Poll::Ready((socket, event)) = self.sockets.poll_event(cx)
        {
            taken += 1;
            self.tell_of_socket(socket, event);
            if self.subscriptions.await_first() {
                self.drain();
            }
        }
        if taken > 0 {
            self.unsettled |= taken == EVENTS_PER_TURN;
            self.drain();
        }
    }

    fn take_events(&mut self, mut next: impl FnMut(&mut Self) -> Poll<Input<'static>>) {
        for _ in 0..EVENTS_PER_TURN {
            let Poll::Ready(input) = next(self) else {
                return;
            };
            self.handle_input(input);
        }
        self.unsettled = true;
    }

    /// Begins the uploads whose sources could be opened.
    fn take_opened(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready((ticket, wanted, opened)) = self.uploads.poll(cx) {
            match opened {
                Ok(opened) => self.upload(ticket, wanted, opened),
                Err(error) => {
                    let error = TransportError::Source(error.to_string());
                    // Who has stopped waiting needs no answer.
                    let _ = wanted.answer.send(Err(error.into()));
                }
            }
        }
    }

    /// Lets the sockets send what they were given.
    fn flush(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready((socket, event)) = self.sockets.poll_flush(cx, &self.runtime) {
            self.tell_of_socket(socket, event);
            self.drain();
            self.unsettled = true;
        }
    }

    fn upload(&mut self, ticket: Ticket, wanted: Wanted, opened: Opened) {
        let now = self.clock.now();
        let (length, can_rewind) = (opened.length(), opened.can_rewind());
        let upload = wanted.metadata.upload(wanted.kind, length, can_rewind);
        let accepted = self.core.upload(now, upload);
        if let Ok(request) = accepted {
            self.uploads.insert(request, opened, wanted.meter);
        }
        self.calls
            .accepted_upload(now, accepted, ticket, wanted.answer);
        self.drain();
    }

    /// Does what is due, and sees to it that the task is woken when the next thing is.
    fn take_time(&mut self, cx: &mut Context<'_>) {
        let now = self.clock.now();
        let core_deadline = self.core.poll_timeout();
        let call_deadline = self.calls.next_deadline();
        let Some(deadline) = core_deadline.into_iter().chain(call_deadline).min() else {
            return self.timer.stop();
        };
        if deadline > now {
            self.unsettled |= self.timer.poll(cx, &self.runtime, now, deadline).is_ready();
            return;
        }
        while let Some(request) = self.calls.pop_overdue(now) {
            // The core resolves it as cancelled, which is what an overdue call waits for. One that
            // it does not know is resolved already.
            let _ = self.core.cancel(now, request);
        }
        self.core.handle_input(now, Input::Tick);
        self.unsettled = true;
        self.drain();
    }

    /// A drain has to follow.
    fn tell_of_socket(&mut self, socket: SocketId, event: SocketEvent) {
        match event {
            SocketEvent::Opened => self.tell(Input::SocketOpened { socket }),
            SocketEvent::Frame(text) => self.tell(Input::SocketFrame {
                socket,
                text: &text,
            }),
            SocketEvent::Closed(cause) => self.tell(Input::SocketClosed { socket, cause }),
        }
    }

    fn handle_input(&mut self, input: Input<'_>) {
        self.tell(input);
        self.drain();
    }

    /// A drain has to follow.
    fn tell(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.trace.input(&input);
        if let Input::Token {
            result: Ok(token), ..
        } = &input
        {
            self.trace.token(now, &self.shared.key, token);
        }
        self.core.handle_input(now, input);
    }

    fn handle_command(&mut self, now: Time, command: Command) {
        match command {
            Command::Call {
                ticket,
                call,
                answer,
            } => {
                let kind = call.kind();
                let accepted = self.core.call(now, *call);
                if let Ok(request) = accepted {
                    self.trace.call(request, kind);
                }
                self.calls.accepted(now, accepted, ticket, answer);
            }
            Command::LoadMore {
                ticket,
                subscription,
                count,
                answer,
            } => {
                let id = self.subscriptions.id(subscription);
                let id = id.ok_or(CommandError::Unknown);
                let accepted = id.and_then(|id| self.core.load_more(now, id, count));
                self.calls.accepted(now, accepted, ticket, answer);
            }
            Command::Upload {
                ticket,
                kind,
                source,
                metadata,
                meter,
                answer,
            } => {
                let wanted = Wanted {
                    kind,
                    metadata: *metadata,
                    meter,
                    answer,
                };
                self.uploads.open(&self.runtime, ticket, source, wanted);
            }
            Command::Cancel { ticket } => {
                self.uploads.cancel(ticket);
                if let Some(request) = self.calls.remove(ticket) {
                    // One that the core does not know is resolved already.
                    let _ = self.core.cancel(now, request);
                }
            }
            Command::Subscribe {
                ticket,
                topic,
                display,
            } => match self.core.subscribe(now, *topic) {
                Ok(id) => self.subscriptions.insert(id, ticket, display),
                Err(error) => display.end(Some(error.into())),
            },
            Command::Unsubscribe { ticket } => {
                if let Some(id) = self.subscriptions.id(ticket) {
                    // One that the core does not know has ended already.
                    let _ = self.core.unsubscribe(now, id);
                }
            }
            Command::StartSearch { ticket, kind, cell } => {
                let id = self.core.start_search(now, kind);
                self.searches.insert(id, ticket, cell);
            }
            Command::SetQuery {
                ticket,
                search,
                text,
                filter,
                answer,
            } => {
                let id = self.searches.id(search);
                let accepted = id.and_then(|id| self.core.set_query(now, id, &text, &filter));
                self.calls.accepted(now, accepted, ticket, answer);
            }
            Command::SearchMore {
                ticket,
                search,
                limit,
                answer,
            } => {
                let id = self.searches.id(search);
                let accepted = id.and_then(|id| self.core.search_more(now, id, limit));
                self.calls.accepted(now, accepted, ticket, answer);
            }
            Command::EndSearch { ticket } => {
                if let Some(id) = self.searches.remove(ticket) {
                    // After the session's end there is nothing to end.
                    let _ = self.core.end_search(now, id);
                }
            }
            Command::SetToken(token) => {
                self.trace.token(now, &self.shared.key, &token);
                // After the end no token is of use.
                let _ = self.core.set_token(now, token);
            }
            Command::TokenHandlerSet => self.core.allow_token_fetch(now),
            Command::NetworkChanged => self.core.network_changed(now),
            Command::ShutDown => self.core.shutdown(now),
            Command::Released => {
                if !self.shared.is_held() {
                    self.core.release(now);
                }
            }
        }
    }

    /// Does everything that the core wants done.
    fn drain(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.trace.output(&output);
            // What is begun or cut off has to be looked at once more.
            self.unsettled |= !matches!(output, Output::SendFrame { .. } | Output::Event(_));
            match output {
                Output::OpenSocket { socket, url } => {
                    let max_message = self.core.options().limits.frame_size;
                    self.sockets.open(socket, &self.connector, url, max_message);
                }
                Output::SendFrame { socket, frame } => {
                    self.sockets.send(socket, frame.into_string());
                }
                Output::CloseSocket { socket, code } => {
                    self.sockets.close(socket, code, &self.runtime);
                }
                Output::FetchToken { fetch } => self.fetch_token(fetch),
                Output::SendHttp { http, request } => {
                    let (connector, runtime) = (&self.connector, &self.runtime);
                    let uploads = &mut self.uploads;
                    self.exchanges
                        .start(http, connector, runtime, uploads, *request);
                }
                Output::CancelHttp { http } => self.exchanges.cancel(http),
                Output::Event(event) => self.handle_event(event),
            }
        }
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Resolved { request, result } => {
                self.trace.resolved(request, &result);
                self.uploads.resolve(request);
                self.calls.resolve(request, result);
            }
            Event::Updated {
                subscription,
                update,
            } => self.subscriptions.show(subscription, update),
            Event::SubscriptionEnded {
                subscription,
                error,
            } => self.subscriptions.end(subscription, error),
            Event::SearchUpdated {
                search,
                results,
                status,
            } => self.searches.show(search, results, status),
            Event::Connection(state) => self.shared.connection.set(state),
            Event::Ended(error) => self.end(error),
            // What was skipped did no harm.
            _ => {}
        }
    }

    fn fetch_token(&mut self, fetch: TokenFetchId) {
        let handler = lock(&self.shared.token_handler).clone();
        let Some(handler) = handler else {
            return self.tokens.start(fetch);
        };
        let call = AssertUnwindSafe(|| handler(Handle::new(&self.shared)));
        if catch_unwind(call).is_err() {
            self.tokens.handler_panicked(fetch);
        }
    }

    /// The session has ended, which is told once: first that the next one who asks gets another
    /// session, so that a handler may be the one who asks.
    fn end(&self, error: SessionError) {
        registry::remove(&self.shared);
        self.shared.end.set(error);
        let error = self.shared.end_error();
        for command in self.shared.mailbox.close() {
            command.reject(&error);
        }
        // It may hold a handle of the session, which would keep both alive.
        let handler = lock(&self.shared.token_handler).take();
        drop(handler);
    }

    /// Whether nothing is left to do. While somebody holds the session, there may be.
    fn may_stop(&self) -> bool {
        if !self.sockets.is_empty() {
            return false;
        }
        if self.core.ended().is_some() {
            return true;
        }
        if self.shared.is_held() || !self.core.is_idle() {
            return false;
        }
        if !registry::remove_unless_held(&self.shared) {
            return false;
        }
        self.end(SessionError::ShutDown);
        true
    }
}

impl<R: Runtime> Drop for Driver<R> {
    fn drop(&mut self) {
        self.end(SessionError::DriverStopped);
        let error = self.shared.end_error();
        self.calls.end(&error);
        self.subscriptions.end_all(&error);
        self.searches.end_all();
        self.shared.connection.close();
        self.shared.end.set_driver_gone();
    }
}

/// A seed that no other session has.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        // Without the system's randomness, what the standard library has for its maps must do.
        RandomState::new().hash_one("talk")
    })
}
