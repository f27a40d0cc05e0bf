//! `talk participant`: shows and changes the participants of a conversation.

use talk_tokio::{Error, ParticipantParams, ParticipantRef};

use super::app::{App, absent_conversation, run};
use super::fields::{Members, Rights};
use crate::exit::Outcome;
use crate::session_plan::SessionPlan;

/// The arguments of `talk participant`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show a participant
    Get(Target),
    /// Show the participants of a conversation, the last to join first
    List {
        /// The ID of the conversation
        conversation: String,
        /// The maximum number of results
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Add a user to a conversation; an existing participant is not changed
    Add {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        rights: Rights,
    },
    /// Add a user to a conversation, or change a participant
    Set {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        rights: Rights,
    },
    /// Change the permissions and notifications of a participant
    Edit {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        rights: Rights,
    },
    /// Remove a user from a conversation
    Remove(Target),
    /// Show a participant, and each change
    Watch(Target),
}

#[derive(Debug, clap::Args)]
struct Target {
    /// The ID of the conversation
    conversation: String,
    // An argument with the ID `user` would replace the global `--user`.
    /// The ID of the user
    #[arg(value_name = "USER")]
    participant: String,
}

impl Target {
    fn participant(&self, app: &App) -> Result<ParticipantRef, Error> {
        app.participant(&self.conversation, &self.participant)
    }

    fn absent(&self) -> String {
        format!(
            "no participant {:?} in the conversation {:?}",
            self.participant, self.conversation
        )
    }
}

/// Runs the action.
pub(crate) fn run_participant(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        let params = |rights: &Rights| {
            Members::default()
                .rights(rights)
                .read::<ParticipantParams>()
        };
        match options.action {
            Action::Get(target) => {
                let found = target.participant(app)?.get().await?;
                app.show(found, || target.absent())?;
            }
            Action::List {
                conversation,
                limit,
            } => {
                let people = app.conversation(&conversation)?.subscribe_participants();
                app.list(people, limit, || absent_conversation(&conversation))
                    .await?;
            }
            Action::Add { target, rights } => {
                let participant = target.participant(app)?;
                participant.create_if_not_exists(params(&rights)?).await?;
            }
            Action::Set { target, rights } => {
                target.participant(app)?.set(params(&rights)?).await?;
            }
            Action::Edit { target, rights } => {
                target.participant(app)?.edit(params(&rights)?).await?;
            }
            Action::Remove(target) => {
                target.participant(app)?.delete().await?;
            }
            Action::Watch(target) => {
                app.watch(target.participant(app)?.subscribe()).await?;
            }
        }
        Ok(())
    })
}
