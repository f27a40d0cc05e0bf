//! The settings of an emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::object_only::object_only;
use super::rest_version::RestVersion;
use super::webhooks::WebhookSettings;

/// The settings of all apps. Absent members have their defaults: no authentication, and the
/// documented features of a new app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    deny_unknown_fields,
    remote = "Self"
)]
pub struct Settings {
    /// The base URL of file downloads: `http://127.0.0.1:8080`.
    pub origin: String,
    /// The key that signs tokens. With a key, tokens and signatures are verified. Without one, any
    /// token is accepted. An empty key counts as none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The apps that do not exist.
    pub refused_apps: BTreeSet<String>,
    /// The permissions by role name. A role without an entry has the defaults.
    pub roles: BTreeMap<String, Role>,
    /// The data that clients may write.
    pub sync: ClientSync,
    /// The limits of the plan.
    pub limits: Limits,
    /// The version of the REST API for requests without the header `TalkJS-REST-Version`.
    pub rest_version: RestVersion,
    /// The webhooks.
    pub webhooks: WebhookSettings,
}

/// The permissions of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    deny_unknown_fields,
    remote = "Self"
)]
pub struct Role {
    /// Upload and send files. Default: yes.
    pub file_sharing: bool,
    /// Send locations. Default: yes.
    pub location_sharing: bool,
    /// Send voice recordings. Default: yes.
    pub voice_messages: bool,
    /// Mention participants. Default: yes.
    pub mentions: bool,
    /// Send links with a label (`link` nodes). Default: no.
    pub links: bool,
    /// Send `actionLink` and `actionButton` nodes. Default: no.
    pub actions: bool,
    /// Send typing events and see them. Default: yes.
    pub typing_indicators: bool,
    /// See the online state of users. Default: yes.
    pub online_status: bool,
    /// The messages that may be edited. Default: own.
    pub edit_messages: Scope,
    /// The messages that may be deleted. Default: own.
    pub delete_messages: Scope,
    /// Quote messages. Default: yes.
    pub reply: bool,
    /// Add and remove reactions. Default: yes.
    pub react: bool,
    /// Leave conversations. Default: yes.
    pub leave: bool,
    /// Mark conversations as unread. Default: yes.
    pub mark_unread: bool,
}

/// The messages that a permission covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "a permission covers no messages, own messages or all"
)]
pub enum Scope {
    /// No messages.
    None,
    /// The user's own messages.
    Own,
    /// All messages.
    All,
}

/// The data other than messages that clients may write. Default: all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, remote = "Self")]
pub struct ClientSync {
    /// Clients may create and edit users.
    pub users: bool,
    /// Clients may create and edit conversations and their participants.
    pub conversations: bool,
}

/// The limits of the plan. The defaults are those of the Growth plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    deny_unknown_fields,
    remote = "Self"
)]
pub struct Limits {
    /// The maximum number of participants in a conversation. Default: 300 (Basic plan: 100).
    pub participants: usize,
    /// The maximum file size in bytes. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_size: Option<u64>,
    /// The allowed filename extensions, in lower case without the dot. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_types: Option<BTreeSet<String>>,
    /// Files can be uploaded. Default: yes.
    pub files: bool,
    /// Search is available (not in the Basic plan). Default: yes.
    pub search: bool,
    /// Translation is available. Default: yes.
    pub translation: bool,
    /// The rate limits of the REST API apply. Default: no.
    pub rest_rate: bool,
}

static DEFAULT_ROLE: Role = Role {
    file_sharing: true,
    location_sharing: true,
    voice_messages: true,
    mentions: true,
    links: false,
    actions: false,
    typing_indicators: true,
    online_status: true,
    edit_messages: Scope::Own,
    delete_messages: Scope::Own,
    reply: true,
    react: true,
    leave: true,
    mark_unread: true,
};

object_only!(Settings, Role, ClientSync, Limits);

/// The default origin. An emulator that listens on a port replaces it.
const DEFAULT_ORIGIN: &str = "http://127.0.0.1";

impl Settings {
    /// Returns the secret, if there is one that is not empty.
    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_deref().filter(|secret| !secret.is_empty())
    }

    /// Returns the key of the signatures of webhooks.
    pub(crate) fn webhook_key(&self) -> Option<&str> {
        let key = self.webhooks.secret.as_deref();
        key.filter(|key| !key.is_empty()).or(self.secret())
    }

    /// Returns `true` if there is a secret that is not empty.
    pub(crate) fn has_secret(&self) -> bool {
        self.secret().is_some()
    }

    /// Replaces a default origin.
    pub(crate) fn with_origin(mut self, origin: &str) -> Self {
        if self.origin == DEFAULT_ORIGIN {
            origin.clone_into(&mut self.origin);
        }
        self
    }

    /// Replaces a default origin, and the origin of an earlier emulator on this machine.
    pub(crate) fn at_start(self, origin: &str) -> Self {
        let port = self.origin.strip_prefix(DEFAULT_ORIGIN);
        let port = port.and_then(|rest| rest.strip_prefix(':'));
        if port.is_some_and(|port| port.parse::<u16>().is_ok()) {
            let origin = origin.to_owned();
            return Self { origin, ..self };
        }
        self.with_origin(origin)
    }

    /// Returns the permissions of a role.
    pub fn role(&self, name: &str) -> &Role {
        self.roles.get(name).unwrap_or(&DEFAULT_ROLE)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origin: DEFAULT_ORIGIN.to_owned(),
            secret: None,
            refused_apps: BTreeSet::new(),
            roles: BTreeMap::new(),
            sync: ClientSync::default(),
            limits: Limits::default(),
            rest_version: RestVersion::default(),
            webhooks: WebhookSettings::default(),
        }
    }
}

/// Hides the secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("origin", &self.origin)
            .field("secret", &self.secret.as_ref().map(|_| ".."))
            .field("refused_apps", &self.refused_apps)
            .field("roles", &self.roles)
            .field("sync", &self.sync)
            .field("limits", &self.limits)
            .field("rest_version", &self.rest_version)
            .field("webhooks", &self.webhooks)
            .finish()
    }
}

impl Default for Role {
    fn default() -> Self {
        DEFAULT_ROLE.clone()
    }
}

impl Default for ClientSync {
    fn default() -> Self {
        Self {
            users: true,
            conversations: true,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            participants: 300,
            max_file_size: None,
            file_types: None,
            files: true,
            search: true,
            translation: true,
            rest_rate: false,
        }
    }
}
