//! `talk message`: shows and changes a message.

use super::app::{absent_message, run};
use super::send::read_text;
use crate::exit::Outcome;
use crate::session_plan::SessionPlan;

/// The arguments of `talk message`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show a message
    Get {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the message
        message: String,
    },
    /// Replace the text of a message
    Edit {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the message
        message: String,
        /// The new text with markup such as *bold* and _italic_; - reads it from standard input
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Delete a message
    Delete {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the message
        message: String,
    },
    /// Show a message in another language
    Translate {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the message
        message: String,
        /// The language, such as nl
        language: String,
    },
}

/// Runs the action.
pub(crate) fn run_message(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        match options.action {
            Action::Get {
                conversation,
                message,
            } => {
                let found = app.message(&conversation, &message)?.get().await?;
                app.show(found, || absent_message(&conversation, &message))?;
            }
            Action::Edit {
                conversation,
                message,
                text,
            } => {
                app.message(&conversation, &message)?
                    .edit(read_text(text)?)
                    .await?;
            }
            Action::Delete {
                conversation,
                message,
            } => {
                app.message(&conversation, &message)?.delete().await?;
            }
            Action::Translate {
                conversation,
                message,
                language,
            } => {
                let translated = app.message(&conversation, &message)?.translate(language);
                app.show(translated.await?, || {
                    absent_message(&conversation, &message)
                })?;
            }
        }
        Ok(())
    })
}
