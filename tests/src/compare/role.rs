//! The child processes that this program starts to measure them separately.

use anyhow::{Result, bail};
use clap::Subcommand;
use talk_emulator::Emulator;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use super::deliveries::Listener;
use super::many::Crowd;
use super::sending::Sender;
use super::server::PROCESSOR_TIME;
use super::{bare_fan_out, process, scripted};

/// The role of a child process.
#[derive(Debug, Clone, Subcommand)]
pub enum Role {
    /// The server of rows D, F and O
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
    /// The session of row P
    #[command(hide = true)]
    Listener(Listener),
    /// The session of rows O-memory and O-file
    #[command(hide = true)]
    Sender(Sender),
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
            Self::Listener(listener) => listener.listen(lines).await,
            Self::Sender(sender) => sender.send().await,
        }
    }
}

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
