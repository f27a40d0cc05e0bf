//! The command line.

use clap::{Parser, Subcommand};

use crate::session_args::SessionArgs;
use crate::{emulator, rpc};

/// Chat from a terminal, a script or another language
#[derive(Debug, Parser)]
#[command(name = "talk", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch two people chat, on an emulator of their own
    Demo,
    /// Run a local TalkJS for tests and development, until Ctrl-C
    Emulator(emulator::Options),
    /// Show what texts become on the wire, one JSON object a line each way
    Markup,
    /// Drive one session over standard input and output, one JSON object a line each way
    Rpc(rpc::Options),
}
