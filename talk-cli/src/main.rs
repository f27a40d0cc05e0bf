//! The command `talk`: chat from a terminal, a script or another language.
//!
//! Talk is an independent, unofficial client. TalkJS is a trademark of its owner. This project is
//! not affiliated with, endorsed or sponsored by it.

mod cli;
mod commands;
mod demo;
mod emulator;
mod exit;
mod files;
mod host;
mod markup;
mod params;
mod rpc;
mod seconds;
mod session_args;
mod session_plan;
mod signals;
mod stdout;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Outcome;

fn main() -> ExitCode {
    run(Cli::parse()).unwrap_or_else(|error| exit::report(&error))
}

fn run(cli: Cli) -> Outcome {
    let session = || cli.session.clone().plan();
    match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Emulator(options) => emulator::run(options),
        Command::Send(options) => commands::run_send(options, session()?),
        Command::Upload(options) => commands::run_upload(options, session()?),
        Command::Messages(options) => commands::run_messages(options, session()?),
        Command::User(options) => commands::run_user(options, session()?),
        Command::Conversations(options) => commands::run_conversations(options, session()?),
        Command::Conversation(options) => commands::run_conversation(options, session()?),
        Command::Participant(options) => commands::run_participant(options, session()?),
        Command::Message(options) => commands::run_message(options, session()?),
        Command::Reaction(options) => commands::run_reaction(options, session()?),
        Command::Search(options) => commands::run_search(options, session()?),
        Command::Token(options) => commands::run_token(options, &cli.session),
        Command::Rpc(options) => rpc::run(&options, session()?),
        Command::Markup => markup::run(),
    }
}
