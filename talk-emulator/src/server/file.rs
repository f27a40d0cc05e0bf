//! The metadata and the URL of an uploaded file.

use serde::{Deserialize, Serialize};
use talk_proto::encode_component;

/// The metadata of an uploaded file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileMetadata {
    /// The filename from Content-Disposition, percent-decoded.
    pub filename: String,
    /// The size in bytes.
    pub size: u64,
    /// The media type for downloads.
    pub content_type: String,
    /// `image`, `video`, `audio` or `voice`; other values are dropped.
    pub subtype: Option<String>,
    /// The width in pixels.
    pub width: Option<f64>,
    /// The height in pixels.
    pub height: Option<f64>,
    /// The duration in seconds.
    pub duration: Option<f64>,
}

/// Returns the URL of a file.
pub(super) fn url(origin: &str, app: &str, token: &str, filename: &str) -> String {
    let app = encode_component(app);
    // Clients resolve dot segments, also encoded ones. A download ignores the name in the URL.
    let filename = match filename {
        "." | ".." => "file",
        filename => filename,
    };
    let filename = encode_component(filename);
    format!("{origin}/public_api/v1/{app}/files/{token}/{filename}")
}
