//! `talk conversation`: shows and changes conversations.

use talk_tokio::ConversationParams;

use super::app::{absent_conversation, run};
use super::fields::{Custom, Members, Rights, Unset};
use crate::exit::Outcome;
use crate::session_plan::SessionPlan;

/// The arguments of `talk conversation`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show a conversation
    Get {
        /// The ID of the conversation
        id: String,
    },
    /// Create or change a conversation, and join it
    Set {
        /// The ID of the conversation
        id: String,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        unset: Unset,
    },
    /// Create a conversation and join it; an existing conversation is not changed
    Create {
        /// The ID of the conversation
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Leave a conversation
    Leave {
        /// The ID of the conversation
        id: String,
    },
    /// Mark a conversation as read
    Read {
        /// The ID of the conversation
        id: String,
    },
    /// Mark a conversation as unread
    Unread {
        /// The ID of the conversation
        id: String,
    },
    /// Show the user as typing for 10 seconds, or watch the typing users
    Typing {
        /// The ID of the conversation
        id: String,
        /// Show the typing users, and each change
        #[arg(long)]
        watch: bool,
    },
    /// Show a conversation, and each change
    Watch {
        /// The ID of the conversation
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Fields {
    /// The title
    #[arg(long)]
    subject: Option<String>,
    /// The address of the picture
    #[arg(long, value_name = "URL")]
    photo_url: Option<String>,
    /// The text at the start of the conversation; can be given several times
    #[arg(long, value_name = "TEXT")]
    welcome_message: Vec<String>,
    #[command(flatten)]
    custom: Custom,
    #[command(flatten)]
    rights: Rights,
}

impl Fields {
    fn members(self) -> Members {
        Members::default()
            .set("subject", self.subject)
            .set("photoUrl", self.photo_url)
            .set_list("welcomeMessages", self.welcome_message)
            .custom(self.custom)
            .rights(&self.rights)
    }
}

/// Runs the action.
pub(crate) fn run_conversation(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        match options.action {
            Action::Get { id } => {
                let found = app.conversation(&id)?.get().await?;
                app.show(found, || absent_conversation(&id))?;
            }
            Action::Set { id, fields, unset } => {
                let params: ConversationParams = fields.members().unset(unset)?.read()?;
                app.conversation(&id)?.set(params).await?;
            }
            Action::Create { id, fields } => {
                let params: ConversationParams = fields.members().read()?;
                app.conversation(&id)?.create_if_not_exists(params).await?;
            }
            Action::Leave { id } => {
                let me = app.session.user_id().as_str();
                app.participant(&id, me)?.delete().await?;
            }
            Action::Read { id } => app.conversation(&id)?.mark_as_read().await?,
            Action::Unread { id } => app.conversation(&id)?.mark_as_unread().await?,
            Action::Typing { id, watch: false } => {
                app.conversation(&id)?.mark_as_typing().await?;
            }
            Action::Typing { id, watch: true } => {
                app.watch(app.conversation(&id)?.subscribe_typing()).await?;
            }
            Action::Watch { id } => app.watch(app.conversation(&id)?.subscribe()).await?,
        }
        Ok(())
    })
}
