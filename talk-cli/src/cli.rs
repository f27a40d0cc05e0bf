//! The command line.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    ConversationOptions, ConversationsOptions, MessageOptions, MessagesOptions, OutboxOptions,
    ParticipantOptions, ReactionOptions, SearchOptions, SendOptions, TokenOptions, UploadOptions,
    UserOptions,
};
use crate::control::{ClockOptions, FaultOptions, SnapshotOptions};
use crate::output_args::Common;
use crate::session_args::SessionArgs;
use crate::{bot, demo, emulator, man, markup, rpc};

/// The text at the end of `talk --help`.
const AFTER_HELP: &str = "\
Exit codes: 0 success, 1 failure, 2 wrong arguments, 128 + N stopped by signal N.
Environment: TALK_APP, TALK_USER, TALK_HOST, TALK_TOKEN, TALK_SECRET, TALK_CONTROL_TOKEN, NO_COLOR,
HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY.";

/// The commands without a session, and the global flags that they still use.
const WITHOUT_SESSION: [(&str, &[&str]); 9] = [
    ("demo", &[]),
    ("emulator", &["json"]),
    ("fault", &["host", "plain", "json", "timeout"]),
    ("snapshot", &["host", "plain", "json", "timeout"]),
    ("clock", &["host", "plain", "json", "timeout"]),
    ("token", &["app", "user", "token", "json"]),
    ("markup", &[]),
    ("completions", &[]),
    ("man", &[]),
];

/// The output of `--version`; `-V` prints the first line without the disclaimer.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\n\nTalk is an independent, unofficial client. TalkJS is a trademark of its owner.\n",
    "This project is not affiliated with, endorsed or sponsored by it."
);

/// Chat from a terminal, a script or another language
#[derive(Debug, Parser)]
#[command(name = "talk", version, long_version = LONG_VERSION)]
#[command(after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl Cli {
    /// Reads a command line.
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut matches = Self::command().try_get_matches_from(args)?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut Self::command()))
    }

    /// Returns the definition of the command line. Every command accepts the global flags, but its
    /// help hides those that it does not use.
    pub(crate) fn command() -> clap::Command {
        let command = <Self as CommandFactory>::command();
        let globals = command.get_arguments().filter(|arg| arg.is_global_set());
        let globals: Vec<clap::Arg> = globals.cloned().collect();
        command.mut_subcommands(|subcommand| {
            let name = subcommand.get_name();
            let Some((_, used)) = WITHOUT_SESSION.iter().find(|(it, _)| *it == name) else {
                return subcommand;
            };
            let unused = globals
                .iter()
                .filter(|arg| !used.contains(&arg.get_id().as_str()));
            let unused: Vec<_> = unused.map(|arg| arg.clone().hide(true)).collect();
            subcommand.args(unused)
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch two users chat on a private emulator
    Demo(demo::Options),
    /// Run a local TalkJS for tests and development, until Ctrl-C
    Emulator(emulator::Options),
    /// Inject a fault into a running emulator
    Fault(FaultOptions),
    /// Save and restore the data of a running emulator
    Snapshot(SnapshotOptions),
    /// Show and advance the clock of a running emulator
    Clock(ClockOptions),
    /// Send a message or a file
    Send(SendOptions),
    /// Upload files, for messages that are sent later
    Upload(UploadOptions),
    /// Show the messages of a conversation, and follow it
    Messages(MessagesOptions),
    /// Show and change users
    User(UserOptions),
    /// Show the conversations that the user is in, and follow them
    Conversations(ConversationsOptions),
    /// Show and change conversations
    Conversation(ConversationOptions),
    /// Show and change the participants of a conversation
    Participant(ParticipantOptions),
    /// Show and change a message
    Message(MessageOptions),
    /// Show and change the reactions to a message
    Reaction(ReactionOptions),
    /// Show, change and send queued messages
    Outbox(OutboxOptions),
    /// Find messages and conversations
    Search(SearchOptions),
    /// Create and check user tokens
    Token(TokenOptions),
    /// Run a command for each message of other users, and send its output as the answer
    Bot(bot::Options),
    /// Drive a session over standard input and output, one JSON object per line in both directions
    Rpc(rpc::Options),
    /// Convert text to the JSON that clients send, one JSON object per line in both directions
    #[command(after_help = markup::AFTER_HELP)]
    Markup,
    /// Print the completions of a shell
    Completions(man::CompletionsOptions),
    /// Print manual pages
    Man(man::ManOptions),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Asserts that no command below `command` has an argument of its own with the ID of a global
    /// flag, which would replace the value of the flag.
    fn assert_globals_are_unique(command: &clap::Command, globals: &[clap::Id]) {
        for subcommand in command.get_subcommands() {
            let name = subcommand.get_name();
            for arg in subcommand.get_arguments() {
                let is_own = !arg.is_global_set();
                assert!(!is_own || !globals.contains(arg.get_id()), "{name}: {arg}");
            }
            assert_globals_are_unique(subcommand, globals);
        }
    }

    #[test]
    fn command_arguments_replace_no_global_flag() {
        let command = Cli::command();
        let globals = command.get_arguments().filter(|arg| arg.is_global_set());
        let globals: Vec<_> = globals.map(|arg| arg.get_id().clone()).collect();
        assert!(!globals.is_empty());
        assert_globals_are_unique(&command, &globals);
    }
}
