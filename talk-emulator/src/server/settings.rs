use serde::{Deserialize, Serialize};

/// What an emulator allows, for all its apps. Missing members have the documented defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where browsers and clients reach this server, for the urls of files: `http://127.0.0.1:8080`.
    pub origin: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origin: "http://127.0.0.1".to_owned(),
        }
    }
}
