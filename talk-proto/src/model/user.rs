//! Users.

use serde::{Deserialize, Serialize};

use super::custom::Custom;
use super::id::UserId;
use super::patch::{CustomPatch, Patch, diff};

/// The public data of a user, on the wire and in snapshots.
///
/// Email addresses, phone numbers and push tokens are never included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The user's ID.
    pub id: UserId,
    /// The display name.
    #[serde(default)]
    pub name: String,
    /// The custom data.
    #[serde(default)]
    pub custom: Custom,
    /// An IETF language tag; `None` means the default of the dashboard.
    #[serde(default)]
    pub locale: Option<String>,
    /// The URL of the profile picture.
    #[serde(default)]
    pub photo_url: Option<String>,
    /// The role that grants permissions (default `"default"`).
    #[serde(default = "default_role")]
    pub role: String,
    /// The text that starts conversations with this user (deprecated by the service).
    #[serde(default)]
    pub welcome_message: Option<String>,
}

/// The role of users without an explicit role.
pub const DEFAULT_ROLE: &str = "default";

fn default_role() -> String {
    DEFAULT_ROLE.to_owned()
}

impl User {
    /// Creates a user with a name. Other fields have their defaults.
    ///
    /// ```
    /// # use talk_proto::model::{DEFAULT_ROLE, User};
    /// let user = User::new("alice".try_into()?, "Alice");
    /// assert_eq!(user.role, DEFAULT_ROLE);
    /// # Ok::<(), talk_proto::model::EmptyId>(())
    /// ```
    pub fn new(id: UserId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            custom: Custom::default(),
            locale: None,
            photo_url: None,
            role: default_role(),
            welcome_message: None,
        }
    }

    pub(crate) fn apply(&mut self, diff: UserDiff) {
        if let Patch::Set(name) = diff.name {
            self.name = name;
        }
        self.custom.apply(diff.custom);
        diff.locale.apply_to(&mut self.locale);
        diff.photo_url.apply_to(&mut self.photo_url);
        match diff.role {
            Patch::Keep => {}
            Patch::Reset => self.role = default_role(),
            Patch::Set(role) => self.role = role,
        }
        diff.welcome_message.apply_to(&mut self.welcome_message);
    }
}

diff! {
    /// The changes of a user.
    UserDiff {
        name: Patch<String>,
        custom: Patch<CustomPatch>,
        locale: Patch<String>,
        photo_url: Patch<String>,
        role: Patch<String>,
        welcome_message: Patch<String>,
    }
}
