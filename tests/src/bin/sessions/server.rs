//! The emulator and the TLS proxies in child processes.

use std::time::Duration;

use anyhow::Result;
use talk_emulator::Emulator;
use talk_tests::Child;
use talk_tokio::net::TlsOptions;
use talk_tokio::{Addresses, TalkOptions};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::tls::Identity;

/// The sessions per TLS process. Each session takes two of its sockets.
const SESSIONS_PER_TLS: usize = 5_000;

/// The servers of the sessions.
pub(crate) struct Servers {
    emulator: Process,
    tls: Vec<Process>,
    options: TlsOptions,
}

/// A child process that ends when its input ends.
struct Process {
    child: Child,
    /// The process's address: `127.0.0.1:PORT`.
    host: String,
}

impl Servers {
    /// Starts an emulator and, if `with_tls` is set, enough TLS proxies for the sessions.
    pub(crate) async fn start(sessions: usize, with_tls: bool) -> Result<Self> {
        let emulator = Process::start(&["server", "--port", "0"], "").await?;
        let mut servers = Self {
            emulator,
            tls: Vec::new(),
            options: TlsOptions::default(),
        };
        if with_tls {
            let identity = Identity::new()?;
            servers.options = TlsOptions::with_extra_roots(identity.certificate.as_bytes())?;
            for _ in 0..sessions.div_ceil(SESSIONS_PER_TLS) {
                let args = ["tls", "--to", &servers.emulator.host];
                let process = Process::start(&args, &identity.to_json()?).await?;
                servers.tls.push(process);
            }
        }
        Ok(servers)
    }

    /// Returns the options of the session with this number.
    pub(crate) fn options(&self, number: usize) -> Result<TalkOptions> {
        let options = TalkOptions::new("sessions", format!("user {number}"))?;
        if self.tls.is_empty() {
            return Ok(options.host(&self.emulator.host));
        }
        let host = &self.tls[number % self.tls.len()].host;
        let mut addresses = Addresses::default();
        addresses.realtime = format!("wss://{host}/public_api/v1");
        addresses.rest = format!("https://{host}/public_api/v1");
        addresses.internal = format!("https://{host}/api/v0");
        Ok(options.addresses(addresses).tls(self.options.clone()))
    }

    /// Announces a restart and closes all connections.
    pub(crate) async fn restart_planned(&mut self) -> Result<()> {
        self.emulator.child.write_line("restart").await
    }

    /// Kills the server and starts it again on the same port after a while.
    pub(crate) async fn restart_unplanned(&mut self, after: Duration) -> Result<()> {
        self.emulator.child.kill().await?;
        tokio::time::sleep(after).await;
        let port = self.emulator.host.rsplit(':').next().unwrap_or_default();
        self.emulator = Process::start(&["server", "--port", port], "").await?;
        Ok(())
    }
}

impl Process {
    /// Starts this program in another role. The first line of its output is its address.
    async fn start(args: &[&str], first_line: &str) -> Result<Self> {
        let mut child = Child::start(args)?;
        let host = child.ask(first_line).await?;
        Ok(Self { child, host })
    }
}

/// Runs the emulator until the input ends. The line `restart` announces a restart.
pub(crate) async fn run(port: u16) -> Result<()> {
    let emulator = Emulator::builder().port(port).start().await?;
    println!("{}", emulator.host());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if line == "restart" {
            emulator.restart(true).await?;
        }
    }
    Ok(())
}
