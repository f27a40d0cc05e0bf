//! Servers in child processes.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::child::Child;

/// The line that requests the processor time of a process.
pub(super) const PROCESSOR_TIME: &str = "processor time";

/// A server in a child process.
pub(super) struct Server {
    process: Child,
    /// The server's address: `127.0.0.1:PORT`.
    pub(super) host: String,
}

impl Server {
    /// Starts this program in a role without arguments.
    pub(super) async fn start(role: &str) -> Result<Self> {
        let mut process = Child::start(&[role])?;
        let host = process.read_line().await?;
        Ok(Self { process, host })
    }

    /// Sends a line that has no answer.
    pub(super) async fn order(&mut self, line: &str) -> Result<()> {
        self.process.write_line(line).await
    }

    /// Sends a line and returns the line of the answer.
    pub(super) async fn ask(&mut self, line: &str) -> Result<String> {
        self.process.ask(line).await
    }

    /// Returns the processor time of the server.
    pub(super) async fn processor_time(&mut self) -> Result<Duration> {
        nanoseconds(&self.ask(PROCESSOR_TIME).await?)
    }
}

/// Parses a duration in nanoseconds.
pub(super) fn nanoseconds(line: &str) -> Result<Duration> {
    let nanos = line.parse().with_context(|| format!("no time: {line}"))?;
    Ok(Duration::from_nanos(nanos))
}
