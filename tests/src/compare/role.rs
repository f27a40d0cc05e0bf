//! The child processes that this program starts to measure them separately.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use talk_emulator::Emulator;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use super::many::Crowd;
use super::{bare_fan_out, process, scripted};
use crate::child::Child;

/// The role of a child process.
#[derive(Debug, Clone, Subcommand)]
pub enum Role {
    /// The server of rows D and F
    #[command(hide = true)]
    Scripted,
    /// The emulator
    #[command(hide = true)]
    Emulator,
    /// The server that row H compares with the emulator
    #[command(hide = true)]
    FanOut,
    /// The sessions of row G
    #[command(hide = true)]
    Crowd(Crowd),
}

impl Role {
    /// Runs the role until the input ends.
    pub(super) async fn play(self) -> Result<()> {
        let lines = BufReader::new(tokio::io::stdin()).lines();
        match self {
            Self::Scripted => scripted::serve(lines).await,
            Self::Emulator => {
                let emulator = Emulator::start().await?;
                println!("{}", emulator.host());
                answer_processor_time(lines).await
            }
            Self::FanOut => {
                println!("{}", bare_fan_out::start().await?);
                answer_processor_time(lines).await
            }
            Self::Crowd(crowd) => crowd.gather(lines).await,
        }
    }
}

/// The line that requests the processor time of a process.
const PROCESSOR_TIME: &str = "processor time";

/// Answers requests for the processor time.
pub(super) async fn answer_processor_time(mut lines: Lines<BufReader<Stdin>>) -> Result<()> {
    while let Some(line) = lines.next_line().await? {
        if line != PROCESSOR_TIME {
            bail!("unknown: {line}");
        }
        println!("{}", process::processor_time()?.as_nanos());
    }
    Ok(())
}

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
