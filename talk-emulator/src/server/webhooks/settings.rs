use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::kind::WebhookKind;
use crate::server::object_only::object_only;

/// The settings of webhooks, for all apps.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    deny_unknown_fields,
    remote = "Self"
)]
pub struct WebhookSettings {
    /// The address that receives the events, such as `http://127.0.0.1:3000/hooks`. Without an
    /// address, no events are queued, and undelivered events wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The types of the events. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<BTreeSet<WebhookKind>>,
    /// The key of the signatures. Default: the secret of the settings. An
    /// [`Emulator`](crate::Emulator) with an address and without a secret creates a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The time in milliseconds after which a user is notified of unread messages
    /// (`notification.triggered`). Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_after_ms: Option<u64>,
}

/// The beginning of the keys that the emulator creates. It resembles the service's test keys.
const CREATED_KEY: &str = "sk_test_emulator_";

object_only!(WebhookSettings);

impl WebhookSettings {
    /// Creates settings for an address. All types of events are sent.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Some(url.into()),
            ..Self::default()
        }
    }

    /// Returns `true` if the emulator has created the secret.
    pub fn has_created_secret(&self) -> bool {
        let secret = self.secret.as_ref();
        secret.is_some_and(|secret| secret.starts_with(CREATED_KEY))
    }

    /// Returns the key that is made of random text.
    pub(crate) fn created_secret(random: &str) -> String {
        format!("{CREATED_KEY}{random}")
    }

    /// Returns `true` if events of this type are sent.
    pub(in crate::server) fn is_selected(&self, kind: WebhookKind) -> bool {
        let events = self.events.as_ref();
        self.url.is_some() && events.is_none_or(|events| events.contains(&kind))
    }

    /// Returns the time in milliseconds after which unread messages cause a notification, if
    /// notifications are sent.
    pub(in crate::server) fn notify_after(&self) -> Option<u64> {
        let is_selected = self.is_selected(WebhookKind::NotificationTriggered);
        self.notify_after_ms.filter(|_| is_selected)
    }
}

/// Hides the secret, and the address, which may hold one.
impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings")
            .field("url", &self.url.as_ref().map(|_| ".."))
            .field("events", &self.events)
            .field("secret", &self.secret.as_ref().map(|_| ".."))
            .field("notify_after_ms", &self.notify_after_ms)
            .finish()
    }
}
