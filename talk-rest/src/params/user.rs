//! Parameters of users.

use std::collections::BTreeMap;

use serde::Serialize;
use talk_proto::model::{CustomPatch, Patch};

use super::custom::params;

/// The members of a user to set. A new user needs a name.
///
/// ```
/// use talk_rest::{Patch, UserParams};
///
/// let params = UserParams::named("Alice").email(["alice@example.com"]).custom("tier", "gold");
/// let no_photo = UserParams::default().photo_url(Patch::Reset);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[must_use]
pub struct UserParams {
    /// The display name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// The email addresses.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub email: Patch<Vec<String>>,
    /// The phone numbers.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<Vec<String>>,
    /// The text that starts conversations with this user.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub welcome_message: Patch<String>,
    /// The URL of the profile picture.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub photo_url: Patch<String>,
    /// The locale.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub locale: Patch<String>,
    /// The role that grants permissions. A reset sets the default role (our choice).
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub role: Patch<String>,
    /// The text about the user's availability.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub availability_text: Patch<String>,
    /// The devices that receive push notifications: `true` registers a device, `None` unregisters
    /// it, a reset unregisters all.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub push_tokens: Patch<BTreeMap<String, Option<bool>>>,
    /// The custom data. Other keys stay.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub custom: Patch<CustomPatch>,
}

params!(UserParams custom);

impl UserParams {
    /// Creates parameters with a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self::default().name(name.into())
    }

    /// Sets the display name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Patch::Set(name.into());
        self
    }

    /// Sets the email addresses.
    pub fn email<I: IntoIterator<Item: Into<String>>>(mut self, addresses: I) -> Self {
        self.email = Patch::Set(addresses.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the phone numbers.
    pub fn phone<I: IntoIterator<Item: Into<String>>>(mut self, numbers: I) -> Self {
        self.phone = Patch::Set(numbers.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the text that starts conversations with this user.
    pub fn welcome_message(mut self, text: impl Into<Patch<String>>) -> Self {
        self.welcome_message = text.into();
        self
    }

    /// Sets the URL of the profile picture.
    pub fn photo_url(mut self, url: impl Into<Patch<String>>) -> Self {
        self.photo_url = url.into();
        self
    }

    /// Sets the locale.
    pub fn locale(mut self, locale: impl Into<Patch<String>>) -> Self {
        self.locale = locale.into();
        self
    }

    /// Sets the role that grants permissions.
    pub fn role(mut self, role: impl Into<Patch<String>>) -> Self {
        self.role = role.into();
        self
    }

    /// Sets the text about the user's availability.
    pub fn availability_text(mut self, text: impl Into<Patch<String>>) -> Self {
        self.availability_text = text.into();
        self
    }

    /// Registers a device for push notifications, such as `fcm:TOKEN` or `apns:TOKEN`.
    pub fn push_token(self, token: impl Into<String>) -> Self {
        self.set_push_token(token.into(), Some(true))
    }

    /// Unregisters a device.
    pub fn remove_push_token(self, token: impl Into<String>) -> Self {
        self.set_push_token(token.into(), None)
    }

    fn set_push_token(mut self, token: String, value: Option<bool>) -> Self {
        if !matches!(self.push_tokens, Patch::Set(_)) {
            self.push_tokens = Patch::Set(BTreeMap::new());
        }
        if let Patch::Set(tokens) = &mut self.push_tokens {
            tokens.insert(token, value);
        }
        self
    }
}
