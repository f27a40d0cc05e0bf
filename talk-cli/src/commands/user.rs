//! `talk user`: shows and changes users.

use talk_tokio::UserParams;

use super::app::run;
use super::fields::{Custom, Members, Unset};
use crate::exit::{CliError, Outcome};
use crate::session_plan::SessionPlan;

/// The arguments of `talk user`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show a user
    Get {
        /// The ID of the user
        id: String,
    },
    /// Create or change a user
    Set {
        /// The ID of the user
        id: String,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        unset: Unset,
    },
    /// Create a user; an existing user is not changed
    Create {
        /// The ID of the user
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Show a user, and each change
    Watch {
        /// The ID of the user
        id: String,
    },
    /// Show the online status of a user, and each change
    Online {
        /// The ID of the user
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Fields {
    /// The display name; needed for a new user
    #[arg(long)]
    name: Option<String>,
    /// The address of the profile picture
    #[arg(long, value_name = "URL")]
    photo_url: Option<String>,
    /// The role that grants permissions
    #[arg(long)]
    role: Option<String>,
    /// A language tag, such as en-GB
    #[arg(long)]
    locale: Option<String>,
    /// The text at the start of conversations with the user
    #[arg(long, value_name = "TEXT")]
    welcome_message: Option<String>,
    /// An email address for notifications; can be given several times
    #[arg(long)]
    email: Vec<String>,
    /// A phone number for notifications; can be given several times
    #[arg(long)]
    phone: Vec<String>,
    #[command(flatten)]
    custom: Custom,
}

impl Fields {
    fn members(self) -> Members {
        Members::default()
            .set("name", self.name)
            .set("photoUrl", self.photo_url)
            .set("role", self.role)
            .set("locale", self.locale)
            .set("welcomeMessage", self.welcome_message)
            .set_list("email", self.email)
            .set_list("phone", self.phone)
            .custom(self.custom)
    }
}

/// Runs the action.
pub(crate) fn run_user(options: Options, session: SessionPlan) -> Outcome {
    run(session, async |app| {
        match options.action {
            Action::Get { id } => {
                let found = app.user(&id)?.get().await?;
                app.show(found, || format!("no user {id:?}"))?;
            }
            Action::Set { id, fields, unset } => {
                let params: UserParams = fields.members().unset(unset)?.read()?;
                app.user(&id)?.set(params).await?;
            }
            Action::Create { id, fields } => {
                let params: UserParams = fields.members().read()?;
                app.user(&id)?.create_if_not_exists(params).await?;
            }
            Action::Watch { id } => app.watch(app.user(&id)?.subscribe()).await?,
            Action::Online { id } => app.watch(app.user(&id)?.subscribe_online()).await?,
        }
        Ok::<(), CliError>(())
    })
}
