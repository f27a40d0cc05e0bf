//! The driver: the task that owns the core and performs its outputs.

mod backlog;
mod calls;
mod clock;
mod http_requests;
mod inboxes;
mod opening;
mod outbox;
mod searches;
mod socket;
mod standby;
mod store;
mod subscriptions;
mod timer;
mod tokens;
mod trace;
mod uploads;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use talk_proto::storage::StoreError;
use talk_proto::{
    CommandError, ConnectionState, Event, Input, Output, Session as Core, SessionError, SocketId,
    Timestamp, TokenFetchId, TransportError,
};

use self::calls::Calls;
use self::clock::Clock;
use self::http_requests::HttpRequests;
use self::inboxes::Inboxes;
pub(crate) use self::opening::Opening;
use self::outbox::Entries;
use self::searches::Searches;
use self::socket::{SocketEvent, Sockets};
use self::standby::Standby;
use self::store::{OpenStore, StoreWrites};
use self::subscriptions::Subscriptions;
use self::timer::Timer;
use self::tokens::Tokens;
use self::trace::Trace;
use self::uploads::{PendingUpload, Uploads};
use crate::error::Error;
use crate::handle::{Command, Handle, InboxCommand, LocalId, Shared, Sleeper};
use crate::options::TalkOptions;
use crate::registry;
use crate::store::{Store, StoreState};
use crate::sync::lock;
use crate::transport::{MaybeSend, Transport};
use crate::upload::queued::QueuedFile;
use crate::upload::source::OpenSource;

/// The maximum number of events of one kind in a pass.
const EVENTS_PER_PASS: usize = 128;

/// The maximum number of passes in a poll, so that other tasks of the runtime can run.
const PASSES_PER_POLL: usize = 4;

/// Returns a factory of timers of `transport`.
fn sleeper<T: Transport>(transport: &T) -> Sleeper {
    let transport = transport.clone();
    Arc::new(move |duration| transport.sleep(duration))
}

/// The store of a new driver.
enum StoreSource {
    /// The session has no store.
    Nothing,
    Open(Box<OpenStore>),
    Standby(Box<Standby>),
}

/// The driver of one session. Dropping it, for example with its runtime, ends the session.
pub(crate) struct Driver<T: Transport> {
    core: Core,
    shared: Arc<Shared>,
    transport: T,
    clock: Clock,
    timer: Timer,
    sockets: Sockets<T>,
    http_requests: HttpRequests,
    tokens: Tokens,
    calls: Calls,
    subscriptions: Subscriptions,
    searches: Searches,
    uploads: Uploads,
    entries: Entries,
    inboxes: Inboxes,
    /// The store, while the session has its lock.
    store: Option<Box<StoreWrites>>,
    /// `None` without [`TalkOptions::standby`].
    standby: Option<Box<Standby>>,
    trace: Trace,
    /// Set if another pass has to follow.
    needs_another_pass: bool,
}

impl<T: Transport> Driver<T> {
    /// Creates the driver of a session without a store.
    pub(crate) fn new(transport: T, options: TalkOptions, shared: Arc<Shared>) -> Self {
        Self::with_store(transport, options, shared, StoreSource::Nothing)
    }

    /// Creates the driver of a session that works without its store until it has the lock.
    pub(crate) fn standby(
        transport: T,
        store: Arc<dyn Store>,
        options: TalkOptions,
        shared: Arc<Shared>,
    ) -> Self {
        let sleeper = sleeper(&transport);
        let standby = Standby::new(store, &options, Arc::clone(&shared), sleeper);
        let source = StoreSource::Standby(Box::new(standby));
        Self::with_store(transport, options, shared, source)
    }

    fn with_store(
        transport: T,
        options: TalkOptions,
        shared: Arc<Shared>,
        source: StoreSource,
    ) -> Self {
        let reading = transport.now();
        let mut clock = Clock::new(reading);
        let now = clock.now(reading);
        let trace = Trace::new(&shared.key);
        if let Some(token) = &options.core.authentication.token {
            trace.token(now, &shared.key, token);
        }
        let seed = transport.seed();
        let (core, store, standby) = match source {
            StoreSource::Nothing => (Core::new(options.core, seed, now), None, None),
            StoreSource::Standby(standby) => {
                (Core::standby(options.core, seed, now), None, Some(standby))
            }
            StoreSource::Open(opened) => {
                let OpenStore { writes, records } = *opened;
                let mut core = Core::restore(options.core, seed, now, &records);
                if options.pause_restored {
                    pause_all(&mut core, now);
                }
                shared.store.set(StoreState::Active);
                (core, Some(Box::new(writes)), None)
            }
        };
        Self {
            core,
            shared,
            tokens: Tokens::new(options.token_fetcher, sleeper(&transport)),
            transport,
            clock,
            timer: Timer::default(),
            sockets: Sockets::new(),
            http_requests: HttpRequests::default(),
            calls: Calls::new(options.call_timeout),
            subscriptions: Subscriptions::default(),
            searches: Searches::default(),
            uploads: Uploads::new(options.upload_timeout),
            entries: Entries::default(),
            inboxes: Inboxes::default(),
            store,
            standby,
            trace,
            needs_another_pass: false,
        }
    }

    fn now(&mut self) -> Timestamp {
        self.clock.now(self.transport.now())
    }

    /// Runs until the session has ended, or has no handles and no pending work.
    ///
    /// This is not an `async fn`, because that would store the driver of every session twice.
    pub(crate) fn run(mut self) -> impl Future<Output = ()> + MaybeSend + 'static {
        poll_fn(move |cx| self.poll(cx))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _entered = self.trace.enter();
        for _ in 0..PASSES_PER_POLL {
            self.needs_another_pass = false;
            self.run_once(cx);
            *lock(&self.shared.counters) = self.core.counters();
            if self.can_stop() {
                return Poll::Ready(());
            }
            if !self.needs_another_pass {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Polls every source of events once. If no further pass is needed, all of them have registered
    /// the task's waker.
    fn run_once(&mut self, cx: &mut Context<'_>) {
        self.handle_commands(cx);
        self.handle_socket_events(cx);
        self.handle_inputs(|driver| driver.http_requests.poll(cx));
        self.handle_inputs(|driver| driver.tokens.poll(cx));
        self.handle_inputs(|driver| match &mut driver.store {
            Some(store) => store.poll(cx, &driver.shared),
            None => Poll::Pending,
        });
        self.handle_lock(cx);
        self.start_opened_uploads(cx);
        self.handle_inputs(|driver| driver.uploads.poll_check(cx));
        // After the events, because they move the deadlines.
        self.handle_timeouts(cx);
        // Last, so that all frames of the pass are sent together.
        self.flush(cx);
        self.limit_last_writes(cx);
    }

    /// Handles all pending commands in one tick of the core.
    fn handle_commands(&mut self, cx: &mut Context<'_>) {
        let Poll::Ready(commands) = self.shared.commands.poll_commands(cx) else {
            return;
        };
        let now = self.now();
        for command in commands {
            self.handle_command(now, command);
        }
        self.drain_outputs();
    }

    /// Handles all available frames in one step, so that a burst causes one update and one write.
    /// The first snapshot of a subscription depends on the frames before it, so every frame is its
    /// own step while a subscription waits for one.
    fn handle_socket_events(&mut self, cx: &mut Context<'_>) {
        let mut handled = 0;
        while handled < EVENTS_PER_PASS
            && let Poll::Ready((socket, event)) = self.sockets.poll_event(cx)
        {
            handled += 1;
            self.feed_socket_event(socket, event);
            if self.subscriptions.awaits_first_snapshot() {
                self.drain_outputs();
            }
        }
        if handled > 0 {
            self.needs_another_pass |= handled == EVENTS_PER_PASS;
            self.drain_outputs();
        }
    }

    fn handle_inputs(&mut self, mut next: impl FnMut(&mut Self) -> Poll<Input<'static>>) {
        for _ in 0..EVENTS_PER_PASS {
            let Poll::Ready(input) = next(self) else {
                return;
            };
            self.handle_input(input);
        }
        self.needs_another_pass = true;
    }

    /// Starts the uploads whose sources are open. Fails those whose sources cannot be opened.
    fn start_opened_uploads(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready((local_id, pending, opened)) = self.uploads.poll(cx) {
            match opened {
                Ok(opened) => self.upload(local_id, pending, opened),
                Err(error) => {
                    let error = TransportError::Source(error.to_string());
                    // Fails if the caller has stopped waiting.
                    let _ = pending.reply.send(Err(error.into()));
                }
            }
        }
    }

    /// Writes the queued messages of the sockets.
    fn flush(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready((socket, event)) = self.sockets.poll_flush(cx, &self.transport) {
            self.feed_socket_event(socket, event);
            self.drain_outputs();
            self.needs_another_pass = true;
        }
    }

    /// Limits the time for which an ended session waits for its store.
    fn limit_last_writes(&mut self, cx: &mut Context<'_>) {
        if let Some(store) = &mut self.store
            && self.core.ended().is_some()
            && !store.is_idle()
        {
            let is_late = store.poll_close(cx, &sleeper(&self.transport)).is_ready();
            self.needs_another_pass |= is_late;
        }
    }

    /// Begins to use the store when this session has the lock, and stops when it has lost it.
    fn handle_lock(&mut self, cx: &mut Context<'_>) {
        if self.core.ended().is_some() {
            return;
        }
        if let Some(standby) = &mut self.standby
            && let Poll::Ready(opened) = standby.poll(cx)
        {
            match opened {
                Ok(opened) => self.use_store(opened),
                Err(error) => self.fail_store(error),
            }
        }
        if let Some(store) = &mut self.store
            && store.poll_lost(cx).is_ready()
        {
            self.leave_store();
        }
    }

    fn use_store(&mut self, OpenStore { writes, records }: OpenStore) {
        let now = self.now();
        self.store = Some(Box::new(writes));
        self.core.open_store(now, &records);
        self.shared.store.set(StoreState::Active);
        if let Some(standby) = &mut self.standby {
            if standby.pause_restored {
                pause_all(&mut self.core, now);
            }
            for command in standby.take_waiting() {
                self.handle_command(now, command);
            }
        }
        self.drain_outputs();
        self.needs_another_pass = true;
    }

    fn handle_inbox_command(&mut self, now: Timestamp, command: InboxCommand) {
        let (core, entries) = (&mut self.core, &mut self.entries);
        self.inboxes.handle(core, entries, now, command);
    }

    /// Stops using the store, which another session may use.
    fn leave_store(&mut self) {
        let Some(standby) = &mut self.standby else {
            return self.fail_store(StoreError::Lost);
        };
        standby.open();
        self.store = None;
        self.entries.end(&Error::Store(StoreError::Lost));
        self.shared.store.set(StoreState::Lost);
        let now = self.now();
        self.core.close_store(now);
        self.drain_outputs();
        self.needs_another_pass = true;
    }

    fn fail_store(&mut self, error: StoreError) {
        self.store = None;
        self.shared.store.set(StoreState::Failing(error.clone()));
        let now = self.now();
        self.core.fail_store(now, error);
        self.drain_outputs();
        self.needs_another_pass = true;
    }

    fn upload(&mut self, local_id: LocalId, pending: PendingUpload, opened: OpenSource) {
        let now = self.now();
        let (length, can_rewind) = (opened.length(), opened.can_rewind());
        let upload = pending.metadata.upload(pending.kind, length, can_rewind);
        let accepted = self.core.upload(now, upload);
        if let Ok(request) = accepted {
            self.uploads.insert(request, opened, pending.progress);
        }
        self.calls
            .register_upload(now, accepted, local_id, pending.reply);
        self.drain_outputs();
    }

    /// Handles expired deadlines and sets the timer to the next one.
    fn handle_timeouts(&mut self, cx: &mut Context<'_>) {
        let now = self.now();
        let core_deadline = self.core.poll_timeout();
        let call_deadline = self.calls.next_deadline();
        let Some(deadline) = core_deadline.into_iter().chain(call_deadline).min() else {
            return self.timer.stop();
        };
        if deadline > now {
            self.needs_another_pass |= self
                .timer
                .poll(cx, &self.transport, now, deadline)
                .is_ready();
            return;
        }
        while let Some(request) = self.calls.pop_expired(now, self.core.connection()) {
            // The core resolves the request as cancelled, which completes the expired call. An
            // unknown request is already resolved.
            let _ = self.core.cancel(now, request);
        }
        self.core.handle_input(now, Input::Tick);
        self.needs_another_pass = true;
        self.drain_outputs();
    }

    /// Passes a socket event to the core. The caller drains the outputs.
    fn feed_socket_event(&mut self, socket: SocketId, event: SocketEvent) {
        match event {
            SocketEvent::Opened => self.feed(Input::SocketOpened { socket }),
            SocketEvent::Frame(text) => self.feed(Input::SocketFrame {
                socket,
                text: &text,
            }),
            SocketEvent::Closed(cause) => self.feed(Input::SocketClosed { socket, cause }),
        }
    }

    fn handle_input(&mut self, input: Input<'_>) {
        self.feed(input);
        self.drain_outputs();
    }

    /// Passes an input to the core. The caller drains the outputs.
    fn feed(&mut self, input: Input<'_>) {
        let now = self.now();
        self.trace.input(&input);
        if let Input::Token {
            result: Ok(token), ..
        } = &input
        {
            self.trace.token(now, &self.shared.key, token);
        }
        self.core.handle_input(now, input);
    }

    fn handle_command(&mut self, now: Timestamp, command: Command) {
        match command {
            Command::Call {
                id: local_id,
                call,
                reply,
            } => {
                let kind = call.kind();
                let accepted = self.core.call(now, *call);
                if let Ok(request) = accepted {
                    self.trace.call(request, kind);
                }
                self.calls.register(now, accepted, local_id, reply);
            }
            Command::LoadMore {
                id: local_id,
                subscription,
                count,
                reply,
            } => {
                let id = self.subscriptions.id(subscription);
                // `Subscription::load_more` has already returned the error of a subscription that
                // ended with one.
                let id = id.ok_or(CommandError::Unsubscribed);
                let accepted = id.and_then(|id| self.core.load_more(now, id, count));
                self.calls.register(now, accepted, local_id, reply);
            }
            Command::Upload {
                id: local_id,
                kind,
                source,
                metadata,
                progress,
                reply,
            } => {
                let pending = PendingUpload {
                    kind,
                    metadata: *metadata,
                    progress,
                    reply,
                };
                self.uploads
                    .open(&self.transport, local_id, source, pending);
            }
            Command::Cancel { id: local_id } => {
                self.uploads.cancel(local_id);
                if let Some(request) = self.calls.remove(local_id) {
                    // An unknown request is already resolved.
                    let _ = self.core.cancel(now, request);
                }
            }
            Command::Subscribe {
                id: local_id,
                topic,
                sink,
            } => match self.core.subscribe(now, *topic) {
                Ok(id) => self.subscriptions.insert(id, local_id, sink),
                Err(error) => sink.end(Some(error.into())),
            },
            Command::Unsubscribe { id: local_id } => {
                if let Some(id) = self.subscriptions.id(local_id) {
                    // An unknown subscription has already ended.
                    let _ = self.core.unsubscribe(now, id);
                }
            }
            Command::StartSearch {
                id: local_id,
                kind,
                slot,
            } => {
                let id = self.core.start_search(now, kind);
                self.searches.insert(id, local_id, slot);
            }
            Command::SetQuery {
                id: local_id,
                search,
                text,
                filter,
                reply,
            } => {
                let id = self.searches.id(search);
                let accepted = id.and_then(|id| self.core.set_query(now, id, &text, &filter));
                self.calls.register(now, accepted, local_id, reply);
            }
            Command::SearchMore {
                id: local_id,
                search,
                limit,
                reply,
            } => {
                let id = self.searches.id(search);
                let accepted = id.and_then(|id| self.core.search_more(now, id, limit));
                self.calls.register(now, accepted, local_id, reply);
            }
            Command::EndSearch { id: local_id } => {
                if let Some(id) = self.searches.remove(local_id) {
                    // Fails after the end of the session, which ended the search.
                    let _ = self.core.end_search(now, id);
                }
            }
            Command::Outbox(command) => match &mut self.standby {
                Some(standby) if standby.is_waiting() => standby.push_outbox(*command),
                _ => self.entries.handle(&mut self.core, now, *command),
            },
            Command::Inbox(command) => match &mut self.standby {
                Some(standby) if standby.is_waiting() => standby.push_inbox(*command),
                _ => self.handle_inbox_command(now, *command),
            },
            Command::Spawn(make) => {
                let task = make.call(sleeper(&self.transport));
                self.transport.spawn(task);
            }
            Command::SetToken(token) => {
                self.trace.token(now, &self.shared.key, &token);
                // Fails after the end of the session, which needs no token.
                let _ = self.core.set_token(now, token);
            }
            Command::TokenHandlerSet => self.core.allow_token_fetch(now),
            Command::NetworkChanged => self.core.network_changed(now),
            Command::Shutdown => self.core.shutdown(now),
            Command::HandlesReleased => {
                if !self.shared.has_handles() {
                    self.core.release(now);
                }
            }
        }
    }

    /// Performs all outputs of the core.
    fn drain_outputs(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.trace.output(&output);
            // Another pass polls the started or cancelled operation.
            self.needs_another_pass |=
                !matches!(output, Output::SendFrame { .. } | Output::Event(_));
            match output {
                Output::OpenSocket { socket, url } => {
                    let max_message = self.core.options().limits.frame_size;
                    self.sockets
                        .open(socket, &self.transport, &url, max_message);
                }
                Output::SendFrame { socket, frame } => {
                    self.sockets.send(socket, frame.into_string());
                }
                Output::CloseSocket { socket, code } => {
                    self.sockets.close(socket, code, &self.transport);
                }
                Output::FetchToken { fetch } => self.fetch_token(fetch),
                Output::SendHttp { http, request } => {
                    let (transport, uploads) = (&self.transport, &mut self.uploads);
                    self.http_requests.start(http, transport, uploads, *request);
                }
                Output::CancelHttp { http } => self.http_requests.cancel(http),
                Output::Store { batch, changes } => {
                    // Only a session with a store emits batches.
                    if let Some(store) = &mut self.store {
                        store.push(batch, changes);
                    }
                }
                Output::CheckFile {
                    request,
                    path,
                    size,
                    modified,
                } => {
                    let file = QueuedFile::new(path, size, modified);
                    self.uploads.check(&self.transport, request, file);
                }
                Output::Event(event) => self.handle_event(event),
            }
        }
        // Once for all deliveries, so that a consumer on another thread takes them together.
        self.inboxes.wake();
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
            } => self.subscriptions.update(subscription, *update),
            Event::SubscriptionEnded {
                subscription,
                error,
            } => self.subscriptions.end(subscription, error),
            Event::SearchUpdated {
                search,
                results,
                status,
            } => self.searches.update(search, results, status),
            Event::Connection(state) => self.shared.connection.set(state),
            Event::EntryChanged(entry) => self.entries.change(&entry),
            Event::EntryRemoved { entry, message } => {
                self.entries.remove(&entry, message.as_ref());
            }
            Event::Inbox { inbox, event } => self.inboxes.handle_event(inbox, event),
            Event::Ended(error) => self.end(error),
            // A protocol warning needs no action.
            _ => {}
        }
    }

    fn fetch_token(&mut self, fetch: TokenFetchId) {
        let handler = lock(&self.shared.token_handler).clone();
        let Some(handler) = handler else {
            return self.tokens.start(fetch);
        };
        let call = AssertUnwindSafe(|| handler.call(Handle::new(&self.shared)));
        if catch_unwind(call).is_err() {
            self.tokens.handler_panicked(fetch);
        }
    }

    /// Reports the end of the session. Only the first call has an effect.
    fn end(&mut self, error: SessionError) {
        end_session(&self.shared, error);
        let error = self.shared.end_error();
        self.entries.end(&error);
        self.inboxes.end(&error);
        if let Some(standby) = &mut self.standby {
            standby.reject(&error);
        }
    }

    /// Returns `true` if the session has ended, or has no handles and no pending work. Entries of
    /// the outbox are no pending work, because the next session sends them.
    fn can_stop(&mut self) -> bool {
        let is_writing = self.store.as_ref().is_some_and(|store| !store.is_idle());
        if self.core.ended().is_some() {
            return self.sockets.is_empty() && !is_writing;
        }
        let is_idle = self.core.is_idle() && self.sockets.is_empty() && !is_writing;
        let has_outbox = self.core.options().outbox.is_some();
        if self.shared.has_handles() || !(is_idle || has_outbox) {
            return false;
        }
        if !registry::remove_unless_used(&self.shared) {
            return false;
        }
        if is_idle {
            self.end(SessionError::Shutdown);
            return true;
        }
        let now = self.now();
        self.core.shutdown(now);
        self.drain_outputs();
        self.needs_another_pass = true;
        false
    }
}

/// Pauses the conversations of all entries.
fn pause_all(core: &mut Core, now: Timestamp) {
    let entries = core.outbox_entries();
    let conversations: Vec<_> = entries.map(|entry| entry.conversation.clone()).collect();
    for conversation in conversations {
        // Fails without an outbox, which has no entries.
        let _ = core.pause_conversation(now, conversation);
    }
}

/// Reports the end of a session. Only the first call has an effect. The session leaves the registry
/// first, so that an error handler can get a new one.
fn end_session(shared: &Arc<Shared>, error: SessionError) {
    registry::remove(shared);
    shared.termination.set(error);
    // Without a driver, nothing else would report that the connection is closed.
    if shared.connection.get() != ConnectionState::Idle {
        shared.connection.set(ConnectionState::Idle);
    }
    let error = shared.end_error();
    for command in shared.commands.close() {
        command.reject(&error);
    }
    // The token handler may own a handle of the session, which would keep both alive.
    let handler = lock(&shared.token_handler).take();
    drop(handler);
}

impl<T: Transport> Drop for Driver<T> {
    fn drop(&mut self) {
        self.end(SessionError::DriverStopped);
        // The lock is free when the shutdown completes.
        if let Some(store) = self.store.take() {
            self.shared.store.set(store.final_state());
        } else if self.standby.take().is_some_and(|it| it.is_waiting()) {
            self.shared.store.set(StoreState::Closed);
        }
        let error = self.shared.end_error();
        self.calls.end(&error);
        self.subscriptions.end_all(&error);
        self.searches.end_all();
        self.shared.close_states();
        self.shared.termination.set_driver_stopped();
    }
}
