use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc;

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::spawn_blocking;

use crate::Emulator;
use crate::emulator::{Components, Config};
use crate::server::{Server, Settings};
use crate::shell::{Clock, DataError, Files, Persisted, Storage};

/// How an [`Emulator`] is to be; [`Emulator::builder`] makes one.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct EmulatorBuilder {
    port: u16,
    settings: Option<Settings>,
    seed: Option<u64>,
    data: Option<PathBuf>,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port cannot be listened on.
    #[error(
        "cannot listen on port {port} of 127.0.0.1 ({source}); free it or choose another, 0 for any"
    )]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}: {source}", folder.display())]
    Data {
        /// The folder that was asked for.
        folder: PathBuf,
        /// What is wrong with it.
        source: Box<DataError>,
    },
    /// The system has no randomness to give.
    #[error("the system gives no randomness ({0}); set a seed")]
    Randomness(getrandom::Error),
    /// The system refuses a thread or what a runtime needs.
    #[error("cannot start a thread with a runtime: {0}")]
    Thread(#[source] io::Error),
    /// The emulator's thread ended before it listened.
    #[error("the emulator's thread ended before it listened; this is a bug in the emulator")]
    ThreadExited,
}

impl EmulatorBuilder {
    /// The port to listen on, on 127.0.0.1 alone. 0, the default, takes any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// What the emulator allows; the documented defaults otherwise.
    ///
    /// An `origin` left at its default becomes the emulator's own address. Settings given here
    /// replace those that a [folder](Self::data) holds.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Makes ids and tokens the same in every run. Without it they come from the system's
    /// randomness.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps everything in this folder, which is made if it is not there, and goes on from what it
    /// holds: `talk.sqlite` with apps, users, conversations, messages, what is known of files, and
    /// the settings in force; `files/` with the bytes of files.
    ///
    /// What the emulator has acknowledged survives the sudden death of its process (`kill -9`);
    /// the last moments before a machine loses its power may be lost, and nothing else. Sessions,
    /// typing and injected faults are not kept.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Starts the emulator on the tokio runtime that this is called on. It stops when that runtime
    /// does.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on, or the data folder cannot be used.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let (parts, run) = self.prepare().await?;
        tokio::spawn(run);
        Ok(Emulator::new(parts))
    }

    /// Starts the emulator on a thread and a runtime of its own, for code that has no tokio
    /// runtime. The emulator's methods can be awaited on any executor.
    ///
    /// On a thread of a runtime it works too, but holds that thread up until the emulator listens:
    /// there, [`start`](Self::start) is the better way.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on, the data folder cannot be used, or the system has no
    /// thread left.
    pub fn start_blocking(self) -> Result<Emulator, StartError> {
        // Not tokio's channel: to wait on that is forbidden on a thread of a runtime.
        let (started, start) = mpsc::channel();
        std::thread::Builder::new()
            .name("talk-emulator".to_owned())
            .spawn(move || self.run_blocking(&started))
            .map_err(StartError::Thread)?;
        let parts = start.recv().map_err(|_| StartError::ThreadExited)??;
        Ok(Emulator::new(parts))
    }

    /// Runs the emulator until it stops, having told how its start went.
    fn run_blocking(self, started: &mpsc::Sender<Result<Components, StartError>>) {
        // Whoever started it may have given up.
        let tell = |result| started.send(result).is_ok();
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                tell(Err(StartError::Thread(error)));
                return;
            }
        };
        runtime.block_on(async {
            match self.prepare().await {
                Ok((parts, run)) => {
                    if tell(Ok(parts)) {
                        run.await;
                    }
                }
                Err(error) => {
                    tell(Err(error));
                }
            }
        });
    }

    async fn prepare(
        self,
    ) -> Result<(Components, impl Future<Output = ()> + Send + 'static), StartError> {
        let port = self.port;
        let listen = |source| StartError::Listen { port, source };
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(wanted).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let seed = match self.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(StartError::Randomness)?,
        };
        let clock = Clock::start();
        let (server, files, storage) = match self.data {
            None => {
                let settings = at(address, self.settings.unwrap_or_default());
                (
                    Server::new(settings, seed, clock.now()),
                    Files::default(),
                    None,
                )
            }
            Some(folder) => {
                let wrong = |error: DataError| StartError::Data {
                    folder: folder.clone(),
                    source: Box::new(error),
                };
                let kept = open(folder.clone()).await.map_err(wrong)?;
                let settings = self.settings.or(kept.settings).unwrap_or_default();
                let settings = at(address, settings);
                let mut server = Server::restore(settings, seed, clock.now(), kept.records)
                    .map_err(|error| wrong(error.into()))?;
                // What is in force now, and a folder that cannot be written, are found out first.
                let changes = server.take_changes();
                kept.storage.commit(changes).await.map_err(wrong)?;
                (server, kept.files, Some(kept.storage))
            }
        };
        Ok(crate::emulator::assemble(Config {
            listener,
            address,
            server,
            clock,
            files,
            storage,
        }))
    }
}

async fn open(folder: PathBuf) -> Result<Persisted, DataError> {
    let opened = spawn_blocking(move || Storage::open(&folder)).await;
    opened.map_err(io::Error::other)?
}

/// The settings with an origin that leads here. One on this machine is an emulator's own, from an
/// earlier run perhaps.
fn at(address: SocketAddr, mut settings: Settings) -> Settings {
    if settings.origin.starts_with(&Settings::default().origin) {
        settings.origin = format!("http://{address}");
    }
    settings
}
