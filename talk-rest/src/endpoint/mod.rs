//! The endpoints: functions and types that make calls.

mod conversations;
mod files;
mod id;
mod messages;
mod participants;
mod presences;
mod users;

pub use conversations::{ConversationEndpoint, conversation, conversations};
pub use files::{FileUpload, upload_file};
pub use messages::{Import, MessageEndpoint};
pub use participants::ParticipantEndpoint;
pub use presences::{PresenceQuery, presences};
pub use users::{UserEndpoint, put_users, user, users};

use crate::call::Call;
use crate::model::App;

/// Returns the call that reads the app, a common check of credentials.
pub fn app() -> Call<App> {
    Call::reading(String::new())
}
