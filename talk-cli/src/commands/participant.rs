//! `talk participant`: shows and changes the participants of a conversation.

use talk_tokio::ParticipantParams;

use super::app::{absent_conversation, run};
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
    Get {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the user
        user: String,
    },
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
        /// The ID of the conversation
        conversation: String,
        /// The ID of the user
        user: String,
        #[command(flatten)]
        rights: Rights,
    },
    /// Add a user to a conversation, or change a participant
    Set {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the user
        user: String,
        #[command(flatten)]
        rights: Rights,
    },
    /// Change the permissions and notifications of a participant
    Edit {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the user
        user: String,
        #[command(flatten)]
        rights: Rights,
    },
    /// Remove a user from a conversation
    Remove {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the user
        user: String,
    },
    /// Show a participant, and each change
    Watch {
        /// The ID of the conversation
        conversation: String,
        /// The ID of the user
        user: String,
    },
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
            Action::Get { conversation, user } => {
                let found = app.participant(&conversation, &user)?.get().await?;
                app.show(found, || {
                    format!("no participant {user:?} in the conversation {conversation:?}")
                })?;
            }
            Action::List {
                conversation,
                limit,
            } => {
                let people = app.conversation(&conversation)?.subscribe_participants();
                app.list(people, limit, || absent_conversation(&conversation))
                    .await?;
            }
            Action::Add {
                conversation,
                user,
                rights,
            } => {
                let participant = app.participant(&conversation, &user)?;
                participant.create_if_not_exists(params(&rights)?).await?;
            }
            Action::Set {
                conversation,
                user,
                rights,
            } => {
                app.participant(&conversation, &user)?
                    .set(params(&rights)?)
                    .await?;
            }
            Action::Edit {
                conversation,
                user,
                rights,
            } => {
                app.participant(&conversation, &user)?
                    .edit(params(&rights)?)
                    .await?;
            }
            Action::Remove { conversation, user } => {
                app.participant(&conversation, &user)?.delete().await?;
            }
            Action::Watch { conversation, user } => {
                app.watch(app.participant(&conversation, &user)?.subscribe())
                    .await?;
            }
        }
        Ok(())
    })
}
