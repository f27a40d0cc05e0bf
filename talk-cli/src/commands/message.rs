//! `talk message`: one message.

use super::app::{Common, run};
use super::send::read_text;
use crate::exit::Outcome;
use crate::session_plan::SessionPlan;

/// What `talk message` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show a message
    Get {
        conversation: String,
        message: String,
    },
    /// Give a message another text
    Edit {
        conversation: String,
        message: String,
        /// The new text, in which *bold*, _italic_ and so on are understood; - reads it from
        /// standard input
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Delete a message
    Delete {
        conversation: String,
        message: String,
    },
    /// Show a message in another language
    Translate {
        conversation: String,
        message: String,
        /// The language, such as nl
        language: String,
    },
}

/// Does what is asked for.
pub(crate) fn run_message(options: Options, session: SessionPlan) -> Outcome {
    run(session, &options.common, async |app| {
        match options.action {
            Action::Get {
                conversation,
                message,
            } => {
                app.printer
                    .print(&app.message(&conversation, &message)?.get().await?)?;
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
                let message = app.message(&conversation, &message)?;
                app.printer.print(&message.translate(language).await?)?;
            }
        }
        Ok(())
    })
}
