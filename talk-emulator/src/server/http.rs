//! HTTP requests and responses.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;

use super::fault::UploadFault;
use super::file::FileMetadata;
use super::refusal::Refusal;
use super::reply::Reply;

/// A request without its transport: the URI holds path and query as received, and the body is
/// complete.
pub type HttpRequest = http::Request<Bytes>;

/// A response whose body is sent in chunks, in order. A search result has one chunk per line.
pub type HttpResponse = http::Response<Vec<Bytes>>;

/// A permit to upload one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPermit {
    /// The app of the file.
    pub app: String,
    /// The maximum file size in bytes. The caller may discard further bytes and pass the total
    /// size to [`finish_upload`](super::Server::finish_upload), which then refuses the file.
    pub max_size: u64,
    /// The user, if known from the token.
    pub user: String,
    /// The token of the file, letters and digits only. The caller stores the contents under this
    /// name.
    pub token: String,
    /// The fault to apply while the body arrives.
    pub fault: Option<UploadFault>,
    /// Set for a back end, to which roles do not apply.
    pub(super) is_back_end: bool,
    /// The address of the request.
    pub(super) uri: Uri,
}

/// A stored upload.
#[derive(Debug)]
pub struct StoredFile {
    /// The token from the permit.
    pub token: String,
    /// The response to the upload.
    pub response: HttpResponse,
}

/// A file to serve.
#[derive(Debug, Clone, PartialEq)]
pub struct Download {
    /// The token from [`StoredFile`].
    pub token: String,
    /// The metadata of the upload.
    pub file: FileMetadata,
}

/// A parsed request path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) base: Base,
    pub(super) app: String,
    /// The decoded segments after the app.
    pub(super) path: Vec<String>,
    /// The path after the app as received, with its leading slash.
    pub(super) raw_path: String,
}

/// A base path of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// `/public_api/v1`, and `/v1` as on the service's API host. The latter is our choice, so that
    /// a back end changes only the host.
    Rest,
    /// `/api/v0`
    Internal,
}

impl Address {
    /// Parses the path of a request. Returns `None` if it is below neither base.
    pub(super) fn parse(request: &HttpRequest) -> Option<Self> {
        let path = request.uri().path();
        let rest = ["/public_api/v1/", "/v1/"]
            .into_iter()
            .find_map(|base| path.strip_prefix(base));
        let (base, rest) = match rest {
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

/// Marks a response without CORS headers, in its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WithoutCors;

/// Marks a request whose body exceeds the limit of the caller, in its extensions. Its body is empty
/// then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyTooLarge;

/// Returns the bearer token of a request.
pub(super) fn token(request: &HttpRequest) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Returns `true` if a body has the type `application/json`, with any parameters.
pub(crate) fn has_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Returns a parameter of the query, decoded once.
pub(super) fn query(request: &HttpRequest, name: &str) -> Option<String> {
    query_pairs(request)
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Iterates over the parameters of the query, with values decoded once.
pub(super) fn query_pairs(request: &HttpRequest) -> impl Iterator<Item = (&str, String)> {
    parse_query(request.uri().query().unwrap_or_default())
}

/// Iterates over the parameters of a query, with values decoded once.
pub(crate) fn parse_query(query: &str) -> impl Iterator<Item = (&str, String)> {
    query.split('&').map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8_lossy().into_owned();
        (key, value)
    })
}

/// Returns a response with a JSON body.
pub(super) fn json(status: u16, body: String) -> HttpResponse {
    chunks(status, vec![body.into()])
}

/// Returns a response with a JSON body in chunks.
pub(super) fn chunks(status: u16, body: Vec<Bytes>) -> HttpResponse {
    let mut response = HttpResponse::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Converts a reply to a response.
pub(super) fn respond(reply: Reply) -> HttpResponse {
    match reply {
        Ok(body) => json(200, body),
        Err(refusal) => refuse(&refusal),
    }
}

/// Converts a refusal to a response. One with status 429 has a `Retry-After` of a second, unless
/// the caller replaces it (our choice).
pub(super) fn refuse(refusal: &Refusal) -> HttpResponse {
    let mut response = json(refusal.status, refusal.json());
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        let second = header::HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, second);
    }
    response
}

/// Returns the response to a request that is refused.
pub(crate) fn refusal_response(status: u16, code: &'static str, reason: &str) -> HttpResponse {
    refuse(&Refusal::new(status, code, reason))
}
