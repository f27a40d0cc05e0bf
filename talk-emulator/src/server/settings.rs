//! What an emulator allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// What an emulator allows, for all its apps. Members that are missing have their defaults: no
/// authentication, everything that the documentation allows a new app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where browsers and clients reach this server, for the urls of files: `http://127.0.0.1:8080`.
    pub origin: String,
    /// The key that signs tokens. With one, tokens and signatures are checked; without, anybody is
    /// who they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Apps that do not exist.
    pub refused_apps: BTreeSet<String>,
    /// What users may do, by the name of their role. A role that is not here has the defaults.
    pub roles: BTreeMap<String, Role>,
    /// What clients may write.
    pub sync: ClientSync,
    /// What the plan allows.
    pub limits: Limits,
}

/// What users of one role may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
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
    /// Show others as typing, and be shown. Default: yes.
    pub typing_indicators: bool,
    /// See who is online. Default: yes.
    pub online_status: bool,
    /// Whose messages may be edited. Default: one's own.
    pub edit_messages: Scope,
    /// Whose messages may be deleted. Default: one's own.
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

/// Whose messages something may be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Nobody's.
    None,
    /// One's own.
    Own,
    /// Everybody's.
    All,
}

/// The two switches for what clients may write beside messages. Both are on by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSync {
    /// Clients may create and change users.
    pub users: bool,
    /// Clients may create and change conversations and who is in them.
    pub conversations: bool,
}

/// What the plan allows. The defaults are the Growth plan's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many participants a conversation can have. Default: 300 (Basic has 100).
    pub participants: usize,
    /// The largest file, in bytes. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_size: Option<u64>,
    /// The filename extensions that are taken, in lower case without the dot. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_types: Option<BTreeSet<String>>,
    /// Whether files can be uploaded. Default: yes.
    pub files: bool,
    /// Whether there is search (Basic has none). Default: yes.
    pub search: bool,
    /// Whether there is translation. Default: yes.
    pub translation: bool,
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

impl Settings {
    /// What users of this role may do.
    pub fn role(&self, name: &str) -> &Role {
        self.roles.get(name).unwrap_or(&DEFAULT_ROLE)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origin: "http://127.0.0.1".to_owned(),
            secret: None,
            refused_apps: BTreeSet::new(),
            roles: BTreeMap::new(),
            sync: ClientSync::default(),
            limits: Limits::default(),
        }
    }
}

/// Without the secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("origin", &self.origin)
            .field("secret", &self.secret.as_ref().map(|_| ".."))
            .field("refused_apps", &self.refused_apps)
            .field("roles", &self.roles)
            .field("sync", &self.sync)
            .field("limits", &self.limits)
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
        }
    }
}
