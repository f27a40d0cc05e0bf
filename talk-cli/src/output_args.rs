//! The flags for the output and the time limit of every command.

use std::time::Duration;

use clap::ArgAction;

use crate::seconds::seconds;

/// The flags for the output and the time limit.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Common {
    /// Print one JSON object per line: results on standard output, errors and notices on standard
    /// error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The time limit of an answer in seconds [default: 30; none for `rpc`, `bot` and `outbox
    /// send`]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Log the connection on standard error; -vv also logs calls, requests and the sizes of frames.
    /// An emulator logs its connections and requests. Tokens and texts are not logged
    #[arg(short = 'v', long = "verbose", global = true, action = ArgAction::Count)]
    pub(crate) verbosity: u8,
}
