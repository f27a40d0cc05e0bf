//! Users: what everybody sees of them, and what may be set.

use std::collections::BTreeMap;
use std::fmt;

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

/// What to set of a user; everything is left alone unless given.
///
/// When the user is created, what is left alone or reset gets its default, and a name is
/// required.
///
/// ```
/// use talk_proto::UserParams;
///
/// let params = UserParams::named("Alice").photo_url("https://example.com/alice.png");
/// assert_eq!(serde_json::to_value(&params)?["name"], "Alice");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct UserParams {
    /// The display name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// Custom data, key by key.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
    /// An IETF language tag.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub locale: Patch<String>,
    /// The address of the profile picture.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub photo_url: Patch<String>,
    /// The role.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub role: Patch<String>,
    /// The welcome message (deprecated by the service).
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub welcome_message: Patch<String>,
    /// Email addresses for notifications.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub email: Patch<OneOrMany>,
    /// Phone numbers for notifications.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<OneOrMany>,
    /// Push tokens, `provider:token`: `true` registers one, `None` removes it.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub push_tokens: Patch<BTreeMap<String, Option<bool>>>,
}

impl UserParams {
    /// Nothing but a display name.
    ///
    /// ```
    /// let params = talk_proto::UserParams::named("Alice");
    /// ```
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: Patch::Set(name.into()),
            ..Self::default()
        }
    }

    /// Sets the language tag.
    ///
    /// ```
    /// use talk_proto::UserParams;
    ///
    /// let params = UserParams::named("Alice").locale("nl-NL");
    /// let reset = UserParams::default().locale(None);
    /// ```
    #[must_use]
    pub fn locale(mut self, locale: impl Into<Patch<String>>) -> Self {
        self.locale = locale.into();
        self
    }

    /// Sets the address of the profile picture.
    ///
    /// ```
    /// use talk_proto::UserParams;
    ///
    /// let params = UserParams::default().photo_url("https://example.com/alice.png");
    /// ```
    #[must_use]
    pub fn photo_url(mut self, url: impl Into<Patch<String>>) -> Self {
        self.photo_url = url.into();
        self
    }

    /// Sets the role.
    ///
    /// ```
    /// let params = talk_proto::UserParams::default().role("admin");
    /// ```
    #[must_use]
    pub fn role(mut self, role: impl Into<Patch<String>>) -> Self {
        self.role = role.into();
        self
    }

    /// Sets one key of the custom data.
    ///
    /// ```
    /// let params = talk_proto::UserParams::default().custom("team", "blue");
    /// ```
    #[must_use]
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let mut keys = match self.custom {
            Patch::Set(keys) => keys,
            Patch::Keep | Patch::Reset => CustomPatch::new(),
        };
        keys.insert(key.into(), Some(value.into()));
        self.custom = Patch::Set(keys);
        self
    }
}

/// The names of the members that are given, for contact data is private.
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

/// A list of texts that may be given as a single one; it goes on the wire as a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMany(pub Vec<String>);

impl From<&str> for OneOrMany {
    fn from(one: &str) -> Self {
        Self(vec![one.to_owned()])
    }
}

impl From<Vec<String>> for OneOrMany {
    fn from(many: Vec<String>) -> Self {
        Self(many)
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor;

        impl<'de> serde::de::Visitor<'de> for OneOrManyVisitor {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E>(self, one: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::from(one))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<OneOrMany, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = seq.next_element()? {
                    many.push(one);
                }
                Ok(OneOrMany(many))
            }
        }

        deserializer.deserialize_any(OneOrManyVisitor)
    }
}
