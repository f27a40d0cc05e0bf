//! Requests and answers over HTTP.

use bytes::Bytes;
use http::{StatusCode, header};
use percent_encoding::percent_decode_str;

use super::fault::UploadFault;
use super::file::FileMetadata;
use super::refusal::Refusal;
use super::reply::Reply;

/// A request without its transport: the URI holds path and query as they came, the body is whole.
pub type HttpRequest = http::Request<Bytes>;

/// An answer whose body is sent chunk by chunk, in order (a search's results are one chunk a line).
pub type HttpResponse = http::Response<Vec<Bytes>>;

/// Leave to upload one file: who for, and how large it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPermit {
    /// The app that the file will belong to.
    pub app: String,
    /// The largest file that will be taken, in bytes. The caller may stop reading beyond it and
    /// give the size so far to [`finish_upload`](super::Server::finish_upload) for the answer.
    pub max_size: u64,
    /// Who uploads it, as far as the token says.
    pub user: String,
    /// What the file will be known by once it is complete, letters and digits only: the caller
    /// keeps the bytes under it.
    pub token: String,
    /// What is to happen while the body comes in.
    pub fault: Option<UploadFault>,
}

/// An accepted upload.
#[derive(Debug)]
pub struct StoredFile {
    /// What the permit said.
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

/// One of the three bases, and what is asked of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) base: Base,
    pub(super) app: String,
    /// What follows the app, decoded.
    pub(super) path: Vec<String>,
    /// The same as it came, with the slash before it.
    pub(super) raw_path: String,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// `/public_api/v1`
    Rest,
    /// `/api/v0`
    Internal,
}

impl Address {
    /// Where a request goes; `None` when to neither base.
    pub(super) fn parse(request: &HttpRequest) -> Option<Self> {
        let path = request.uri().path();
        let (base, rest) = match path.strip_prefix("/public_api/v1/") {
            Some(rest) => (Base::Rest, rest),
            None => (Base::Internal, path.strip_prefix("/api/v0/")?),
        };
        let mut segments = rest.split('/').map(|segment| {
            percent_decode_str(segment)
                .decode_utf8()
                .ok()
                .map(String::from)
        });
        let app = segments.next()??;
        if app.is_empty() {
            return None;
        }
        let raw_path = rest.find('/').map_or("", |at| &rest[at..]).to_owned();
        Some(Self {
            base,
            app,
            path: segments.collect::<Option<_>>()?,
            raw_path,
        })
    }

    pub(super) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// The token that a request carries.
pub(super) fn token(request: &HttpRequest) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A member of the query, decoded once.
pub(super) fn query(request: &HttpRequest, name: &str) -> Option<String> {
    let pairs = request.uri().query()?.split('&');
    let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    let value = value.replace('+', " ");
    Some(percent_decode_str(&value).decode_utf8_lossy().into_owned())
}

/// An answer with JSON for a body.
pub(super) fn json(status: u16, body: String) -> HttpResponse {
    chunks(status, vec![body.into()])
}

/// An answer with JSON for a body that is sent in pieces.
pub(super) fn chunks(status: u16, body: Vec<Bytes>) -> HttpResponse {
    let mut response = HttpResponse::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A reply as an answer over HTTP.
pub(super) fn respond(reply: Reply) -> HttpResponse {
    match reply {
        Ok(body) => json(200, body),
        Err(refusal) => refuse(&refusal),
    }
}

pub(super) fn refuse(refusal: &Refusal) -> HttpResponse {
    // Two strings: this does not fail.
    json(
        refusal.status,
        serde_json::to_string(&refusal.body()).unwrap_or_default(),
    )
}
