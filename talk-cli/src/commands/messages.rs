//! `talk messages`: shows and follows the messages of a conversation.

use futures_util::StreamExt;
use talk_tokio::Changes;

use super::app::{absent_conversation, run};
use super::message_log::MessageLog;
use crate::exit::{CliError, Outcome};
use crate::session_plan::SessionPlan;

/// The arguments of `talk messages`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The ID of the conversation
    conversation: String,
    /// End after the present messages instead of following the conversation
    #[arg(long)]
    once: bool,
    /// Show the time and the ID of each message
    #[arg(short, long)]
    long: bool,
    /// The number of messages to show first
    #[arg(long, default_value_t = 30)]
    last: usize,
}

/// Prints the last messages, oldest first, and then their changes and new messages.
pub(crate) fn run_messages(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        let conversation = app.conversation(&options.conversation)?;
        let mut messages = conversation.subscribe_messages();
        let loaded = app.load_next(&mut messages, options.last).await?;
        let mut log = MessageLog::new(conversation.id().clone(), options.last);
        if loaded.is_none() {
            let id = &options.conversation;
            let nothing = absent_conversation(id);
            if options.once {
                return Err(CliError::NotFound(nothing));
            }
            app.printer
                .notice(&format!("there is {nothing} yet, waiting for it"));
        }
        for entry in log.update(loaded.as_ref(), &Changes::Reset) {
            entry.print(app, options.long)?;
        }
        if options.once {
            return Ok(());
        }
        app.follow(async {
            while let Some(update) = messages.next().await {
                for entry in log.update(update.snapshot.as_ref(), &update.changes) {
                    entry.print(app, options.long)?;
                }
            }
            Ok(messages.terminated().await?)
        })
        .await
    })
}
