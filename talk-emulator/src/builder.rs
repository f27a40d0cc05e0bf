use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use talk_proto::Secret;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::spawn_blocking;

use crate::emulator::{self, Components, Config, Emulator};
use crate::server::{Seed, SeedError, Server, Settings, Timestamp, WebhookSettings};
use crate::shell::{
    Clock, ControlAccess, DEFAULT_STALL_TIMEOUT, DataError, Files, Persisted, StallHook, Storage,
    StoredRecords, WebhookAddressError, WebhookHosts, complete_webhook_key,
};

/// The options of an [`Emulator`], created by [`Emulator::builder`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct EmulatorBuilder {
    bind: Option<IpAddr>,
    port: u16,
    settings: Option<Settings>,
    secret: Option<Secret>,
    seed: Option<u64>,
    initial_data: Option<Seed>,
    data: Option<PathBuf>,
    on_stall: Option<StallHook>,
    control_hosts: Vec<String>,
    control_token: Option<Secret>,
    webhooks: Option<WebhookSettings>,
    webhook_hosts: WebhookHosts,
    stall_timeout: Option<Duration>,
}

/// The reason why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on port {} of {} ({cause}); free it or choose another, 0 for any",
        address.port(),
        address.ip()
    )]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The cause.
        cause: io::Error,
    },
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}: {cause}", folder.display())]
    Data {
        /// The requested folder.
        folder: PathBuf,
        /// The cause.
        cause: Box<DataError>,
    },
    /// The initial data cannot be stored.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// A control host needs a control token.
    #[error("a control host needs a control token; set one that is hard to guess")]
    ControlToken,
    /// The address of the webhooks cannot be used.
    #[error(transparent)]
    Webhook(#[from] WebhookAddressError),
    /// The system provides no randomness.
    #[error("the system gives no randomness ({0}); set a seed")]
    Randomness(getrandom::Error),
    /// The system refuses a thread or the resources of a runtime.
    #[error("cannot start a thread with a runtime: {0}")]
    Thread(io::Error),
    /// The caller is outside of a tokio runtime.
    #[error("there is no tokio runtime here; call from inside one, or use start_blocking")]
    NoRuntime,
    /// The emulator's thread ended before it listened.
    #[error("the emulator's thread ended before it listened; this is a bug in the emulator")]
    ThreadExited,
}

impl EmulatorBuilder {
    /// Sets the address to listen on. The default is 127.0.0.1, which only this machine reaches.
    ///
    /// On any other address, other machines can read and change all data, unless the settings have
    /// a secret.
    pub fn bind(mut self, address: impl Into<IpAddr>) -> Self {
        self.bind = Some(address.into());
        self
    }

    /// Sets the port. 0, the default, takes any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the settings. The default is the settings stored in a [folder](Self::data), or else the
    /// documented defaults of the service.
    ///
    /// An `origin` left at its default becomes the emulator's own address. These settings replace
    /// all stored settings. [`secret`](Self::secret) and [`webhooks`](Self::webhooks) replace only
    /// theirs.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Sets the secret key, in place of that of the [settings](Self::settings).
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets the seed of IDs and tokens, so that every run creates the same ones. The default is a
    /// random seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the users, conversations and messages to start with. They are not stored if their app
    /// has users already, in the folder of [`data`](Self::data).
    pub fn initial_data(mut self, data: Seed) -> Self {
        self.initial_data = Some(data);
        self
    }

    /// Stores all data in this folder and continues with the data found there. The folder is
    /// created if it does not exist: `talk.sqlite` holds apps, users, conversations, messages,
    /// file metadata and the settings; `files/` holds the contents of files.
    ///
    /// Acknowledged changes survive a crash of the process (`kill -9`). A power failure may lose
    /// the last moments, but nothing older. Sessions, typing and injected faults are not stored.
    ///
    /// New folders are readable by their owner only.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Sets a callback for a data folder that cannot be written at the moment, because another
    /// process holds the database or the disk is full, and with `None` for its recovery.
    ///
    /// Requests wait meanwhile, and nothing is lost. The callback must not block.
    pub fn on_stall(mut self, hook: impl Fn(Option<&DataError>) + Send + Sync + 'static) -> Self {
        self.on_stall = Some(StallHook(Arc::new(hook)));
        self
    }

    /// Sets the time after which a connection without progress is cut: its peer does not receive
    /// the unsent bytes, or does not complete a request or a message. The default is 60 seconds.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = Some(timeout);
        self
    }

    /// Allows another host name for the control API at `/_emulator/`, besides `localhost` and the
    /// loopback addresses: the name under which a proxy or a container publishes the emulator.
    /// Requests from other machines, and from outside of a container, need their host name here,
    /// even if it is `localhost`.
    ///
    /// Needs a [`control_token`](Self::control_token).
    pub fn control_host(mut self, name: impl Into<String>) -> Self {
        self.control_hosts.push(name.into());
        self
    }

    /// Sets the token for control requests under the names of
    /// [`control_host`](Self::control_host), sent as `Authorization: Bearer TOKEN`.
    pub fn control_token(mut self, token: impl Into<Secret>) -> Self {
        self.control_token = Some(token.into());
        self
    }

    /// Sets the webhooks, in place of those of the [settings](Self::settings). Only an absent
    /// secret is taken from there.
    ///
    /// Without a secret in these settings and in the others, the emulator creates a key for the
    /// signatures. [`Emulator::settings`] returns it. It stays the same while the
    /// [folder](Self::data) exists.
    pub fn webhooks(mut self, webhooks: WebhookSettings) -> Self {
        self.webhooks = Some(webhooks);
        self
    }

    /// Allows webhooks to other hosts than this machine.
    pub fn webhook_any(mut self) -> Self {
        self.webhook_hosts = WebhookHosts::Any;
        self
    }

    /// Starts the emulator on the current tokio runtime. It stops with that runtime. Code on
    /// another runtime uses [`start_blocking`](Self::start_blocking).
    ///
    /// # Errors
    ///
    /// Returns an error if the port cannot be listened on, the data folder or the address of the
    /// webhooks cannot be used, or there is no tokio runtime.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let runtime = runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let (parts, run) = self.prepare().await?;
        runtime.spawn(run);
        Ok(Emulator::new(parts))
    }

    /// Starts the emulator on its own thread and runtime, for code without a tokio runtime. The
    /// emulator's methods can be awaited on any executor.
    ///
    /// Inside a runtime, use [`start`](Self::start): this method blocks the thread until the
    /// emulator listens.
    ///
    /// # Errors
    ///
    /// Returns an error if the port cannot be listened on, the data folder cannot be used, or the
    /// system has no thread left.
    pub fn start_blocking(self) -> Result<Emulator, StartError> {
        // Tokio's channel cannot be waited on inside a runtime.
        let (started, start) = mpsc::channel();
        std::thread::Builder::new()
            .name("talk-emulator".to_owned())
            .spawn(move || self.run_blocking(&started))
            .map_err(StartError::Thread)?;
        let parts = start.recv().map_err(|_| StartError::ThreadExited)??;
        Ok(Emulator::new(parts))
    }

    /// Sends the result of the start, then runs the emulator until it stops.
    fn run_blocking(self, started: &mpsc::Sender<Result<Components, StartError>>) {
        // The caller may have stopped waiting.
        let report = |result| started.send(result).is_ok();
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                report(Err(StartError::Thread(error)));
                return;
            }
        };
        runtime.block_on(async {
            match self.prepare().await {
                Ok((parts, run)) => {
                    if report(Ok(parts)) {
                        run.await;
                    }
                }
                Err(error) => {
                    report(Err(error));
                }
            }
        });
    }

    async fn prepare(
        self,
    ) -> Result<(Components, impl Future<Output = ()> + Send + 'static), StartError> {
        let token = self
            .control_token
            .filter(|token| !token.expose().is_empty());
        if !self.control_hosts.is_empty() && token.is_none() {
            return Err(StartError::ControlToken);
        }
        let control = ControlAccess {
            hosts: self.control_hosts.into(),
            token: token.map(|token| token.expose().into()),
        };
        let address = self.bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let address = SocketAddr::new(address, self.port);
        let listen = |cause| StartError::Listen { address, cause };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = reachable(listener.local_addr().map_err(listen)?);
        let seed = match self.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(StartError::Randomness)?,
        };
        let mut clock = Clock::new();
        let origin = format!("http://{address}");
        let complete = |mut settings: Settings, earlier: Option<&Settings>| {
            if let Some(secret) = &self.secret {
                settings.secret = Some(secret.expose().to_owned());
                // A key is created only if there is no secret.
                if settings.webhooks.has_created_secret() {
                    settings.webhooks.secret = None;
                }
            }
            if let Some(mut webhooks) = self.webhooks.clone() {
                webhooks.secret = webhooks.secret.or(settings.webhooks.secret);
                settings.webhooks = webhooks;
            }
            if let Some(url) = &settings.webhooks.url {
                self.webhook_hosts.check(url)?;
            }
            let settings = settings.at_start(&origin);
            complete_webhook_key(settings, earlier).map_err(StartError::Randomness)
        };
        let initial_data = |server: &mut Server, now| match &self.initial_data {
            Some(data) => server.seed(now, data).map(drop),
            None => Ok(()),
        };
        let (server, files, storage) = match self.data {
            None => {
                let settings = complete(self.settings.unwrap_or_default(), None)?;
                let mut server = Server::new(settings, seed, clock.now());
                initial_data(&mut server, clock.now())?;
                (server, Files::default(), None)
            }
            Some(folder) => {
                let wrong = |error: DataError| StartError::Data {
                    folder: folder.clone(),
                    cause: Box::new(error),
                };
                let kept = open(folder.clone(), self.on_stall).await.map_err(wrong)?;
                let settings = self.settings.or_else(|| kept.settings.clone());
                let settings = complete(settings.unwrap_or_default(), kept.settings.as_ref())?;
                let restored = restore(settings, seed, clock.now(), kept.records).await;
                let mut server = restored.map_err(wrong)?;
                initial_data(&mut server, clock.now())?;
                // The first commit stores the settings and detects a folder that cannot be
                // written.
                let changes = server.take_changes();
                kept.storage.try_commit(changes).await.map_err(wrong)?;
                (server, kept.files, Some(kept.storage))
            }
        };
        Ok(emulator::assemble(Config {
            listener,
            address,
            server,
            clock,
            files,
            storage,
            control,
            webhook_hosts: self.webhook_hosts,
            initial_data: self.initial_data,
            stall_timeout: self.stall_timeout.unwrap_or(DEFAULT_STALL_TIMEOUT),
        }))
    }
}

/// Returns an address that clients on this machine can connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

async fn restore(
    settings: Settings,
    seed: u64,
    now: Timestamp,
    records: StoredRecords,
) -> Result<Server, DataError> {
    let restore = move || Server::restore_parts(settings, seed, now, records);
    let restored = spawn_blocking(restore).await;
    restored.map_err(io::Error::other)?
}

async fn open(folder: PathBuf, on_stall: Option<StallHook>) -> Result<Persisted, DataError> {
    let opened = spawn_blocking(move || Storage::open(&folder, on_stall)).await;
    opened.map_err(io::Error::other)?
}
