use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::engine::Core;
use super::state::Shell;
use crate::server::{WithoutCors, is_loopback_origin};

/// Browsers ask for permission before a public page may call a local server.
const REQUEST_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// Answers preflights and lets pages of any origin read every response.
///
/// Every request of the REST API needs `Authorization`, hence a preflight. The API is not meant for
/// pages; without a secret, only pages of this machine may use it (our choice).
pub(crate) async fn allow_any_origin(
    State(shell): State<Shell>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if !is_preflight(&request) {
        next.run(request).await
    } else if is_for_pages(request.uri().path())
        || has_loopback_origin(request.headers())
        || has_secret(&shell).await
    {
        preflight(request.headers())
    } else {
        return no_content();
    };
    if response.extensions().get::<WithoutCors>().is_some() {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "accept-ranges, content-disposition, content-length, content-range, content-type",
        ),
    );
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Returns `true` for the paths that the client uses.
fn is_for_pages(path: &str) -> bool {
    let rest = ["/public_api/v1/", "/v1/"]
        .into_iter()
        .find_map(|base| path.strip_prefix(base));
    let after_app = rest.and_then(|rest| rest.split('/').nth(1));
    rest.is_none() || matches!(after_app, Some("files" | "me" | "realtime"))
}

fn has_loopback_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(is_loopback_origin)
}

async fn has_secret(shell: &Shell) -> bool {
    let has_secret = |core: &mut Core, _| core.server.settings().has_secret();
    shell.engine.call(has_secret).await.unwrap_or(false)
}

fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = no_content();
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"),
    );
    // `*` would not cover Authorization.
    let wanted = asked
        .get(ACCESS_CONTROL_REQUEST_HEADERS)
        .cloned()
        .unwrap_or(HeaderValue::from_static(
            "authorization, content-type, range",
        ));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.insert(VARY, HeaderValue::from_name(ACCESS_CONTROL_REQUEST_HEADERS));
    if asked.contains_key(REQUEST_PRIVATE_NETWORK) {
        headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    response
}
