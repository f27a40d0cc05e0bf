//! Users, as everybody sees them.

use serde::{Deserialize, Serialize};

use super::{Custom, CustomPatch, Patch, UserId};

/// A user as everybody sees them: on the wire and as a snapshot.
///
/// Email addresses, phone numbers and push tokens are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The user's ID.
    pub id: UserId,
    /// The display name.
    #[serde(default)]
    pub name: String,
    /// The application's own data.
    #[serde(default)]
    pub custom: Custom,
    /// An IETF language tag; `None` = the default of the dashboard.
    #[serde(default)]
    pub locale: Option<String>,
    /// The address of the profile picture.
    #[serde(default)]
    pub photo_url: Option<String>,
    /// The role that grants permissions, `"default"` unless set.
    #[serde(default = "default_role")]
    pub role: String,
    /// Shown to others who open a conversation with this user (deprecated by the service).
    #[serde(default)]
    pub welcome_message: Option<String>,
}

/// The role of a user who was not given one.
pub const DEFAULT_ROLE: &str = "default";

fn default_role() -> String {
    DEFAULT_ROLE.to_owned()
}

impl User {
    /// A user with a name and the default of everything else.
    ///
    /// ```
    /// # use talk_proto::{DEFAULT_ROLE, User};
    /// let user = User::new("alice".try_into()?, "Alice");
    /// assert_eq!(user.role, DEFAULT_ROLE);
    /// # Ok::<(), talk_proto::EmptyId>(())
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

    /// Changes what `diff` names.
    ///
    /// ```
    /// # use talk_proto::User;
    /// let mut user = User::new("alice".try_into()?, "Alice");
    /// user.apply(serde_json::from_str(r#"{"name": "Alice II"}"#)?);
    /// assert_eq!(user.name, "Alice II");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&mut self, diff: UserDiff) {
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

/// What changed of a user, as the server tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct UserDiff {
    /// The display name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// The keys of the custom data that changed.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
    /// The language tag.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub locale: Patch<String>,
    /// The address of the profile picture.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub photo_url: Patch<String>,
    /// The role.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub role: Patch<String>,
    /// The welcome message.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub welcome_message: Patch<String>,
}
