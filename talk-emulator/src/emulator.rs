use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use talk_proto::model::{MessageSnapshot, User};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

use crate::builder::{EmulatorBuilder, StartError};
use crate::server::{
    Fault, FaultKind, ReceivedRequest, Seed, SeedError, Server, Settings, Snapshot,
    StoredConversation, Timestamp, Unreadable, WebhookDelivery,
};
use crate::shell::{
    AcceptLimiter, Clock, ControlAccess, Core, DataError, Engine, EngineConfig, EngineTask, Files,
    Shell, Stopped, Storage, WebhookHosts, router, serve,
};

/// The close code for a server that shuts down (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// The time for connections to close when the emulator stops.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// The number of requests that an emulator records.
const RECORDED_REQUESTS: usize = 1000;

/// The reason why data was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// An entry cannot be stored.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The emulator has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The reason why a snapshot was not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// A record was not written by an emulator.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The emulator has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// A local TalkJS server, listening on 127.0.0.1 by default.
///
/// It stops when it is dropped. Its data is lost then, unless it has a
/// [folder](EmulatorBuilder::data). Its methods work on any runtime.
pub struct Emulator {
    parts: Components,
    url: String,
}

/// The parts of a running emulator that its handle uses.
pub(crate) struct Components {
    address: SocketAddr,
    engine: Engine,
    gate: watch::Sender<AcceptLimiter>,
    /// Dropping it stops the emulator.
    _stop: oneshot::Sender<Infallible>,
    stopped: watch::Receiver<()>,
    failure: Arc<OnceLock<DataError>>,
}

/// The parts from which an emulator is assembled.
pub(crate) struct Config {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    pub(crate) files: Files,
    pub(crate) storage: Option<Storage>,
    pub(crate) control: ControlAccess,
    pub(crate) webhook_hosts: WebhookHosts,
    pub(crate) initial_data: Option<Seed>,
    pub(crate) stall_timeout: Duration,
}

impl Emulator {
    /// Starts an emulator with the documented defaults on a free port, on the current tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no free port or no randomness, or if there is no tokio
    /// runtime. Code on another runtime uses [`start_blocking`](Self::start_blocking).
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Starts an emulator with the documented defaults on its own thread and runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no free port, no randomness or no thread.
    pub fn start_blocking() -> Result<Self, StartError> {
        Self::builder().start_blocking()
    }

    /// Returns a builder for an emulator with a port, settings, a seed or a data folder.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    pub(crate) fn new(parts: Components) -> Self {
        let url = format!("http://{}", parts.address);
        Self { parts, url }
    }

    /// Returns the value for a client's `host` option: `127.0.0.1:PORT`, unless the emulator
    /// listens on [another address](EmulatorBuilder::bind).
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Returns the base URL: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.parts.address.port()
    }

    /// Returns the current settings.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn settings(&self) -> Result<Settings, Stopped> {
        self.inspect(|server| server.settings().clone()).await
    }

    /// Replaces the settings, also for open connections.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn set_settings(&self, settings: Settings) -> Result<(), Stopped> {
        let set = self
            .parts
            .engine
            .call(move |core, now| core.set_settings(now, settings));
        set.await.map(drop)
    }

    /// Injects a fault.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn inject(&self, fault: Fault) -> Result<(), Stopped> {
        self.parts
            .engine
            .call(move |core, now| core.server.inject(now, fault))
            .await
    }

    /// Posts a system message, as an app's back end does. `text` is literal. Returns the message's
    /// id, or `None` if the conversation does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn post_system_message(
        &self,
        app: &str,
        conversation: &str,
        text: &str,
    ) -> Result<Option<String>, Stopped> {
        let [app, conversation, text] = [app, conversation, text].map(str::to_owned);
        self.parts
            .engine
            .call(move |core, now| {
                core.server
                    .post_system_message(now, &app, &conversation, &text)
            })
            .await
    }

    /// Cuts every connection without a close frame, WebSockets, uploads and downloads alike, as a
    /// failing network does.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn drop_connections(&self) -> Result<(), Stopped> {
        self.parts.gate.send_modify(|gate| gate.generation += 1);
        self.parts
            .engine
            .call(|core, now| core.drop_connections(now))
            .await
    }

    /// Closes new connections before reading a byte, while `refuse` is set. Open connections stay
    /// open.
    pub fn refuse_connections(&self, refuse: bool) {
        self.parts.gate.send_modify(|gate| gate.refuse = refuse);
    }

    /// Restarts the server. A planned restart is announced to the clients first; an unplanned one
    /// resembles a crash. Stored data is kept.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn restart(&self, planned: bool) -> Result<(), Stopped> {
        if planned {
            self.inject(Fault::new(FaultKind::Restart)).await
        } else {
            self.drop_connections().await
        }
    }

    /// Expires the session of every connection, as if its token had expired.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn expire_tokens(&self) -> Result<(), Stopped> {
        self.inject(Fault::new(FaultKind::TokenExpiry)).await
    }

    /// Stores users, conversations and messages, unless their app has users already. Returns `true`
    /// if they were stored. [`EmulatorBuilder::initial_data`] does so at the start.
    ///
    /// # Errors
    ///
    /// Returns an error if an entry is refused. The entries before it are stored.
    pub async fn load(&self, data: Seed) -> Result<bool, LoadError> {
        let load = self
            .parts
            .engine
            .call(move |core, now| core.server.seed(now, &data));
        Ok(load.await??)
    }

    /// Removes all data, and stores the [initial data](EmulatorBuilder::initial_data) again. The
    /// settings and the clock stay.
    ///
    /// All connections are closed as by a planned restart, and injected faults, recorded requests
    /// and webhooks are discarded. The contents of uploaded files are kept.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn reset(&self) -> Result<(), LoadError> {
        Ok(self.parts.engine.call(Core::reset).await??)
    }

    /// Returns a copy of the data of all apps.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn snapshot(&self) -> Result<Snapshot, Stopped> {
        self.inspect(Server::snapshot).await
    }

    /// Replaces the data of all apps. The effects on connections, faults, requests and webhooks are
    /// those of [`reset`](Self::reset).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use talk_emulator::{Emulator, Seed};
    /// # let lobby = Seed::new("my_app").user("alice", "Alice").conversation("lobby", ["alice"]);
    /// # let emulator = Emulator::builder().initial_data(lobby).start().await?;
    /// let before = emulator.snapshot().await?;
    /// emulator.post_system_message("my_app", "lobby", "Hello!").await?;
    /// emulator.restore(before).await?;
    /// assert!(emulator.messages("my_app", "lobby").await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a record was not written by an emulator. The data is unchanged then.
    pub async fn restore(&self, snapshot: Snapshot) -> Result<(), RestoreError> {
        let restore = self
            .parts
            .engine
            .call(move |core, now| core.server.restore_snapshot(now, &snapshot));
        Ok(restore.await??)
    }

    /// Returns the time of the emulator.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn now(&self) -> Result<Timestamp, Stopped> {
        self.parts.engine.call(|_, now| now).await
    }

    /// Advances the time, and returns it. All work that becomes due is done: sessions expire,
    /// typing ends, delayed faults occur, webhooks are retried. The time of the clients stays.
    ///
    /// The sum of all advances is at most a century; a call that exceeds it does nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn advance_clock(&self, by: Duration) -> Result<Timestamp, Stopped> {
        let advance = self
            .parts
            .engine
            .call(move |core, now| core.advance_clock(by).unwrap_or(now));
        advance.await
    }

    /// Returns a user of an app.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn user(&self, app: &str, user: &str) -> Result<Option<User>, Stopped> {
        let [app, user] = [app, user].map(str::to_owned);
        self.inspect(move |server| server.user(&app, &user)).await
    }

    /// Returns the users of an app, ordered by ID.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn users(&self, app: &str) -> Result<Vec<User>, Stopped> {
        let app = app.to_owned();
        self.inspect(move |server| server.users(&app)).await
    }

    /// Returns a conversation of an app.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn conversation(
        &self,
        app: &str,
        conversation: &str,
    ) -> Result<Option<StoredConversation>, Stopped> {
        let [app, conversation] = [app, conversation].map(str::to_owned);
        self.inspect(move |server| server.conversation(&app, &conversation))
            .await
    }

    /// Returns the conversations of an app, ordered by ID.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn conversations(&self, app: &str) -> Result<Vec<StoredConversation>, Stopped> {
        let app = app.to_owned();
        self.inspect(move |server| server.conversations(&app)).await
    }

    /// Returns the messages of a conversation, oldest first. It is empty if the conversation does
    /// not exist.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use talk_emulator::{Emulator, Seed};
    /// # let lobby = Seed::new("my_app").user("alice", "Alice").conversation("lobby", ["alice"]);
    /// # let lobby = lobby.message("lobby", "alice", "Hello!");
    /// # let emulator = Emulator::builder().initial_data(lobby).start().await?;
    /// let messages = emulator.messages("my_app", "lobby").await?;
    /// assert_eq!(messages[0].plaintext(), "Hello!");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn messages(
        &self,
        app: &str,
        conversation: &str,
    ) -> Result<Vec<MessageSnapshot>, Stopped> {
        let [app, conversation] = [app, conversation].map(str::to_owned);
        self.inspect(move |server| server.messages(&app, &conversation))
            .await
    }

    /// Returns the latest 1,000 requests of all apps, oldest first. Their data is limited to 4 MiB.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn received_requests(&self) -> Result<Vec<ReceivedRequest>, Stopped> {
        self.inspect(|server| server.received_requests().cloned().collect())
            .await
    }

    /// Returns the undelivered and the latest finished webhooks, oldest first.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn webhooks(&self) -> Result<Vec<WebhookDelivery>, Stopped> {
        self.inspect(|server| server.webhooks().cloned().collect())
            .await
    }

    /// Waits for a webhook for which `predicate` returns `true`, and returns it. The predicate is
    /// called for the webhooks of the past too. Wrap the call in a time-out to fail a test that
    /// waits in vain.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn wait_for_webhook(
        &self,
        mut predicate: impl FnMut(&WebhookDelivery) -> bool + Send + 'static,
    ) -> Result<WebhookDelivery, Stopped> {
        let (sender, mut found) = oneshot::channel();
        let mut sender = Some(sender);
        self.wait_for(move |server| {
            let Some(webhook) = server.webhooks().find(|webhook| predicate(webhook)) else {
                return false;
            };
            // The caller may have stopped waiting.
            sender
                .take()
                .is_none_or(|sender| sender.send(webhook.clone()).is_ok())
        })
        .await?;
        found.try_recv().map_err(|_| Stopped)
    }

    /// Delivers a finished webhook once more, with the same ID and body. Returns `false` if it is
    /// unknown.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn resend_webhook(&self, id: &str) -> Result<bool, Stopped> {
        let id = id.to_owned();
        self.parts
            .engine
            .call(move |core, now| core.server.resend_webhook(now, &id))
            .await
    }

    /// Waits until `predicate` returns `true` for the server. It is called now, and after every
    /// step of the server. Wrap the call in a time-out to fail a test that waits in vain.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use talk_emulator::{Emulator, Seed};
    /// # let lobby = Seed::new("my_app").user("alice", "Alice").conversation("lobby", ["alice"]);
    /// # let lobby = lobby.message("lobby", "alice", "Hello!");
    /// # let emulator = Emulator::builder().initial_data(lobby).start().await?;
    /// emulator.wait_for(|server| server.messages("my_app", "lobby").len() == 1).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn wait_for(
        &self,
        predicate: impl FnMut(&Server) -> bool + Send + 'static,
    ) -> Result<(), Stopped> {
        let fulfilled = self
            .parts
            .engine
            .call(move |core, _| core.wait_for(Box::new(predicate)))
            .await?;
        fulfilled.await.map_err(|_| Stopped)
    }

    /// Calls `look` with the server, between two of its steps, and returns the result.
    ///
    /// # Errors
    ///
    /// Returns an error if the emulator has stopped.
    pub async fn inspect<R: Send + 'static>(
        &self,
        look: impl FnOnce(&Server) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        self.parts
            .engine
            .call(move |core, _| look(&core.server))
            .await
    }

    /// Waits until the emulator stops. Without a call that stops it, that happens only at the end
    /// of its runtime or after a [`failure`](Self::failure).
    pub async fn wait(&self) {
        // The sender never sends: the only result is an error, at the end.
        let _ = self.parts.stopped.clone().changed().await;
    }

    /// Returns the reason why the emulator has stopped by itself: its data folder could not be
    /// written. All acknowledged changes are stored.
    pub fn failure(&self) -> Option<&DataError> {
        self.parts.failure.get()
    }

    /// Stops the emulator and waits until its port is free. Connections are closed with code 1001
    /// and have a second to close. Dropping the emulator does the same without waiting.
    pub async fn shutdown(self) {
        let mut stopped = self.parts.stopped.clone();
        drop(self);
        let _ = stopped.changed().await;
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Emulator")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Assembles an emulator: the parts of its handle, and the future that runs it.
pub(crate) fn assemble(config: Config) -> (Components, impl Future<Output = ()> + Send + 'static) {
    let Config {
        listener,
        address,
        mut server,
        clock,
        files,
        storage,
        control,
        webhook_hosts,
        initial_data,
        stall_timeout,
    } = config;
    server.record_requests(RECORDED_REQUESTS);
    let (engine, task) = Engine::new(EngineConfig {
        server,
        origin: format!("http://{address}"),
        clock,
        storage,
        webhook_hosts,
        initial_data,
    });
    let (gate, gate_state) = watch::channel(AcceptLimiter::default());
    let (stop, stopping) = oneshot::channel();
    let (running, stopped) = watch::channel(());
    let failure = Arc::default();
    let parts = Components {
        address,
        engine: engine.clone(),
        gate,
        _stop: stop,
        stopped,
        failure: Arc::clone(&failure),
    };
    let run = async move {
        let shell = Shell::new(engine.clone(), files);
        let serving = serve(listener, router(shell, control), gate_state, stall_timeout);
        if let Err(error) = run_until_stopped(serving, engine, task, stopping).await {
            // The task fails at most once.
            let _ = failure.set(error);
        }
        drop(running);
    };
    (parts, run)
}

async fn run_until_stopped(
    serving: impl Future<Output = ()>,
    engine: Engine,
    task: EngineTask,
    stopping: oneshot::Receiver<Infallible>,
) -> Result<(), DataError> {
    let mut tasks = JoinSet::new();
    tasks.spawn(task.run());
    tokio::select! {
        () = serving => {}
        _ = stopping => {}
        Some(Ok(Err(error))) = tasks.join_next() => return Err(error),
    }
    let closing = async {
        if let Ok(all_closed) = engine
            .call(|core, _| core.close_connections(GOING_AWAY))
            .await
        {
            let _ = all_closed.await;
        }
    };
    // Connections that do not close in time are cut, also while the data folder cannot be written.
    let _ = timeout(STOP_GRACE, closing).await;
    tasks.shutdown().await;
    Ok(())
}
