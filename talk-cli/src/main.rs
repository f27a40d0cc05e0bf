//! The command `talk`: chat from a terminal, a script or another language.

mod cli;
mod rpc;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Rpc(options) => rpc::run(&options),
    }
}
