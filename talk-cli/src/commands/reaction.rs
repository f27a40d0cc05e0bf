//! `talk reaction`: shows and changes the reactions to a message.

use talk_tokio::ReactionsRef;

use super::app::{App, absent_message, run};
use crate::exit::{CliError, Outcome};
use crate::session_plan::SessionPlan;

/// The arguments of `talk reaction`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// React to a message
    Add(Target),
    /// Remove a reaction
    Remove(Target),
    /// Show the reactions with an emoji, oldest first
    List {
        #[command(flatten)]
        target: Target,
        /// The maximum number of results
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
}

#[derive(Debug, clap::Args)]
struct Target {
    /// The ID of the conversation
    conversation: String,
    /// The ID of the message
    message: String,
    /// An emoji, or the name of a custom one between colons
    emoji: String,
}

impl Target {
    fn reactions(&self, app: &App) -> Result<ReactionsRef, CliError> {
        let message = app.message(&self.conversation, &self.message)?;
        let reactions = message.reactions(self.emoji.as_str());
        Ok(reactions.map_err(talk_tokio::Error::from)?)
    }
}

/// Runs the action.
pub(crate) fn run_reaction(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        match options.action {
            Action::Add(target) => target.reactions(app)?.add().await?,
            Action::Remove(target) => target.reactions(app)?.remove().await?,
            Action::List { target, limit } => {
                let reactions = target.reactions(app)?.subscribe();
                app.list(reactions, limit, || {
                    absent_message(&target.conversation, &target.message)
                })
                .await?;
            }
        }
        Ok(())
    })
}
