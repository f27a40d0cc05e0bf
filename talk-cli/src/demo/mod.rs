//! `talk demo`: a short conversation between two users on a private emulator.

mod script;
mod stage;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use talk_emulator::Emulator;
use tokio::time::timeout;

use self::stage::Stage;
use crate::exit::{CliError, Outcome, runtime};
use crate::terminal::Style;

/// The time after which the demo fails. Without pauses it takes a fraction of a second.
const TIME_LIMIT: Duration = Duration::from_secs(40);

/// The pause before each line on a terminal. All pauses together take ten seconds.
const PAUSE: Duration = Duration::from_millis(850);

/// The arguments of `talk demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Do not pause between messages (default without a terminal)
    #[arg(long)]
    fast: bool,
}

/// Plays the conversation. Every printed event has arrived at the other user.
pub(crate) fn run(options: &Options) -> Outcome {
    let pause = match options.fast || !io::stdout().is_terminal() {
        true => Duration::ZERO,
        false => PAUSE,
    };
    runtime()?.block_on(async {
        let emulator = Emulator::start().await?;
        let play = async {
            let mut stage = Stage::new(emulator.host(), Style::of_stdout(), pause)?;
            script::play(&mut stage, emulator.url()).await?;
            stage.close().await;
            Ok(ExitCode::SUCCESS)
        };
        let outcome = timeout(TIME_LIMIT, play).await;
        emulator.shutdown().await;
        outcome.unwrap_or(Err(CliError::Demo))
    })
}
