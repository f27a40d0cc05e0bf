//! Apps.

use serde::{Deserialize, Serialize};
use talk_proto::content::UnknownFields;
use talk_proto::model::{AppId, Custom};

use crate::json::{null_default, unknown};

/// An app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct App {
    /// The app's ID.
    pub id: AppId,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// The locale of users without a locale.
    #[serde(default)]
    pub default_locale: Option<String>,
    /// The custom data.
    #[serde(default, deserialize_with = "null_default")]
    pub custom: Custom,
    /// The members that this version does not know.
    #[serde(flatten, with = "unknown")]
    pub unknown_fields: UnknownFields,
}
