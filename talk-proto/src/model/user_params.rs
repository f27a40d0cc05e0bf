//! What may be set of a user.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CustomPatch, Patch};

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
        self.custom.set_key(key.into(), value.into());
        self
    }

    /// Sets the email addresses for notifications.
    ///
    /// ```
    /// use talk_proto::UserParams;
    ///
    /// let one = UserParams::named("Alice").email("alice@example.com");
    /// let several = ["a@example.com".to_owned(), "b@example.com".to_owned()];
    /// let more = UserParams::named("Alice").email(several.to_vec());
    /// ```
    #[must_use]
    pub fn email(mut self, addresses: impl Into<OneOrMany>) -> Self {
        self.email = Patch::Set(addresses.into());
        self
    }

    /// Sets the phone numbers for notifications.
    ///
    /// ```
    /// let params = talk_proto::UserParams::named("Alice").phone("+31201234567");
    /// ```
    #[must_use]
    pub fn phone(mut self, numbers: impl Into<OneOrMany>) -> Self {
        self.phone = Patch::Set(numbers.into());
        self
    }

    /// Registers a push token, `provider:token`.
    ///
    /// ```
    /// let params = talk_proto::UserParams::default().push_token("fcm:abc");
    /// ```
    #[must_use]
    pub fn push_token(mut self, token: impl Into<String>) -> Self {
        let mut tokens = match self.push_tokens {
            Patch::Set(tokens) => tokens,
            Patch::Keep | Patch::Reset => BTreeMap::new(),
        };
        tokens.insert(token.into(), Some(true));
        self.push_tokens = Patch::Set(tokens);
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
