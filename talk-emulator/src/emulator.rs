use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

use crate::server::{Fault, FaultKind, Server, Settings};
use crate::shell::{
    AcceptLimiter, Clock, DataError, Engine, EngineTask, Files, Shell, Stopped, Storage, router,
    serve,
};
use crate::{EmulatorBuilder, StartError};

/// The close code of a server that goes away (RFC 6455, 7.4.1).
const GOING_AWAY: u16 = 1001;

/// How long connections have to close when the emulator stops.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// A local TalkJS, listening on 127.0.0.1.
///
/// It stops when it is dropped. What it knows goes with it, unless it was given a
/// [folder](EmulatorBuilder::data). Its methods need no particular runtime.
pub struct Emulator {
    parts: Components,
    url: String,
}

/// What a handle needs of a running emulator.
pub(crate) struct Components {
    address: SocketAddr,
    engine: Engine,
    gate: watch::Sender<AcceptLimiter>,
    /// Dropping it stops the emulator.
    _stop: oneshot::Sender<Infallible>,
    stopped: watch::Receiver<()>,
    failure: Arc<OnceLock<DataError>>,
}

/// What an emulator is made from.
pub(crate) struct Config {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    pub(crate) files: Files,
    pub(crate) storage: Option<Storage>,
}

impl Emulator {
    /// Starts an emulator with the documented defaults on a free port, on the tokio runtime that
    /// this is called on.
    ///
    /// # Errors
    ///
    /// When the system has no port or no randomness to give.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// As [`start`](Self::start), on a thread and a runtime of its own.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), or when the system has no thread left.
    pub fn start_blocking() -> Result<Self, StartError> {
        Self::builder().start_blocking()
    }

    /// An emulator with another port, other settings, or a seed.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    pub(crate) fn new(parts: Components) -> Self {
        let url = format!("http://{}", parts.address);
        Self { parts, url }
    }

    /// What a client's `host` option takes: `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Where the emulator is: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.parts.address.port()
    }

    /// The settings in force.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
    pub async fn settings(&self) -> Result<Settings, Stopped> {
        self.inspect(|server| server.settings().clone()).await
    }

    /// Replaces the settings, for connections that are open too.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
    pub async fn set_settings(&self, settings: Settings) -> Result<(), Stopped> {
        self.parts
            .engine
            .call(move |core, now| core.server.set_settings(now, settings))
            .await
    }

    /// Lets something go wrong.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
    pub async fn inject(&self, fault: Fault) -> Result<(), Stopped> {
        self.parts
            .engine
            .call(move |core, now| core.server.inject(now, fault))
            .await
    }

    /// Says something in a conversation as the app itself, as a back end does: a system message, of
    /// which `text` is taken literally. Its id; `None` when there is no such conversation.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
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

    /// Cuts every connection without a word, WebSockets, uploads and downloads alike, as a failing
    /// network does.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
    pub async fn drop_connections(&self) -> Result<(), Stopped> {
        self.parts.gate.send_modify(|gate| gate.generation += 1);
        self.parts
            .engine
            .call(|core, now| core.drop_connections(now))
            .await
    }

    /// While `refuse` holds, new connections are closed before a byte of theirs is read. Those that
    /// are open stay.
    pub fn refuse_connections(&self, refuse: bool) {
        self.parts.gate.send_modify(|gate| gate.refuse = refuse);
    }

    /// Restarts the server: a planned restart is announced to the clients first, another one looks
    /// like a crash. What is stored stays.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
    pub async fn restart(&self, planned: bool) -> Result<(), Stopped> {
        if planned {
            self.inject(Fault::new(FaultKind::Restart)).await
        } else {
            self.drop_connections().await
        }
    }

    /// Ends the session of every connection as if its token had expired.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
    pub async fn expire_tokens(&self) -> Result<(), Stopped> {
        self.inject(Fault::new(FaultKind::TokenExpiry)).await
    }

    /// Reads the server's truth, between two of its steps.
    ///
    /// # Errors
    ///
    /// When the emulator has stopped.
    pub async fn inspect<R: Send + 'static>(
        &self,
        look: impl FnOnce(&Server) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        self.parts
            .engine
            .call(move |core, _| look(&core.server))
            .await
    }

    /// Waits until the emulator stops, which it does on its own only with its runtime, or with a
    /// [`failure`](Self::failure).
    pub async fn wait(&self) {
        // Nothing is ever sent: an error is the one thing that comes.
        let _ = self.parts.stopped.clone().changed().await;
    }

    /// Why the emulator has stopped on its own: its data folder could not be written. What it had
    /// acknowledged by then is there.
    pub fn failure(&self) -> Option<&DataError> {
        self.parts.failure.get()
    }

    /// Stops the emulator and waits until its port is free: it closes its connections with code
    /// 1001 and gives them a second for it. Dropping the emulator does the same without waiting.
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

/// Puts an emulator together: a handle's parts, and the future that is the emulator.
pub(crate) fn assemble(config: Config) -> (Components, impl Future<Output = ()> + Send + 'static) {
    let Config {
        listener,
        address,
        server,
        clock,
        files,
        storage,
    } = config;
    let (engine, task) = Engine::new(server, clock, storage);
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
        let serving = serve(listener, router(shell), gate_state);
        if let Err(error) = run_until_stopped(serving, engine, task, stopping).await {
            // It fails but once.
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
    if let Ok(gone) = engine
        .call(|core, _| core.close_connections(GOING_AWAY))
        .await
    {
        // Whoever does not close in time is cut.
        let _ = timeout(STOP_GRACE, gone).await;
    }
    tasks.shutdown().await;
    Ok(())
}
