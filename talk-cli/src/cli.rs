//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    ConversationOptions, ConversationsOptions, MessageOptions, MessagesOptions, ParticipantOptions,
    ReactionOptions, SearchOptions, SendOptions, TokenOptions, UploadOptions, UserOptions,
};
use crate::session_args::SessionArgs;
use crate::{demo, emulator, rpc};

/// The output of `--version`; `-V` prints the first line without the disclaimer.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\n\nTalk is an independent, unofficial client. TalkJS is a trademark of its owner.\n",
    "This project is not affiliated with, endorsed or sponsored by it."
);

/// Chat from a terminal, a script or another language
#[derive(Debug, Parser)]
#[command(name = "talk", version, long_version = LONG_VERSION)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch two people chat, on an emulator of their own
    Demo(demo::Options),
    /// Run a local TalkJS for tests and development, until Ctrl-C
    Emulator(emulator::Options),
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
    /// Show and change who is in a conversation
    Participant(ParticipantOptions),
    /// Show and change a message
    Message(MessageOptions),
    /// Show and change the reactions to a message
    Reaction(ReactionOptions),
    /// Find messages and conversations
    Search(SearchOptions),
    /// Make and check user tokens
    Token(TokenOptions),
    /// Drive one session over standard input and output, one JSON object a line each way
    Rpc(rpc::Options),
    /// Show what texts become on the wire, one JSON object a line each way
    Markup,
}
