//! Parameters of user calls.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::patch::{Patch, params};

params! {
    /// The attributes of a user to set; absent ones are not changed.
    ///
    /// When a user is created, absent attributes have their defaults, and a name is required.
    ///
    /// ```
    /// use talk_proto::model::UserParams;
    ///
    /// let params = UserParams::named("Alice")
    ///     .photo_url("https://example.com/alice.png")
    ///     .locale(None)
    ///     .email("alice@example.com")
    ///     .custom("team", "blue");
    /// assert_eq!(serde_json::to_value(&params)?["name"], "Alice");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct UserParams {
        /// The display name.
        name: String,
        /// An IETF language tag.
        locale: String,
        /// The URL of the profile picture.
        photo_url: String,
        /// The role that grants permissions.
        role: String,
        /// The welcome message (deprecated by the service).
        welcome_message: String,
        /// Email addresses for notifications.
        email: OneOrMany,
        /// Phone numbers for notifications.
        phone: OneOrMany,
        /// Push tokens, `provider:token`: `true` registers one, `None` removes it.
        push_tokens: BTreeMap<String, Option<bool>>,
    }
    custom
}

impl UserParams {
    /// Creates parameters with a display name.
    pub fn named(name: impl Into<String>) -> Self {
        let name: String = name.into();
        Self::default().name(name)
    }

    /// Registers a push token, `provider:token`.
    ///
    /// ```
    /// let params = talk_proto::model::UserParams::default().push_token("fcm:abc");
    /// ```
    pub fn push_token(self, token: impl Into<String>) -> Self {
        let mut tokens = self.push_tokens.as_set().cloned().unwrap_or_default();
        tokens.insert(token.into(), Some(true));
        self.push_tokens(tokens)
    }
}

/// Shows only the names of the set fields, because contact data is private.
impl fmt::Debug for UserParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = [
            ("name", self.name.is_keep()),
            ("custom", self.custom.is_keep()),
            ("locale", self.locale.is_keep()),
            ("photo_url", self.photo_url.is_keep()),
            ("role", self.role.is_keep()),
            ("welcome_message", self.welcome_message.is_keep()),
            ("email", self.email.is_keep()),
            ("phone", self.phone.is_keep()),
            ("push_tokens", self.push_tokens.is_keep()),
        ];
        f.write_str("UserParams")?;
        f.debug_set()
            .entries(given.iter().filter(|(_, keep)| !keep).map(|(name, _)| name))
            .finish()
    }
}

/// A list of strings that can be created from a single string. Serialises as a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrManyJson")]
pub struct OneOrMany(pub Vec<String>);

impl From<&str> for OneOrMany {
    fn from(one: &str) -> Self {
        Self(vec![one.to_owned()])
    }
}

impl From<&str> for Patch<OneOrMany> {
    fn from(one: &str) -> Self {
        Self::Set(one.into())
    }
}

impl From<String> for Patch<OneOrMany> {
    fn from(one: String) -> Self {
        vec![one].into()
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for Patch<OneOrMany> {
    fn from(many: [T; N]) -> Self {
        Vec::from(many.map(Into::into)).into()
    }
}

impl From<Vec<String>> for Patch<OneOrMany> {
    fn from(many: Vec<String>) -> Self {
        Self::Set(many.into())
    }
}

impl From<Vec<String>> for OneOrMany {
    fn from(many: Vec<String>) -> Self {
        Self(many)
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrManyJson {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrManyJson> for OneOrMany {
    fn from(json: OneOrManyJson) -> Self {
        match json {
            OneOrManyJson::One(one) => Self(vec![one]),
            OneOrManyJson::Many(many) => Self(many),
        }
    }
}
