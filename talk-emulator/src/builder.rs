use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

use crate::Emulator;
use crate::emulator::Parts;
use crate::server::{Server, Settings};
use crate::shell::Clock;

/// How an [`Emulator`] is to be; [`Emulator::builder`] makes one.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct EmulatorBuilder {
    port: u16,
    settings: Settings,
    seed: Option<u64>,
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
    /// The system has no randomness to give.
    #[error("the system gives no randomness ({0}); set a seed")]
    Randomness(getrandom::Error),
    /// The system refuses a thread or what a runtime needs.
    #[error("cannot start a thread with a runtime: {0}")]
    Thread(#[source] io::Error),
    /// The emulator's thread ended before it listened.
    #[error("the emulator's thread ended before it listened; this is a bug in the emulator")]
    Died,
}

impl EmulatorBuilder {
    /// The port to listen on, on 127.0.0.1 alone. 0, the default, takes any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// What the emulator allows; the documented defaults otherwise.
    ///
    /// An `origin` left at its default becomes the emulator's own address.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Makes ids and tokens the same in every run. Without it they come from the system's
    /// randomness.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Starts the emulator on the tokio runtime that this is called on. It stops when that runtime
    /// does.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let (parts, run) = self.prepare().await?;
        tokio::spawn(run);
        Ok(Emulator::new(parts))
    }

    /// Starts the emulator on a thread and a runtime of its own, for code that has no tokio
    /// runtime. The emulator's methods can be awaited on any executor.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on, or the system has no thread left.
    pub fn start_blocking(self) -> Result<Emulator, StartError> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let (started, start) = oneshot::channel();
        std::thread::Builder::new()
            .name("talk-emulator".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    match self.prepare().await {
                        Ok((parts, run)) => {
                            if started.send(Ok(parts)).is_ok() {
                                run.await;
                            }
                        }
                        Err(error) => drop(started.send(Err(error))),
                    }
                });
            })
            .map_err(StartError::Thread)?;
        let parts = start.blocking_recv().map_err(|_| StartError::Died)??;
        Ok(Emulator::new(parts))
    }

    async fn prepare(
        mut self,
    ) -> Result<(Parts, impl Future<Output = ()> + Send + 'static), StartError> {
        let port = self.port;
        let listen = |source| StartError::Listen { port, source };
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(wanted).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        if self.settings.origin == Settings::default().origin {
            self.settings.origin = format!("http://{address}");
        }
        let seed = match self.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(StartError::Randomness)?,
        };
        let clock = Clock::start();
        let server = Server::new(self.settings, seed, clock.now());
        Ok(crate::emulator::assemble(listener, address, server, clock))
    }
}
