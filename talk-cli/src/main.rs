//! The command `talk`: chat from a terminal, a script or another language.

mod cli;
mod demo;
mod emulator;
mod exit;
mod markup;
mod rpc;
mod session_args;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Outcome;

fn main() -> ExitCode {
    run(Cli::parse()).unwrap_or_else(|error| exit::report(&error))
}

fn run(cli: Cli) -> Outcome {
    match cli.command {
        Command::Demo => demo::run(),
        Command::Emulator(options) => emulator::run(options),
        Command::Markup => markup::run(),
        Command::Rpc(options) => rpc::run(&options, cli.session.options()?),
    }
}
