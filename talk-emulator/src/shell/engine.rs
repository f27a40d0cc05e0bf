//! The task that owns the [`Server`]. All inputs reach it through one channel, in order; its
//! outputs go to the send queues of the connections.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Duration, Instant, sleep_until};

use super::clock::Clock;
use super::data_error::DataError;
use super::send_queue::{SendQueue, TooSlow};
use super::storage::Storage;
use super::webhook_key;
use super::webhooks::{WebhookHosts, WebhookSender};
use crate::server::{
    ConnectionId, Output, Seed, SeedError, Server, Settings, Snapshot, Timestamp, WebhookAnswer,
    WebhookAttemptId,
};

/// The number of queued inputs above which senders wait.
const INPUT_QUEUE: usize = 1024;

/// The maximum delay of a timer that became due while the machine was suspended.
const MAX_SLEEP: Duration = Duration::from_secs(5);

/// The number of inputs handled before their outputs are sent.
const BATCH: usize = 64;

/// The time for which events are recorded after the last inspector is closed.
const RECORD_AFTER: Duration = Duration::from_secs(60);

/// The emulator has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the emulator has stopped; start a new one")]
pub struct Stopped;

type Call = Box<dyn FnOnce(&mut Core, Timestamp) -> DeferredReply + Send>;

/// A condition that a caller waits for.
pub(crate) type Predicate = Box<dyn FnMut(&Server) -> bool + Send>;

/// Sends the result of a call to its caller.
type DeferredReply = Box<dyn FnOnce() + Send>;

enum Input {
    Open {
        connection: ConnectionId,
        app: String,
        user: String,
        queue: SendQueue,
    },
    Frames {
        connection: ConnectionId,
        texts: Vec<String>,
        done: oneshot::Sender<()>,
    },
    Closed {
        connection: ConnectionId,
    },
    WebhookAnswered {
        attempt: WebhookAttemptId,
        result: Result<WebhookAnswer, String>,
    },
    Call(Call),
}

/// A handle to the task, shared by its clones.
#[derive(Clone)]
pub(crate) struct Engine {
    inputs: mpsc::Sender<Input>,
}

/// The parts of an engine.
pub(crate) struct EngineConfig {
    pub(crate) server: Server,
    /// The emulator's own address.
    pub(crate) origin: String,
    pub(crate) clock: Clock,
    pub(crate) storage: Option<Storage>,
    pub(crate) webhook_hosts: WebhookHosts,
    pub(crate) initial_data: Option<Seed>,
}

/// The state owned by the task. A call has exclusive access.
pub(crate) struct Core {
    pub(crate) server: Server,
    /// The snapshots of the control API.
    pub(super) snapshots: BTreeMap<String, Snapshot>,
    clock: Clock,
    initial_data: Option<Seed>,
    /// The emulator's own address.
    origin: String,
    queues: BTreeMap<ConnectionId, SendQueue>,
    webhooks: WebhookSender,
    /// The task's own inputs. A strong sender would keep the task running.
    inputs: mpsc::WeakSender<Input>,
    /// The results of calls. Like frames, they are sent once their changes are persisted.
    deferred_replies: Vec<DeferredReply>,
    /// Notified once the answers to their frames are queued.
    handled: Vec<oneshot::Sender<()>>,
    /// Conditions and their callers.
    waiting: Vec<(Predicate, oneshot::Sender<()>)>,
    /// The number of the last event. Each receiver is an open inspector.
    last_event: watch::Sender<u64>,
    /// Set while events are recorded for an open inspector.
    is_watched: bool,
    /// Notified when the last connection is closed.
    all_closed: Option<oneshot::Sender<()>>,
}

/// The task.
pub(crate) struct EngineTask {
    core: Core,
    inputs: mpsc::Receiver<Input>,
    storage: Option<Storage>,
}

impl Engine {
    pub(crate) fn new(config: EngineConfig) -> (Self, EngineTask) {
        let EngineConfig {
            server,
            origin,
            clock,
            storage,
            webhook_hosts,
            initial_data,
        } = config;
        let (sender, inputs) = mpsc::channel(INPUT_QUEUE);
        let core = Core {
            server,
            snapshots: BTreeMap::new(),
            clock,
            initial_data,
            origin,
            queues: BTreeMap::new(),
            webhooks: WebhookSender::new(webhook_hosts),
            inputs: sender.downgrade(),
            deferred_replies: Vec::new(),
            handled: Vec::new(),
            waiting: Vec::new(),
            last_event: watch::Sender::new(0),
            is_watched: false,
            all_closed: None,
        };
        let task = EngineTask {
            core,
            inputs,
            storage,
        };
        (Self { inputs: sender }, task)
    }

    pub(crate) async fn open(
        &self,
        connection: ConnectionId,
        app: String,
        user: String,
        queue: SendQueue,
    ) -> Result<(), Stopped> {
        self.send(Input::Open {
            connection,
            app,
            user,
            queue,
        })
        .await
    }

    /// Passes frames to the server, and waits until their answers are queued, so that a connection
    /// is slowed down by its own answers.
    pub(crate) async fn frames(
        &self,
        connection: ConnectionId,
        texts: Vec<String>,
    ) -> Result<(), Stopped> {
        let (done, handled) = oneshot::channel();
        self.send(Input::Frames {
            connection,
            texts,
            done,
        })
        .await?;
        handled.await.map_err(|_| Stopped)
    }

    pub(crate) async fn closed(&self, connection: ConnectionId) -> Result<(), Stopped> {
        self.send(Input::Closed { connection }).await
    }

    /// Runs `call` between two inputs and returns its result.
    pub(crate) async fn call<R: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Core, Timestamp) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        let (answer, answered) = oneshot::channel();
        let call: Call = Box::new(move |core, now| {
            let result = call(core, now);
            Box::new(move || {
                // The caller may have stopped waiting.
                let _ = answer.send(result);
            })
        });
        self.send(Input::Call(call)).await?;
        answered.await.map_err(|_| Stopped)
    }

    async fn send(&self, input: Input) -> Result<(), Stopped> {
        self.inputs.send(input).await.map_err(|_| Stopped)
    }
}

impl EngineTask {
    /// Runs the server until all handles are dropped.
    ///
    /// # Errors
    ///
    /// Returns an error if changes cannot be persisted. Their outputs are discarded: the server
    /// must end.
    pub(crate) async fn run(mut self) -> Result<(), DataError> {
        loop {
            let due = self
                .core
                .server
                .poll_timeout()
                .map(|due| self.core.clock.instant(due));
            tokio::select! {
                input = self.inputs.recv() => {
                    let Some(input) = input else { return Ok(()) };
                    self.process_batch(input);
                }
                () = wait_until(due) => {
                    let now = self.core.clock.now();
                    self.core.server.tick(now);
                }
            }
            self.persist().await?;
            self.core.notify_waiting();
            let now = self.core.clock.now();
            self.core.drain(now);
            self.core.notify_inspectors(now);
        }
    }

    /// Persists the changes of the last inputs in one transaction.
    async fn persist(&mut self) -> Result<(), DataError> {
        let Some(storage) = &self.storage else {
            return Ok(());
        };
        match self.core.server.take_changes() {
            changes if changes.is_empty() => Ok(()),
            changes => storage.commit(changes).await,
        }
    }

    fn process_batch(&mut self, first: Input) {
        let now = self.core.clock.now();
        self.core.handle(now, first);
        for _ in 1..BATCH {
            let Ok(input) = self.inputs.try_recv() else {
                return;
            };
            // An earlier input may have advanced the clock.
            let now = self.core.clock.now();
            self.core.handle(now, input);
        }
    }
}

impl Core {
    fn handle(&mut self, now: Timestamp, input: Input) {
        match input {
            Input::Open {
                connection,
                app,
                user,
                queue,
            } => {
                self.queues.insert(connection, queue);
                self.server.open(now, connection, &app, &user);
            }
            Input::Frames {
                connection,
                texts,
                done,
            } => {
                self.handled.push(done);
                // Frames that were received before a cut may arrive after it.
                if self.queues.contains_key(&connection) {
                    for text in &texts {
                        self.server.handle_frame(now, connection, text);
                    }
                }
            }
            Input::Closed { connection } => {
                self.queues.remove(&connection);
                self.server.closed(now, connection);
                self.notify_all_closed();
            }
            Input::WebhookAnswered { attempt, result } => {
                self.webhooks.finish(attempt);
                self.server.webhook_answered(now, attempt, result);
            }
            Input::Call(call) => {
                let release = call(self, now);
                self.deferred_replies.push(release);
            }
        }
    }

    /// Advances the time and performs all work that becomes due. Returns `None` if the sum of all
    /// advances would be more than a century.
    pub(crate) fn advance_clock(&mut self, by: Duration) -> Option<Timestamp> {
        self.clock.advance(by).then(|| {
            let now = self.clock.now();
            self.server.set_ahead(self.clock.advanced());
            self.server.postpone_webhook_limits(by);
            self.server.tick(now);
            self.server.note_clock();
            now
        })
    }

    /// Removes all data, and stores the initial data again.
    pub(crate) fn reset(&mut self, now: Timestamp) -> Result<(), SeedError> {
        self.server.clear(now);
        match &self.initial_data {
            Some(seed) => self.server.seed(now, seed).map(drop),
            None => Ok(()),
        }
    }

    /// Returns the hosts to which webhooks are sent.
    pub(crate) fn webhook_hosts(&self) -> WebhookHosts {
        self.webhooks.hosts()
    }

    /// Replaces the settings and returns them. A default origin becomes the emulator's own, and
    /// webhooks get a key.
    pub(crate) fn set_settings(&mut self, now: Timestamp, settings: Settings) -> Settings {
        let settings = settings.with_origin(&self.origin);
        let completed = webhook_key::complete(settings.clone(), Some(self.server.settings()));
        // Without randomness, the signatures are those of an empty key.
        let settings = completed.unwrap_or(settings);
        self.server.set_settings(now, settings.clone());
        settings
    }

    /// Cuts every connection without a close frame, as a failing network does.
    pub(crate) fn drop_connections(&mut self, now: Timestamp) {
        for connection in std::mem::take(&mut self.queues).into_keys() {
            self.server.closed(now, connection);
        }
    }

    /// Sends a close frame to every connection. The receiver resolves when the last one is closed.
    pub(crate) fn close_connections(&mut self, code: u16) -> oneshot::Receiver<()> {
        for queue in self.queues.values_mut() {
            queue.send_close(code);
        }
        let (all_closed, gone) = oneshot::channel();
        self.all_closed = Some(all_closed);
        self.notify_all_closed();
        gone
    }

    /// Registers a condition. The receiver resolves when it is fulfilled.
    pub(crate) fn wait_for(&mut self, predicate: Predicate) -> oneshot::Receiver<()> {
        let (fulfilled, waiter) = oneshot::channel();
        self.waiting.push((predicate, fulfilled));
        waiter
    }

    /// Records events while the receiver exists. It is notified of new events, the last of which
    /// has the returned number.
    pub(super) fn watch_events(&mut self) -> (watch::Receiver<u64>, u64) {
        self.server.record_events();
        self.is_watched = true;
        (self.last_event.subscribe(), self.server.last_event())
    }

    fn notify_inspectors(&mut self, now: Timestamp) {
        if !self.is_watched {
            return;
        }
        if self.last_event.receiver_count() == 0 {
            self.is_watched = false;
            self.server.record_events_for(now, RECORD_AFTER);
            return;
        }
        let last = self.server.last_event();
        self.last_event.send_if_modified(|noted| {
            let is_new = *noted != last;
            *noted = last;
            is_new
        });
    }

    fn notify_waiting(&mut self) {
        for (mut predicate, fulfilled) in std::mem::take(&mut self.waiting) {
            if fulfilled.is_closed() {
                continue;
            }
            if predicate(&self.server) {
                // The caller may have stopped waiting.
                let _ = fulfilled.send(());
            } else {
                self.waiting.push((predicate, fulfilled));
            }
        }
    }

    fn notify_all_closed(&mut self) {
        if self.queues.is_empty()
            && let Some(all_closed) = self.all_closed.take()
        {
            // The caller may have stopped waiting.
            let _ = all_closed.send(());
        }
    }

    fn drain(&mut self, now: Timestamp) {
        for release in self.deferred_replies.drain(..) {
            release();
        }
        let mut to_flush = Vec::new();
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::SendFrame { connection, text } => {
                    let Some(queue) = self.queues.get_mut(&connection) else {
                        continue;
                    };
                    match queue.push(text) {
                        Ok(true) => to_flush.push(connection),
                        Ok(false) => {}
                        Err(TooSlow) => {
                            self.queues.remove(&connection);
                            self.server.closed(now, connection);
                        }
                    }
                }
                Output::Close {
                    connection,
                    code: Some(code),
                } => {
                    if let Some(queue) = self.queues.get_mut(&connection) {
                        queue.send_close(code);
                    }
                }
                Output::Close {
                    connection,
                    code: None,
                } => {
                    self.queues.remove(&connection);
                }
                Output::SendWebhook { attempt, request } => {
                    let inputs = self.inputs.clone();
                    let report = move |result| async move {
                        if let Some(inputs) = inputs.upgrade() {
                            // The task may have ended.
                            let _ = inputs
                                .send(Input::WebhookAnswered { attempt, result })
                                .await;
                        }
                    };
                    self.webhooks.send(attempt, request, report);
                }
                Output::CancelWebhook { attempt } => self.webhooks.cancel(attempt),
            }
        }
        for connection in to_flush {
            if let Some(queue) = self.queues.get_mut(&connection) {
                queue.flush();
            }
        }
        for done in self.handled.drain(..) {
            // The connection may be gone.
            let _ = done.send(());
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        // A suspended machine wakes up with a timer that is late.
        Some(due) => sleep_until(due.min(Instant::now() + MAX_SLEEP)).await,
        None => std::future::pending().await,
    }
}
