//! The command `talk`: chat from a terminal, a script or another language.

// These macros panic if the output cannot be written.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod bot;
mod cli;
mod commands;
mod control;
mod demo;
mod emulator;
mod exit;
mod failure;
mod files;
mod host;
mod json;
mod logging;
mod man;
mod markup;
mod output_args;
mod params;
#[cfg(test)]
mod reference;
mod rpc;
mod seconds;
mod session_args;
mod session_plan;
mod signals;
mod stdout;
mod store;
mod terminal;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::exit::Outcome;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return exit::report_usage(&error),
    };
    logging::init(cli.common.verbosity);
    let json = cli.common.json;
    run(cli).unwrap_or_else(|error| exit::report(&error, json))
}

fn run(cli: Cli) -> Outcome {
    let common = cli.common;
    let session = || cli.session.clone().plan(common);
    match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Emulator(options) => emulator::run(options),
        Command::Fault(options) => control::run_fault(options, &cli.session, common),
        Command::Snapshot(options) => control::run_snapshot(options, &cli.session, common),
        Command::Clock(options) => control::run_clock(options, &cli.session, common),
        Command::Send(options) => commands::run_send(options, session()?),
        Command::Upload(options) => commands::run_upload(options, session()?),
        Command::Messages(options) => commands::run_messages(options, session()?),
        Command::User(options) => commands::run_user(options, session()?),
        Command::Conversations(options) => commands::run_conversations(options, session()?),
        Command::Conversation(options) => commands::run_conversation(options, session()?),
        Command::Participant(options) => commands::run_participant(options, session()?),
        Command::Message(options) => commands::run_message(options, session()?),
        Command::Reaction(options) => commands::run_reaction(options, session()?),
        Command::Outbox(options) => commands::run_outbox(options, session()?),
        Command::Search(options) => commands::run_search(options, session()?),
        Command::Token(options) => commands::run_token(options, &cli.session, common.json),
        Command::Bot(options) => bot::run(options, session()?),
        Command::Rpc(options) => rpc::run(&options, session()?),
        Command::Markup => markup::run(),
        Command::Completions(options) => man::print_completions(&options),
        Command::Man(options) => man::print_pages(&options),
    }
}
