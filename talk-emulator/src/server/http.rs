use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A request without its transport: the URI holds path and query as they came, the body is whole.
pub type HttpRequest = ::http::Request<Bytes>;

/// An answer whose body is sent chunk by chunk, in order (a search's results are one chunk a line).
pub type HttpResponse = ::http::Response<Vec<Bytes>>;

/// Leave to upload one file: who for, and how large it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPermit {
    /// The app that the file will belong to.
    pub app: String,
    /// The user of the token.
    pub user: String,
    /// The largest file that will be taken, in bytes. The caller may stop reading beyond it and
    /// give the size so far to [`finish_upload`](super::Server::finish_upload) for the answer.
    pub max_size: u64,
}

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

/// An accepted upload.
#[derive(Debug)]
pub struct StoredFile {
    /// Names the file from now on, letters and digits only: the caller keeps the bytes under it.
    pub token: String,
    /// The answer to the upload.
    pub response: HttpResponse,
}

/// A file to serve.
#[derive(Debug, Clone, PartialEq)]
pub struct Download {
    /// The token that [`StoredFile`] gave.
    pub token: String,
    /// What was uploaded.
    pub file: FileMetadata,
}

pub(super) fn not_found() -> HttpResponse {
    let mut response = HttpResponse::new(vec![Bytes::from_static(
        br#"{"errorCode":"ROUTE_NOT_FOUND","reasons":["There is nothing at this address."]}"#,
    )]);
    *response.status_mut() = ::http::StatusCode::NOT_FOUND;
    response
}
