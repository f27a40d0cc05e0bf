//! The metadata of an uploaded file, and its url.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// What is known of a file beside its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileMetadata {
    /// As it stands in Content-Disposition, percent-decoded.
    pub filename: String,
    /// In bytes.
    pub size: u64,
    /// What the file is served as.
    pub content_type: String,
    /// `image`, `video`, `audio` or `voice`; anything else counts as none.
    pub subtype: Option<String>,
    /// In pixels.
    pub width: Option<f64>,
    /// In pixels.
    pub height: Option<f64>,
    /// In seconds.
    pub duration: Option<f64>,
}

/// What `encodeURIComponent` leaves as it is, beside letters and digits.
pub(super) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Where a file is served.
pub(super) fn url(origin: &str, app: &str, token: &str, filename: &str) -> String {
    let app = utf8_percent_encode(app, SEGMENT);
    let filename = utf8_percent_encode(filename, SEGMENT);
    format!("{origin}/public_api/v1/{app}/files/{token}/{filename}")
}
