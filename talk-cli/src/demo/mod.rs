//! `talk demo`: a short conversation between two people, on an emulator of its own.

mod script;
mod stage;

use std::process::ExitCode;
use std::time::Duration;

use talk_emulator::Emulator;
use tokio::time::timeout;

use self::stage::Stage;
use crate::exit::{CliError, Outcome, runtime};
use crate::terminal::Style;

/// It takes a fraction of a second; after this long something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Plays the conversation. Everything that is printed is what arrived at the other one's side.
pub(crate) fn run() -> Outcome {
    runtime()?.block_on(async {
        let emulator = Emulator::start().await?;
        let play = async {
            let mut stage = Stage::new(emulator.host(), Style::of_stdout())?;
            script::play(&mut stage, emulator.url()).await?;
            stage.close().await;
            Ok(ExitCode::SUCCESS)
        };
        let outcome = timeout(PATIENCE, play).await;
        emulator.shutdown().await;
        outcome.unwrap_or(Err(CliError::Demo))
    })
}
