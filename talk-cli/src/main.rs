//! The command `talk`: chat from a terminal, a script or another language.

mod cli;
mod emulator;
mod exit;
mod rpc;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Emulator(options) => emulator::run(options),
        Command::Rpc(options) => rpc::run(&options),
    };
    outcome.unwrap_or_else(|error| exit::report(&error))
}
